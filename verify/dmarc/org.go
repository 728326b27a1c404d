package dmarc

import (
	"context"

	"assay/verify/domain"
)

// MinOrgLabels is how many labels an organizational domain has at least, where
// the name itself has as many. A shorter one is treated as if its record said
// psd=y, whatever it says: a top-level domain with a careless record must not
// turn all its registrants into one organization (RFC 9989 §11.8).
const MinOrgLabels = 2

// organization is an organizational domain and how it was determined.
type organization struct {
	name    domain.Name
	guarded bool // MinOrgLabels decided
}

// organizationOf walks from name and returns its organizational domain.
func (w *walker) organizationOf(ctx context.Context, name domain.Name) (organization, error) {
	found, err := w.walk(ctx, name)
	if err != nil {
		return organization{}, err
	}
	return selectOrganization(name, found), nil
}

// selectOrganization returns the organizational domain of start, given the
// records of the walk from there, the longest name first.
func selectOrganization(start domain.Name, found []Step) organization {
	name := byRecords(start, found)
	if name != start && name.Labels() < MinOrgLabels {
		return organization{name: start.Last(MinOrgLabels), guarded: true}
	}
	return organization{name: name}
}

// byRecords applies RFC 9989 §4.10.2 as it stands.
func byRecords(start domain.Name, found []Step) domain.Name {
	for _, s := range found {
		switch {
		case s.Record.PSD == PSDNo:
			return s.Name
		case s.Record.PSD == PSDYes && s.Name != start:
			// One label below the public suffix, even if no record is there.
			return start.Last(s.Name.Labels() + 1)
		}
	}
	if len(found) == 0 {
		return start
	}
	return found[len(found)-1].Name // the fewest labels
}
