package message

import (
	"errors"
	"fmt"
	"strings"

	"assay/verify/domain"
)

// AuthorKind says whether the message names one author domain (RFC 9989 §4.2,
// §5.3.1), and if not, why. The zero value means not evaluated.
type AuthorKind string

// The kinds of author. All but AuthorValid are invalid.
const (
	AuthorValid           AuthorKind = "valid"             // one domain, and nobody reads another
	AuthorMissing         AuthorKind = "missing"           // no From field
	AuthorNoAddress       AuthorKind = "no-address"        // a From field without any address
	AuthorMultipleFields  AuthorKind = "multiple-fields"   // several From fields
	AuthorFieldName       AuthorKind = "field-name"        // blanks or controls in the field's name
	AuthorMultipleDomains AuthorKind = "multiple-domains"  // well-formed, but of several domains
	AuthorUnparsable      AuthorKind = "unparsable"        // not a list of addresses
	AuthorEncodedWord     AuthorKind = "encoded-word"      // an encoded word where an address should be
	AuthorControl         AuthorKind = "control-character" // a control character in the value
	AuthorInvalidDomain   AuthorKind = "invalid-domain"    // no domain name after the "@"
	AuthorAmbiguous       AuthorKind = "ambiguous"         // a lenient reader sees another domain
)

// Reasons why there is no author domain; ErrAddress is wrapped with what is
// wrong about the text.
var (
	ErrNoField    = errors.New("no From field")
	ErrNoAuthor   = errors.New("no author address")
	ErrManyFields = errors.New("several From fields")
	ErrFieldName  = errors.New("blanks in the name of the From field")
	ErrManyNames  = errors.New("author addresses of several domains")
	ErrAddress    = errors.New("author field is not a list of addresses")
	ErrAmbiguous  = errors.New("a lenient reader of From sees another domain")
)

// Author is what the From fields say.
type Author struct {
	Kind    AuthorKind
	Domain  domain.Name   // the author domain when Kind is AuthorValid, else zero
	Domains []domain.Name // every distinct domain when Kind is AuthorValid or AuthorMultipleDomains
	Err     error         // why Kind is not AuthorValid
}

// Author reads the author domain. A field counts as From whatever blanks
// stand around its name: a mail program would show it. Nothing else stands
// in for From.
func (h Header) Author() Author {
	fields := h.All("From")
	switch {
	case len(fields) == 0:
		return Author{Kind: AuthorMissing, Err: ErrNoField}
	case len(fields) > 1:
		return Author{Kind: AuthorMultipleFields, Err: ErrManyFields}
	case !strings.EqualFold(fields[0].Name, "From"):
		return Author{Kind: AuthorFieldName, Err: ErrFieldName}
	}
	addresses, domains, err := mailboxDomains(fields[0].Value)
	switch {
	case err != nil:
		return Author{Kind: kindOf(err), Err: fmt.Errorf("%w: %w", ErrAddress, err)}
	case len(domains) == 0:
		return Author{Kind: AuthorNoAddress, Err: ErrNoAuthor}
	case seesOther(fields[0].Value, addresses, domains):
		return Author{Kind: AuthorAmbiguous, Err: ErrAmbiguous}
	case len(domains) > 1:
		return Author{Kind: AuthorMultipleDomains, Domains: domains, Err: ErrManyNames}
	}
	return Author{Kind: AuthorValid, Domain: domains[0], Domains: domains}
}

// kindOf names what the strict reader found wrong.
func kindOf(err error) AuthorKind {
	for kind, causes := range map[AuthorKind][]error{
		AuthorEncodedWord:   {errEncodedWord},
		AuthorControl:       {errControl},
		AuthorNoAddress:     {errNoAddrSpec},
		AuthorInvalidDomain: {errLiteral, domain.ErrEmpty, domain.ErrTooLong, domain.ErrLabel, domain.ErrChar, domain.ErrIDNA},
	} {
		for _, cause := range causes {
			if errors.Is(err, cause) {
				return kind
			}
		}
	}
	return AuthorUnparsable
}
