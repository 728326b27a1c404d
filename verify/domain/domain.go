// Package domain holds host names that can only be made by parsing, so that
// the name that was checked is the name that is queried, compared and printed.
//
// Implements: RFC 5890 (A-labels), RFC 8616 §4, §5 and RFC 9989 §5.3.1 (U-labels
// become A-labels on entry), RFC 1035 §2.3.4 (lengths).
//
// Departures: the underscore is accepted in every label, because mail domains
// and DKIM selectors with one exist in numbers and DNS permits it.
package domain

import (
	"errors"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/idna"
)

// Reasons why a text is not a Name; Parse wraps none of them.
var (
	ErrEmpty   = errors.New("empty name")
	ErrTooLong = errors.New("name longer than 253 octets")
	ErrLabel   = errors.New("label empty or longer than 63 octets")
	ErrChar    = errors.New("character not allowed in a host name")
	ErrIDNA    = errors.New("not a valid internationalized name")
)

// Limits of RFC 1035 §2.3.4, in octets of the textual form without final dot.
const (
	MaxName  = 253
	MaxLabel = 63
)

// Name is a host name in its one form: A-labels, lower case, no final dot.
// Names are compared with ==. The zero Name is no name at all.
type Name struct{ text string }

// profile maps U-labels to A-labels as UTS 46 asks for look-ups, with the STD3
// rules, and is safe for concurrent use.
var profile = idna.New(
	idna.MapForLookup(),
	idna.Transitional(false),
	idna.StrictDomainName(true),
	idna.BidiRule(),
)

// Parse returns the Name that text stands for. One final dot is dropped. It
// fails with one of the errors of this package.
func Parse(text string) (Name, error) {
	text = strings.TrimSuffix(text, ".")
	if text == "" {
		return Name{}, ErrEmpty
	}
	if !isASCII(text) {
		if err := checkUnicode(text); err != nil {
			return Name{}, err
		}
		if !visible(text) {
			return Name{}, ErrIDNA
		}
		ascii, err := profile.ToASCII(text)
		if err != nil || !isASCII(ascii) {
			return Name{}, ErrIDNA
		}
		text = strings.TrimSuffix(ascii, ".")
	}
	if err := check(text); err != nil {
		return Name{}, err
	}
	return Name{strings.ToLower(text)}, nil
}

// MustParse is Parse for names written in code and tests; it panics where
// Parse fails.
func MustParse(text string) Name {
	n, err := Parse(text)
	if err != nil {
		panic("domain.MustParse(" + text + "): " + err.Error())
	}
	return n
}

func check(text string) error {
	if text == "" {
		return ErrEmpty
	}
	if len(text) > MaxName {
		return ErrTooLong
	}
	start := 0
	for i := 0; i <= len(text); i++ {
		if i < len(text) && text[i] != '.' {
			if !allowed(text[i]) {
				return ErrChar
			}
			continue
		}
		if i == start || i-start > MaxLabel {
			return ErrLabel
		}
		start = i + 1
	}
	return nil
}

func allowed(c byte) bool {
	switch {
	case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '-', c == '_':
		return true
	}
	return false
}

// Limits of a name with U-labels, in octets of UTF-8. A longer label makes no
// A-label of 63; to find that out is what costs.
const (
	maxUnicodeName  = 4 * MaxName
	maxUnicodeLabel = 4 * MaxLabel
)

func checkUnicode(text string) error {
	if len(text) > maxUnicodeName {
		return ErrTooLong
	}
	for label := range strings.SplitSeq(text, ".") {
		if len(label) > maxUnicodeLabel {
			return ErrLabel
		}
	}
	return nil
}

// visible refuses the characters that UTS 46 would silently drop: a name that
// holds one was not written to be read.
func visible(text string) bool {
	if !utf8.ValidString(text) {
		return false
	}
	for _, r := range text {
		joiner := r == '\u200c' || r == '\u200d' // some scripts need them; IDNA knows where
		if !joiner && unicode.In(r, unicode.Cf, unicode.Variation_Selector, unicode.Other_Default_Ignorable_Code_Point) {
			return false
		}
	}
	return true
}

func isASCII(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}

// String returns the name as it is queried and printed; "" for the zero Name.
func (n Name) String() string { return n.text }

// IsZero reports whether n is no name.
func (n Name) IsZero() bool { return n.text == "" }

// Labels returns the number of labels; 0 for the zero Name.
func (n Name) Labels() int {
	if n.text == "" {
		return 0
	}
	return strings.Count(n.text, ".") + 1
}

// Parent returns n without its leftmost label; the zero Name when n has only
// one label or none.
func (n Name) Parent() Name {
	_, parent, _ := strings.Cut(n.text, ".")
	return Name{parent}
}

// Last returns the rightmost k labels of n, or n when it has no more than k.
func (n Name) Last(k int) Name {
	for n.Labels() > max(k, 0) {
		n = n.Parent()
	}
	return n
}

// Within reports whether n is parent or a name below it. Nothing is within the
// zero Name.
func (n Name) Within(parent Name) bool {
	if parent.text == "" || !strings.HasSuffix(n.text, parent.text) {
		return false
	}
	rest := len(n.text) - len(parent.text)
	return rest == 0 || n.text[rest-1] == '.'
}

// MarshalText and UnmarshalText let a Name stand in configuration and JSON.
func (n Name) MarshalText() ([]byte, error) { return []byte(n.text), nil }

// UnmarshalText is Parse; see MarshalText.
func (n *Name) UnmarshalText(text []byte) error {
	parsed, err := Parse(string(text))
	if err == nil {
		*n = parsed
	}
	return err
}
