package dmarc

import (
	"fmt"

	"assay/verify/dkim"
	"assay/verify/domain"
	"assay/verify/lookup"
	"assay/verify/spf"
)

// MaxWalks is for how many names per message, beside the author domain, an
// organizational domain is determined. Names beyond count as not aligned: a
// stranger who sends more must gain nothing, not even a temporary error.
const MaxWalks = 10

// alignment compares domains with one author domain (RFC 9989 §4.4).
type alignment struct {
	run    *Run
	record *Record
	walked map[domain.Name]bool
}

// Outcome says how an identifier compares with the author domain.
type Outcome string

// The outcomes. The first two are alignment.
const (
	SameName         Outcome = "same name"
	SameOrganization Outcome = "same organizational domain"
	NamesDiffer      Outcome = "names differ" // and the mode is strict
	OrgsDiffer       Outcome = "organizational domains differ"
	NotCompared      Outcome = "too many names" // MaxWalks, or the message's share of questions
	Undecided        Outcome = "unknown"        // because of an outage
)

// Comparison is one identifier beside the author domain.
type Comparison struct {
	// Signature is the index of the DKIM signature whose SDID it is; -1 for the
	// MAIL FROM identity.
	Signature int
	Name      domain.Name
	Mode      Mode
	Outcome   Outcome
	// OrgDomain is that of Name; zero where it was not needed or could not be
	// determined.
	OrgDomain domain.Name
	Err       error // why it is Undecided
}

// Aligned reports whether the names are aligned.
func (c Comparison) Aligned() bool { return c.Outcome == SameName || c.Outcome == SameOrganization }

// compare compares d with the author domain; the zero Name is never aligned.
func (a *alignment) compare(d domain.Name, mode Mode) Comparison {
	c := Comparison{Signature: -1, Name: d, Mode: mode}
	author, known := a.run.author, a.run.found
	switch {
	case d == author:
		c.Outcome = SameName
	case mode == Strict:
		c.Outcome = NamesDiffer
	case known.orgErr != nil && !mayShareOrganization(d, author):
		c.Outcome = OrgsDiffer
	case lookup.IsExhausted(known.orgErr):
		c.Outcome = NotCompared
	case known.orgErr != nil:
		c.Outcome, c.Err = Undecided, known.orgErr
	case !d.Within(known.org.name):
		// An organizational domain is the name itself or above it.
		c.Outcome = OrgsDiffer
	case !a.walked[d] && len(a.walked) == MaxWalks:
		c.Outcome = NotCompared
	default:
		a.walk(&c)
	}
	return c
}

// walk compares organizational domains.
func (a *alignment) walk(c *Comparison) {
	a.walked[c.Name] = true
	org, err := a.run.walker.organizationOf(a.run.ctx, c.Name)
	switch {
	case lookup.IsExhausted(err):
		c.Outcome = NotCompared
	case err != nil:
		c.Outcome, c.Err = Undecided, err
	case org.name == a.run.found.org.name:
		c.Outcome, c.OrgDomain = SameOrganization, org.name
	default:
		c.Outcome, c.OrgDomain = OrgsDiffer, org.name
	}
}

// mayShareOrganization reports whether two different names can have the same
// organizational domain, whatever the DNS says.
func mayShareOrganization(a, b domain.Name) bool {
	return a.Last(MinOrgLabels) == b.Last(MinOrgLabels)
}

// align fills in which identifiers with a pass are aligned. It returns why that
// is not certain for one of them; nil where all are decided.
func (a *alignment) align(e *Evaluation, s spf.Check, sigs []dkim.Signature) error {
	var doubt error
	// RFC 9989 §4.4.2: only the MAIL FROM identity counts, never HELO's own.
	if s.Identity == spf.MailFrom && s.Result == spf.Pass {
		c := a.compare(s.Domain, a.record.ASPF)
		e.Comparisons = append(e.Comparisons, c)
		e.AlignedSPF = c.Aligned()
		doubt = organizationError(s.Domain, c.Err)
	}
	for i, sig := range sigs {
		if sig.Result != dkim.Pass {
			continue
		}
		c := a.compare(sig.SDID, a.record.ADKIM)
		c.Signature = i
		e.Comparisons = append(e.Comparisons, c)
		if c.Aligned() {
			e.AlignedDKIM = append(e.AlignedDKIM, i)
		}
		if doubt == nil {
			doubt = organizationError(sig.SDID, c.Err)
		}
	}
	return doubt
}

// pending returns an error where SPF or DKIM met an outage that may hide an
// aligned pass (RFC 9989 §5.3.6).
func (a *alignment) pending(s spf.Check, sigs []dkim.Signature) error {
	if s.Identity == spf.MailFrom && s.Result == spf.TempError {
		if c := a.compare(s.Domain, a.record.ASPF); c.Aligned() || c.Err != nil {
			return fmt.Errorf("dmarc: %w: spf of %s", ErrPending, s.Domain)
		}
	}
	for _, sig := range sigs {
		if sig.Result != dkim.TempError {
			continue
		}
		if c := a.compare(sig.SDID, a.record.ADKIM); c.Aligned() || c.Err != nil {
			return fmt.Errorf("dmarc: %w: dkim signature of %s", ErrPending, sig.SDID)
		}
	}
	return nil
}

func organizationError(d domain.Name, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("dmarc: %w of %s: %w", ErrOrganization, d, err)
}
