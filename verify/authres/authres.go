package authres

import "errors"

// FieldName is the name of the header field.
const FieldName = "Authentication-Results"

// Limits on what strangers send and on what is written.
const (
	// MaxFieldBytes is the longest field value, in octets, that Parse reads
	// and that Value writes.
	MaxFieldBytes = 64 << 10
	// MaxCommentDepth is how deep comments may nest.
	MaxCommentDepth = 64
	// MaxCommentChars is the longest comment or reason that is written, before
	// escaping.
	MaxCommentChars = 80
	// MaxKeyword is the longest method, result, ptype or property name that is
	// written, in characters.
	MaxKeyword = 64
	// MaxIDChars is the longest authserv-id that is written, before escaping; a
	// longer one is cut. It is the length of the longest host name.
	MaxIDChars = 253
)

// Why a field cannot be read.
var (
	// ErrSyntax: the field does not follow the grammar of RFC 8601 §2.2.
	ErrSyntax = errors.New("malformed field")
	// ErrVersion: the field follows another version than 1 of the grammar.
	ErrVersion = errors.New("unsupported version")
	// ErrTooLarge: the field is longer than MaxFieldBytes, or its comments nest
	// deeper than MaxCommentDepth.
	ErrTooLarge = errors.New("field too large")
)

// Result is one resinfo of RFC 8601 §2.2: what a method found. Method, Value
// and the names in Props are keywords: letters, digits and hyphens, at most
// MaxKeyword of them, the last one no hyphen. They are written and read in lower
// case. A Method or Value that is no keyword is a programming error; the result
// is not written.
type Result struct {
	Method  string
	Value   string // the result keyword: pass, fail, none, …
	Reason  string // reason=; "" for none
	Comment string // written in parentheses after the result; "" for none
	Props   []Prop // in the order they are written
}

// Prop is one "ptype.property=value" of a result. A Prop with an empty Value
// is not written, nor is one whose Type or Name is no keyword.
//
// Value is the plain value, without the quotes of a quoted-string; an address
// is as in SMTP, so that its local-part may bring quotes of its own. A Value is
// written whole or not at all. It is not written when it holds control or
// non-ASCII characters or one of ; ( ) " \ (quotes around a local-part are
// fine), or a blank together with "=": such a value could look like another
// result or property to a simple reader. Nor is one too long for a line of 998
// octets.
type Prop struct {
	Type  string // smtp, header, body, policy
	Name  string
	Value string
}

// Field is one Authentication-Results field. A field without results says
// "none".
type Field struct {
	AuthservID string
	Results    []Result
}
