package authres

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// Parse reads the value of an Authentication-Results field: what stands after
// the colon, blanks included, lines ending in LF or CRLF. It takes what
// RFC 8601 §2.2 permits and nothing else; every error wraps ErrSyntax,
// ErrVersion or ErrTooLarge.
//
// Of the comments it keeps the first one between a result and what follows it.
// Results of a method version other than 1 are skipped.
func Parse(value string) (Field, error) {
	f, err := parse(value)
	if err != nil {
		return Field{}, fmt.Errorf("authres: %w", err)
	}
	return f, nil
}

func parse(value string) (Field, error) {
	if len(value) > MaxFieldBytes {
		return Field{}, fmt.Errorf("%w: more than %d octets", ErrTooLarge, MaxFieldBytes)
	}
	if !utf8.ValidString(value) {
		return Field{}, fmt.Errorf("%w: not UTF-8", ErrSyntax)
	}
	s := &scanner{text: value}
	head, err := s.head()
	if err != nil {
		return Field{}, err
	}
	f := Field{AuthservID: head.id}
	if s.none() {
		return f, nil
	}
	if s.done() {
		return Field{}, s.fail("neither results nor none")
	}
	for !s.done() {
		r, known, err := s.resinfo()
		if err != nil {
			return Field{}, err
		}
		if known {
			f.Results = append(f.Results, r)
		}
	}
	return f, nil
}

// head is the beginning of a field, up to the first ";" or the end.
type head struct {
	id      string
	start   int    // where the authserv-id begins
	version string // as written; "" when left out
	glued   bool   // nothing but comments stands between id and version
}

// head reads [CFWS] authserv-id [CFWS authres-version] [CFWS] and stops at the
// ";" or end that must follow.
func (s *scanner) head() (h head, err error) {
	if _, err = s.cfws(); err != nil {
		return h, err
	}
	h.start = s.pos
	if h.id, err = s.value(); err != nil {
		return h, err
	}
	end := s.pos
	spaced, err := s.cfws()
	if err != nil {
		return h, err
	}
	if spaced {
		h.glued = s.text[end] == '(' && s.text[s.pos-1] == ')'
		h.version = s.run(isDigit)
		if _, err = s.cfws(); err != nil {
			return h, err
		}
	}
	if !s.done() && !s.at(';') {
		return h, s.fail("no ; after the authserv-id")
	}
	// RFC 8601 §2.2: no version means version 1.
	if h.version != "" && !one(h.version) {
		return h, ErrVersion
	}
	return h, nil
}

// one reports whether digits mean the number 1.
func one(digits string) bool { return strings.TrimLeft(digits, "0") == "1" }

// none reads the rest of the field if it is no-result; otherwise it reads
// nothing.
func (s *scanner) none() bool {
	rest := *s
	if rest.expect(';') != nil {
		return false
	}
	if _, err := rest.cfws(); err != nil {
		return false
	}
	if word, err := rest.keyword(); err != nil || word != "none" {
		return false
	}
	if _, err := rest.cfws(); err != nil || !rest.done() {
		return false
	}
	*s = rest
	return true
}
