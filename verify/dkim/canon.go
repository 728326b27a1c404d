package dkim

import (
	"strings"

	"assay/verify/message"
)

// Canon is a canonicalization algorithm of RFC 6376 §3.4.
type Canon string

// The canonicalization algorithms.
const (
	Simple  Canon = "simple"
	Relaxed Canon = "relaxed"
)

// AppendField appends the canonical form of a header field to dst, with its
// final CRLF, and returns the extended slice (RFC 6376 §3.4.1, §3.4.2).
func AppendField(dst []byte, canon Canon, f message.Field) []byte {
	if canon == Simple {
		dst = append(dst, f.Name...)
		dst = append(dst, ':')
		dst = append(dst, f.Value...)
		return append(dst, '\r', '\n')
	}
	for _, c := range []byte(strings.TrimRight(f.Name, " \t")) {
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		dst = append(dst, c)
	}
	dst = append(dst, ':')
	return append(appendRelaxedValue(dst, f.Value), '\r', '\n')
}

// appendRelaxedValue unfolds value, reduces each run of blanks to one space
// and drops the blanks at both ends. Every octet but SP, HTAB and the line
// ends of folds is kept.
func appendRelaxedValue(dst []byte, value string) []byte {
	start := len(dst)
	for at := 0; at < len(value); {
		next := at
		for next < len(value) && value[next] > ' ' {
			next++
		}
		if next > at {
			dst = append(dst, value[at:next]...)
			at = next
			continue
		}
		n := blankAt(value, at)
		if n == 0 { // an octet below the space that is no blank
			dst = append(dst, value[at])
			at++
			continue
		}
		for n > 0 {
			at += n
			n = blankAt(value, at)
		}
		if len(dst) > start && at < len(value) {
			dst = append(dst, ' ')
		}
	}
	return dst
}

// blankAt returns the length of the blank or fold at value[at:]; 0 when there
// is none. A fold is a line end before a blank, and at the very end, where
// the header was cut after one, the line end alone.
func blankAt(value string, at int) int {
	if at == len(value) {
		return 0
	}
	switch value[at] {
	case ' ', '\t':
		return 1
	case '\r':
		if at+1 < len(value) && value[at+1] == '\n' && (at+2 == len(value) || value[at+2] == ' ' || value[at+2] == '\t') {
			return 2
		}
	}
	return 0
}

// AppendSelected appends the canonical forms of the fields that names select
// from header and returns the extended slice. For each name it takes the
// last instance not used yet, from the bottom up; a name without a further
// instance contributes nothing (RFC 6376 §5.4.2). The field at index self is
// never selected: a signature does not cover itself.
func AppendSelected(dst []byte, canon Canon, header message.Header, names []string, self int) []byte {
	for i, name := range names {
		if at := selected(header, names[:i], name, self); at >= 0 {
			dst = AppendField(dst, canon, header[at])
		}
	}
	return dst
}

// selected returns the index of the field that name selects after the names
// before it have taken theirs; -1 for none.
func selected(header message.Header, before []string, name string, self int) int {
	skip := 0
	for _, b := range before {
		if strings.EqualFold(b, name) {
			skip++
		}
	}
	for at := len(header) - 1; at >= 0; at-- {
		if at == self || !nameIs(header[at].Name, name) {
			continue
		}
		if skip == 0 {
			return at
		}
		skip--
	}
	return -1
}

// nameIs compares a field's name with one of h=; only blanks before the colon
// may differ.
func nameIs(field, name string) bool {
	return len(field) >= len(name) && strings.EqualFold(field[:len(name)], name) && strings.TrimLeft(field[len(name):], " \t") == ""
}
