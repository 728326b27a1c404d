package authres

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"assay/verify/domain"
)

// maxHeadOctets is how far into a field its authserv-id and version may reach,
// with all comments and the ";". It bounds the work of Claimed.
const maxHeadOctets = 2048

// ID is an authserv-id of ours, in the one form in which ids are compared: a
// host name in A-labels, lower case, no final dot; other texts in lower case.
// IDs are compared with ==.
type ID struct{ text string }

// NewID returns the ID that text stands for. text is plain: no comments, no
// quotes.
func NewID(text string) ID { return ID{canonical(text)} }

// String returns the id in its canonical form.
func (id ID) String() string { return id.text }

func canonical(text string) string {
	text = strings.TrimRight(strings.TrimSpace(text), ".")
	if name, err := domain.Parse(text); err == nil {
		return name.String()
	}
	return strings.ToLower(text)
}

// Claimed reports whether a received field value must be removed: it claims our
// authserv-id, or does so for a reader that is less strict than we are, or its
// authserv-id cannot be read, or its version is not 1 (RFC 8601 §5). What
// follows the authserv-id does not matter. The work does not grow with the
// field: an authserv-id that is not over within 2048 octets cannot be read.
func (id ID) Claimed(value string) bool {
	s := &scanner{text: value[:min(len(value), maxHeadOctets)]}
	h, err := s.head()
	if err != nil || s.done() && len(value) > maxHeadOctets {
		return true
	}
	text := s.text[:s.pos]
	name := canonical(h.id)
	if name == "" || name == id.text || !utf8.ValidString(text) {
		return true
	}
	// A reader that deletes comments before all else finds mx1 in "mx(x)1".
	if h.glued && canonical(h.id+h.version) == id.text {
		return true
	}
	// No reader takes a host name at the very beginning for something else.
	if !strings.Contains(text[:h.start], "(") && all(h.id, isHost) && !strings.HasPrefix(text[h.start:], `"`) {
		return false
	}
	return id.mentioned(text)
}

// isHost reports whether c may stand in a host name of ASCII.
func isHost(c byte) bool { return isKeyword(c) || c == '.' || c == '_' }

// mentioned reports whether our id stands anywhere in text. Where comments,
// quotes or odd characters come first, readers disagree on where the id begins:
// "(a(b) mx.example.org; )other.example", `"mx.example.org; x"` and
// "'mx.example.org'" are ours to some.
func (id ID) mentioned(text string) bool {
	if id.text == "" {
		return false
	}
	text = strings.ReplaceAll(text, `\`, "")
	for _, word := range strings.FieldsFunc(text, separates) {
		if canonical(word) == id.text {
			return true
		}
	}
	return strings.Contains(squeeze(text), squeeze(id.text))
}

func separates(r rune) bool {
	return unicode.IsSpace(r) || r < utf8.RuneSelf && !isToken(byte(r))
}

// squeeze returns text in lower case without anything that does not show: a
// fold or a soft hyphen may hide a name from a comparison.
func squeeze(text string) string {
	return strings.ToLower(strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) || unicode.In(r, unicode.Cf, unicode.Variation_Selector, unicode.Other_Default_Ignorable_Code_Point) {
			return -1
		}
		return r
	}, text))
}
