package message

import (
	"errors"
	"fmt"

	"assay/verify/domain"
)

// AuthorKind says whether the message names one author domain (RFC 9989 §4.2,
// §5.3.1), and if not, why. The zero value means not evaluated.
type AuthorKind string

// The kinds of author.
const (
	AuthorValid           AuthorKind = "valid"            // one domain
	AuthorMissing         AuthorKind = "missing"          // no From field, or one without any address
	AuthorMultipleFields  AuthorKind = "multiple-fields"  // several From fields
	AuthorMultipleDomains AuthorKind = "multiple-domains" // addresses of several domains
	AuthorUnparsable      AuthorKind = "unparsable"       // not a list of mailboxes
)

// Reasons why there is no author domain.
var (
	ErrNoAuthor   = errors.New("no author address")
	ErrManyFields = errors.New("several From fields")
	ErrManyNames  = errors.New("author addresses of several domains")
	ErrAddress    = errors.New("From is not a list of addresses")
)

// Author is what the From fields say.
type Author struct {
	Kind    AuthorKind
	Domain  domain.Name   // the author domain when Kind is AuthorValid, else zero
	Domains []domain.Name // every distinct domain when Kind is AuthorMultipleDomains
	Err     error         // why Kind is not AuthorValid
}

// Author reads the author domain. A field counts as From whatever blanks
// stand around its name: a mail program would show it.
func (h Header) Author() Author {
	fields := h.All("From")
	switch len(fields) {
	case 0:
		return Author{Kind: AuthorMissing, Err: ErrNoAuthor}
	case 1:
	default:
		return Author{Kind: AuthorMultipleFields, Err: ErrManyFields}
	}
	domains, err := mailboxDomains(fields[0].Value)
	switch {
	case err != nil:
		return Author{Kind: AuthorUnparsable, Err: fmt.Errorf("%w: %w", ErrAddress, err)}
	case len(domains) == 0:
		return Author{Kind: AuthorMissing, Err: ErrNoAuthor}
	case len(domains) > 1:
		return Author{Kind: AuthorMultipleDomains, Domains: domains, Err: ErrManyNames}
	}
	return Author{Kind: AuthorValid, Domain: domains[0]}
}
