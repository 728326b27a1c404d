package spf

import (
	"fmt"
	"strconv"
	"strings"
)

// Limits for one record. RFC 7208 sets none; real records are far smaller.
const (
	MaxRecordBytes = 4096 // octets of the record, strings joined
	MaxTerms       = 100  // directives and modifiers
)

// record is an SPF record whose syntax is right. It is shared between
// evaluations and read-only.
type record struct{ terms []term }

// selection is what a TXT answer holds for SPF: a record, an error, or
// neither, where there is no SPF record.
type selection struct {
	record *record
	err    error
}

// selectRecord finds the SPF record among TXT records and parses it.
func selectRecord(texts []string) selection {
	var found []string
	for _, text := range texts {
		// RFC 7208 §4.5: the version ends at a space or the end of the record;
		// §12: its case does not matter. (EqualFold would let a "ſ" pass.)
		version, _, _ := strings.Cut(text, " ")
		if strings.ToLower(version) == "v=spf1" {
			found = append(found, text)
		}
	}
	switch len(found) {
	case 0:
		return selection{}
	case 1:
		r, err := parseRecord(found[0])
		return selection{r, err}
	}
	// RFC 7208 §4.5: more than one record is a permerror.
	return selection{err: fmt.Errorf("%w: %d", ErrMultipleRecords, len(found))}
}

// parseRecord checks the whole of a record that begins with the version.
//
// RFC 7208 §4.6: a syntax error anywhere in the record is a permerror, before
// any term is evaluated.
func parseRecord(text string) (*record, error) {
	if len(text) > MaxRecordBytes {
		return nil, fmt.Errorf("%w: %d octets", ErrRecordTooLong, len(text))
	}
	// RFC 7208 §12: terms = *( 1*SP ( directive / modifier ) ), then *SP. No
	// other blank separates terms.
	_, rest, _ := strings.Cut(text, " ")
	words := strings.FieldsFunc(rest, func(c rune) bool { return c == ' ' })
	if len(words) > MaxTerms {
		return nil, fmt.Errorf("%w: %d", ErrTooManyTerms, len(words))
	}
	r := new(record)
	seen := map[mechanism]bool{}
	for _, word := range words {
		t, err := parseTerm(word)
		if err != nil {
			return nil, fmt.Errorf("%w: %s: %w", ErrSyntax, quote(word), err)
		}
		// RFC 7208 §6: redirect and exp may stand once each.
		if t.mechanism == redirect || t.mechanism == explanation {
			if seen[t.mechanism] {
				return nil, fmt.Errorf("%w: %s: second of its kind", ErrSyntax, quote(word))
			}
			seen[t.mechanism] = true
		}
		r.terms = append(r.terms, t)
	}
	return r, nil
}

// quote makes a stranger's text fit for a log line.
func quote(text string) string {
	const longest = 60
	if len(text) > longest {
		return strconv.QuoteToASCII(text[:longest]) + "…"
	}
	return strconv.QuoteToASCII(text)
}
