package dmarc

import (
	"golang.org/x/net/publicsuffix"

	"assay/verify/domain"
)

// PSLOrgDomain returns the organizational domain that RFC 7489 would find by
// the public suffix list; the zero Name where there is none. It explains why
// older receivers judge a message differently, and decides nothing.
func PSLOrgDomain(name domain.Name) domain.Name {
	text, err := publicsuffix.EffectiveTLDPlusOne(name.String())
	if err != nil {
		return domain.Name{}
	}
	org, err := domain.Parse(text)
	if err != nil {
		return domain.Name{}
	}
	return org
}

// Disagreement returns the organizational domain by the public suffix list
// where it differs from e's; the zero Name where both agree or one is not known.
func (e Evaluation) Disagreement() domain.Name {
	psl := PSLOrgDomain(e.AuthorDomain)
	if e.OrgDomain.IsZero() || psl == e.OrgDomain {
		return domain.Name{}
	}
	return psl
}
