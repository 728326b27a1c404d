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

// of reports whether d is aligned with the author domain; the zero Name never
// is. It fails, and reports false, where an outage leaves that open.
func (a *alignment) of(d domain.Name, mode Mode) (bool, error) {
	author, known := a.run.author, a.run.found
	switch {
	case d == author:
		return true, nil
	case mode == Strict:
		return false, nil
	case known.orgErr != nil && !mayShareOrganization(d, author):
		return false, nil
	case known.orgErr != nil:
		return false, known.orgErr
	case !d.Within(known.org.name):
		// An organizational domain is the name itself or above it.
		return false, nil
	}
	if !a.walked[d] && len(a.walked) == MaxWalks {
		return false, nil
	}
	a.walked[d] = true
	org, err := a.run.walker.organizationOf(a.run.ctx, d)
	if lookup.IsExhausted(err) {
		return false, nil // as with MaxWalks
	}
	return err == nil && org.name == known.org.name, err
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
		aligned, err := a.of(s.Domain, a.record.ASPF)
		e.AlignedSPF = aligned
		doubt = organizationError(s.Domain, err)
	}
	for i, sig := range sigs {
		if sig.Result != dkim.Pass {
			continue
		}
		aligned, err := a.of(sig.SDID, a.record.ADKIM)
		if aligned {
			e.AlignedDKIM = append(e.AlignedDKIM, i)
		}
		if doubt == nil {
			doubt = organizationError(sig.SDID, err)
		}
	}
	return doubt
}

// pending returns an error where SPF or DKIM met an outage that may hide an
// aligned pass (RFC 9989 §5.3.6).
func (a *alignment) pending(s spf.Check, sigs []dkim.Signature) error {
	if s.Identity == spf.MailFrom && s.Result == spf.TempError {
		if aligned, err := a.of(s.Domain, a.record.ASPF); aligned || err != nil {
			return fmt.Errorf("dmarc: %w: spf of %s", ErrPending, s.Domain)
		}
	}
	for _, sig := range sigs {
		if sig.Result != dkim.TempError {
			continue
		}
		if aligned, err := a.of(sig.SDID, a.record.ADKIM); aligned || err != nil {
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
