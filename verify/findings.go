package verify

import (
	"net/netip"

	"assay/verify/arc"
	"assay/verify/authres"
	"assay/verify/dkim"
	"assay/verify/dmarc"
	"assay/verify/domain"
	"assay/verify/iprev"
	"assay/verify/message"
	"assay/verify/spf"
)

// Findings is what all methods found about one message.
type Findings struct {
	Client netip.Addr // address of the SMTP client; invalid when unknown
	Author message.Author
	SPF    spf.Check // the MAIL FROM identity
	Helo   spf.Check // the HELO identity, for the record: it never aligns
	IPRev  iprev.Evaluation
	// Forwarded is what a listed forwarder had to do with it.
	Forwarded Forwarded
	DKIM      []dkim.Signature // one for each DKIM-Signature field
	ARC       arc.Chain        // not evaluated when ARC is off
	DMARC     dmarc.Evaluation
	Lookups   int // DNS questions asked, answered by the cache or not
	Stale     int // TXT answers past their time, used because DNS failed (RFC 8767)
	Refused   int // DNS questions not asked, because a method had used up its share
	// OutOfTime is set where Verifier.Budget was used up, so that look-ups were
	// given up.
	OutOfTime bool
}

// AuthorDomain returns the domain that DMARC was evaluated for: the author's,
// or of several authors the one whose result counts. It is zero where there is none.
func (f Findings) AuthorDomain() domain.Name {
	if f.Author.Domain.IsZero() {
		return f.DMARC.AuthorDomain
	}
	return f.Author.Domain
}

// Results returns the findings as they are written in Authentication-Results.
// disposition is what was done about a DMARC failure, and why if that is not
// what was asked for; it goes into the comment.
func (f Findings) Results(disposition string) []authres.Result {
	if f.DMARC.Result == dmarc.Pass {
		disposition = "" // nothing was to be done
	}
	results := []authres.Result{f.SPF.AuthRes()}
	results = append(results, dkim.AuthRes(f.DKIM)...)
	if f.ARC.Result != "" {
		results = append(results, f.ARC.AuthRes(f.Client))
	}
	return append(results, f.DMARC.AuthRes(disposition), f.IPRev.AuthRes())
}
