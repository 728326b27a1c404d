// Package tags reads the tag=value lists of RFC 6376 §3.2, which DKIM
// signatures, DKIM keys and ARC fields are made of.
//
// Implements: RFC 6376 §3.2; RFC 8616 §5 (octets above 127 in values).
//
// Departures: the folding white space of a received field may be a bare LF
// followed by a blank; nothing downstream depends on which it was.
package tags

import (
	"errors"
	"fmt"
	"strings"
)

// MaxTags is the most tags a list may have; the standards define fewer than
// twenty for any of them.
const MaxTags = 64

// Reasons why a text is not a list.
var (
	ErrSyntax    = errors.New("malformed tag list")
	ErrDuplicate = errors.New("tag given twice")
	ErrTooMany   = errors.New("too many tags")
)

// Tag is one tag of a list.
type Tag struct {
	Name string
	// Value is the value without surrounding white space; white space inside
	// it is kept.
	Value string
	// Start and End delimit the value in the text that was parsed, surrounding white
	// space included: what RFC 6376 §3.7 deletes from b=.
	Start, End int
}

// List is a tag list in the order of the text.
type List []Tag

// Parse reads a tag list. Names are case-sensitive, and a name that occurs
// twice voids the list (RFC 6376 §3.2).
func Parse(text string) (List, error) {
	list := make(List, 0, 12)
	for at := 0; ; {
		end := strings.IndexByte(text[at:], ';')
		last := end < 0
		if last {
			end = len(text)
		} else {
			end += at
		}
		if last && len(list) > 0 && trim(text[at:]) == "" {
			return list, nil // RFC 6376 §3.2: the last semicolon is optional.
		}
		tag, err := parseTag(text, at, end)
		if err != nil {
			return nil, err
		}
		if _, twice := list.Get(tag.Name); twice {
			return nil, fmt.Errorf("%w: %s", ErrDuplicate, tag.Name)
		}
		if len(list) == MaxTags {
			return nil, ErrTooMany
		}
		list = append(list, tag)
		if last {
			return list, nil
		}
		at = end + 1
	}
}

func parseTag(text string, start, end int) (Tag, error) {
	eq := strings.IndexByte(text[start:end], '=')
	if eq < 0 {
		return Tag{}, fmt.Errorf("%w: a tag without \"=\"", ErrSyntax)
	}
	name := trim(text[start : start+eq])
	if !validName(name) {
		return Tag{}, fmt.Errorf("%w: a tag name that is none", ErrSyntax)
	}
	value := text[start+eq+1 : end]
	if !validValue(value) {
		return Tag{}, fmt.Errorf("%w: control character in %s=", ErrSyntax, name)
	}
	return Tag{Name: name, Value: trim(value), Start: start + eq + 1, End: end}, nil
}

// Get returns the value of the tag of that name, and whether there is one. An
// empty value is not an absent tag.
func (l List) Get(name string) (value string, ok bool) {
	tag, ok := l.Find(name)
	return tag.Value, ok
}

// Find returns the tag of that name, and whether there is one.
func (l List) Find(name string) (Tag, bool) {
	for _, tag := range l {
		if tag.Name == name {
			return tag, true
		}
	}
	return Tag{}, false
}

// Items returns the parts of a colon-separated value, without the white space
// around them. An empty value has one empty part.
func Items(value string) []string {
	items := strings.Split(value, ":")
	for i, item := range items {
		items[i] = trim(item)
	}
	return items
}

// Compact returns value without any white space, as base64 values are read
// (RFC 6376 §3.2, "white space is ignored").
func Compact(value string) string {
	if !strings.ContainsAny(value, blanks) {
		return value
	}
	var b strings.Builder
	b.Grow(len(value))
	for i := 0; i < len(value); i++ {
		if !isBlank(value[i]) {
			b.WriteByte(value[i])
		}
	}
	return b.String()
}

const blanks = " \t\r\n"

func isBlank(c byte) bool { return c == ' ' || c == '\t' || c == '\r' || c == '\n' }

func trim(s string) string { return strings.Trim(s, blanks) }

// validName: tag-name = ALPHA *( ALPHA / DIGIT / "_" ).
func validName(name string) bool {
	for i := 0; i < len(name); i++ {
		c := name[i]
		alpha := 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
		if !alpha && (i == 0 || (c != '_' && (c < '0' || c > '9'))) {
			return false
		}
	}
	return name != ""
}

// validValue: printable characters, octets above 127 and folding white space.
// A line end must be followed by a blank.
func validValue(value string) bool {
	for i := 0; i < len(value); i++ {
		switch c := value[i]; {
		case c == '\r':
			if i+1 == len(value) || value[i+1] != '\n' {
				return false
			}
		case c == '\n':
			if i+1 == len(value) || (value[i+1] != ' ' && value[i+1] != '\t') {
				return false
			}
		case c == '\t':
		case c < ' ' || c == 0x7f:
			return false
		}
	}
	return true
}
