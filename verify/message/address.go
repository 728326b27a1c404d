package message

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"assay/verify/domain"
)

// Limits of one From field.
const (
	MaxAddressBytes = 64 << 10 // octets of the value
	MaxAddresses    = 100      // mailboxes in it
	maxComments     = 64       // nesting of comments
)

// Why a text is not a list of mailboxes.
var (
	errTooLong     = errors.New("too long")
	errTooMany     = errors.New("too many addresses")
	errControl     = errors.New("control character")
	errComment     = errors.New("unbalanced or deep comment")
	errQuote       = errors.New("unterminated quoted string")
	errLeftover    = errors.New("text that belongs to no address")
	errNoAddrSpec  = errors.New("name without an address")
	errLocalPart   = errors.New("malformed local part")
	errEncodedWord = errors.New("encoded word in place of an address")
	errBracket     = errors.New("unbalanced angle bracket")
	errRoute       = errors.New("malformed route")
	errLiteral     = errors.New("address literal in place of a domain")
	errGroup       = errors.New("unterminated group")
)

// mailboxDomains reads a mailbox-list or address-list strictly by RFC 5322 §3.4, with
// RFC 6532's octets above 127, and returns its addresses as they are written, and
// their distinct domains in order. Of the obsolete syntax it reads routes, empty list
// elements and dots in names; anything left over is an error: what one reader
// passes over, another shows.
func mailboxDomains(value string) (addresses []string, domains []domain.Name, err error) {
	if len(value) > MaxAddressBytes {
		return nil, nil, errTooLong
	}
	p := &addressParser{text: unfold.Replace(value)}
	for i := 0; i < len(p.text); i++ {
		if c := p.text[i]; c < ' ' && c != '\t' || c == 0x7f {
			return nil, nil, errControl
		}
	}
	if err := p.list(false); err != nil {
		return nil, nil, err
	}
	return p.addresses, p.domains, nil
}

// addressParser reads text from at on.
type addressParser struct {
	text      string
	at        int
	addresses []string
	domains   []domain.Name
}

// list reads addresses up to the end of the text, or up to the ";" of a group.
func (p *addressParser) list(group bool) error {
	for {
		if err := p.blanks(); err != nil {
			return err
		}
		switch p.next() {
		case ',':
			p.at++
			continue
		case ';':
			if group {
				p.at++
				return nil
			}
		case 0:
			if group {
				return errGroup
			}
			return nil
		}
		if err := p.address(group); err != nil {
			return err
		}
		if err := p.blanks(); err != nil {
			return err
		}
		if c := p.next(); c != ',' && c != 0 && (c != ';' || !group) {
			return errLeftover
		}
	}
}

// address reads one mailbox or, outside of a group, one group.
func (p *addressParser) address(group bool) error {
	start := p.at
	words, err := p.words()
	if err != nil {
		return err
	}
	switch p.next() {
	case '<':
		return p.angle()
	case '@':
		return p.addrSpec(start, words)
	case ':':
		if group || len(words) == 0 {
			return errLeftover
		}
		p.at++
		return p.list(true)
	}
	if len(words) > 0 && encodedWord(words[0].text) {
		return errEncodedWord
	}
	if len(words) == 0 {
		return errLeftover
	}
	return errNoAddrSpec
}

// word is an atom, a quoted string or a dot.
type word struct {
	text   string
	quoted bool
	tight  bool // nothing stands between it and the word before
}

// words reads atoms, quoted strings and dots with the blanks and comments
// around them.
func (p *addressParser) words() ([]word, error) {
	var words []word
	for {
		before := p.at
		if err := p.blanks(); err != nil {
			return nil, err
		}
		tight := p.at == before
		start := p.at
		switch c := p.next(); {
		case c == '"':
			if err := p.quoted(); err != nil {
				return nil, err
			}
			words = append(words, word{p.text[start:p.at], true, tight})
		case c == '.':
			p.at++
			words = append(words, word{".", false, tight})
		case atext(c):
			for atext(p.next()) {
				p.at++
			}
			words = append(words, word{p.text[start:p.at], false, tight})
		default:
			return words, nil
		}
	}
}

// angle reads "<" [route] addr-spec ">".
func (p *addressParser) angle() error {
	p.at++
	if err := p.blanks(); err != nil {
		return err
	}
	if p.next() == '@' {
		if err := p.route(); err != nil {
			return err
		}
	}
	start := p.at
	words, err := p.words()
	if err != nil {
		return err
	}
	switch p.next() {
	case '@':
	case '>':
		return errNoAddrSpec
	default:
		return errBracket
	}
	if err := p.addrSpec(start, words); err != nil {
		return err
	}
	if p.next() != '>' {
		return errBracket
	}
	p.at++
	return nil
}

// route reads the obsolete "@a,@b:" (RFC 5322 §4.4), which says nothing about
// the author.
func (p *addressParser) route() error {
	for {
		switch p.next() {
		case '@':
			p.at++
			if _, err := p.domain(); err != nil {
				return fmt.Errorf("%w: %w", errRoute, err)
			}
		case ',':
			p.at++
		case ':':
			p.at++
			return nil
		default:
			return errRoute
		}
		if err := p.blanks(); err != nil {
			return err
		}
	}
}

// addrSpec reads "@" domain after the words of a local part, which begin at
// start.
func (p *addressParser) addrSpec(start int, local []word) error {
	if err := localPart(local); err != nil {
		return err
	}
	p.at++
	name, err := p.domain()
	if err != nil {
		return err
	}
	if len(p.addresses) == MaxAddresses {
		return errTooMany
	}
	p.addresses = append(p.addresses, p.text[start:p.at])
	if !slices.Contains(p.domains, name) {
		p.domains = append(p.domains, name)
	}
	return p.blanks()
}

// localPart: words parted by single dots, with nothing in between.
func localPart(words []word) error {
	if len(words)%2 == 0 {
		return errLocalPart
	}
	for i, w := range words {
		dot := w.text == "." && !w.quoted
		if dot != (i%2 == 1) || i > 0 && !w.tight {
			return errLocalPart
		}
	}
	if len(words) == 1 && encodedWord(words[0].text) {
		return errEncodedWord
	}
	return nil
}

func encodedWord(text string) bool {
	return strings.HasPrefix(text, "=?") && strings.HasSuffix(text, "?=")
}

// domain reads a domain without blanks inside; a final dot is accepted.
func (p *addressParser) domain() (domain.Name, error) {
	if err := p.blanks(); err != nil {
		return domain.Name{}, err
	}
	if p.next() == '[' {
		return domain.Name{}, errLiteral
	}
	start := p.at
	for atext(p.next()) || p.next() == '.' {
		p.at++
	}
	return domain.Parse(p.text[start:p.at])
}

// quoted reads a quoted string from its first quote to its last.
func (p *addressParser) quoted() error {
	for p.at++; p.at < len(p.text); p.at++ {
		switch p.text[p.at] {
		case '\\':
			p.at++
		case '"':
			p.at++
			return nil
		}
	}
	p.at = len(p.text)
	return errQuote
}

// blanks passes over white space and comments.
func (p *addressParser) blanks() error {
	depth := 0
	for p.at < len(p.text) {
		switch c := p.text[p.at]; {
		case c == '(':
			if depth++; depth > maxComments {
				return errComment
			}
		case depth == 0 && c != ' ' && c != '\t':
			return nil
		case c == ')':
			depth--
		case c == '\\' && depth > 0:
			p.at++
		}
		p.at++
	}
	p.at = min(p.at, len(p.text))
	if depth > 0 {
		return errComment
	}
	return nil
}

// next returns the octet at the reading point, 0 at the end.
func (p *addressParser) next() byte {
	if p.at < len(p.text) {
		return p.text[p.at]
	}
	return 0
}

// atext: RFC 5322 §3.2.3, and RFC 6532 §3.2 for what lies above 127.
func atext(c byte) bool {
	switch {
	case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c >= 0x80:
		return true
	}
	return c != 0 && strings.IndexByte("!#$%&'*+-/=?^_`{|}~", c) >= 0
}
