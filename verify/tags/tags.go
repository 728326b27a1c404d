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

// Error is why a text is not a list, or not the list that its reader wants, and
// where. Its text is that of Err alone.
type Error struct {
	At  int // octet of the text at which the fault is
	Err error
}

func (e *Error) Error() string { return e.Err.Error() }

func (e *Error) Unwrap() error { return e.Err }

// Tag is one tag of a list.
type Tag struct {
	Name string
	// Value is the value without surrounding white space; white space inside
	// it is kept.
	Value string
	// Start and End delimit the value in the text that was parsed, surrounding white
	// space included: what RFC 6376 §3.7 deletes from b=.
	Start, End int
	// At is where Value begins in that text.
	At int
}

// Fault returns err with the place of the tag's value.
func (t Tag) Fault(err error) error { return &Error{At: t.At, Err: err} }

// List is a tag list in the order of the text.
type List []Tag

// Parse reads a tag list. Names are case-sensitive, and a name that occurs
// twice voids the list (RFC 6376 §3.2). It fails with an *Error.
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
			return nil, fault(text, at, fmt.Errorf("%w: %s", ErrDuplicate, tag.Name))
		}
		if len(list) == MaxTags {
			return nil, fault(text, at, ErrTooMany)
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
		return Tag{}, fault(text, start, fmt.Errorf("%w: a tag without \"=\"", ErrSyntax))
	}
	name := trim(text[start : start+eq])
	if !validName(name) {
		return Tag{}, fault(text, start, fmt.Errorf("%w: a tag name that is none", ErrSyntax))
	}
	from := start + eq + 1
	value := text[from:end]
	if bad := invalidIn(value); bad >= 0 {
		return Tag{}, &Error{from + bad, fmt.Errorf("%w: control character in %s=", ErrSyntax, name)}
	}
	return Tag{Name: name, Value: trim(value), Start: from, End: end, At: skip(text, from)}, nil
}

// fault returns err with the first place after at that is not blank.
func fault(text string, at int, err error) error { return &Error{skip(text, at), err} }

func skip(text string, at int) int { return len(text) - len(strings.TrimLeft(text[at:], blanks)) }

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
	at := strings.IndexAny(value, blanks)
	if at < 0 {
		return value
	}
	var b strings.Builder
	b.Grow(len(value))
	for ; at >= 0; at = strings.IndexAny(value, blanks) {
		b.WriteString(value[:at])
		value = value[at+1:]
	}
	b.WriteString(value)
	return b.String()
}

const blanks = " \t\r\n"

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

// invalidIn returns the index of the first octet of value that is none of
// printable characters, octets above 127 and folding white space; -1 where
// there is none. A line end must be followed by a blank.
func invalidIn(value string) int {
	for i := 0; i < len(value); i++ {
		switch c := value[i]; {
		case c == '\r':
			if i+1 == len(value) || value[i+1] != '\n' {
				return i
			}
		case c == '\n':
			if i+1 == len(value) || (value[i+1] != ' ' && value[i+1] != '\t') {
				return i
			}
		case c == '\t':
		case c < ' ' || c == 0x7f:
			return i
		}
	}
	return -1
}
