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

// candidates returns the TXT records that claim to be SPF records.
func candidates(texts []string) []string {
	var found []string
	for _, text := range texts {
		// RFC 7208 §4.5: the version ends at a space or the end of the record;
		// §12: its case does not matter. (EqualFold would let a "ſ" pass.)
		version, _, _ := strings.Cut(text, " ")
		if strings.ToLower(version) == "v=spf1" {
			found = append(found, text)
		}
	}
	return found
}

// selectRecord finds the SPF record among TXT records and parses it.
func selectRecord(texts []string) selection {
	found := candidates(texts)
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
	words := cutWords(text)
	words = words[min(1, len(words)):] // without the version
	if len(words) > MaxTerms {
		return nil, fmt.Errorf("%w: %d", ErrTooManyTerms, len(words))
	}
	r := new(record)
	seen := map[mechanism]bool{}
	for _, w := range words {
		t, err := parseTerm(w.text)
		if err != nil {
			return nil, syntaxError(w.at, w.text, err)
		}
		t.text = w.text
		// RFC 7208 §6: redirect and exp may stand once each.
		if t.mechanism == redirect || t.mechanism == explanation {
			if seen[t.mechanism] {
				return nil, syntaxError(w.at, w.text, errSecond)
			}
			seen[t.mechanism] = true
		}
		r.terms = append(r.terms, t)
	}
	return r, nil
}

// word is a word of a record and where it begins, in octets.
type word struct {
	at   int
	text string
}

// cutWords returns the words of a record, the version first.
func cutWords(text string) []word {
	var words []word
	for at := 0; at < len(text); {
		end := strings.IndexByte(text[at:], ' ')
		if end < 0 {
			end = len(text) - at
		}
		if end > 0 {
			words = append(words, word{at, text[at : at+end]})
		}
		at += end + 1
	}
	return words
}

// quote makes a stranger's text fit for a log line.
func quote(text string) string {
	const longest = 60
	if len(text) > longest {
		return strconv.QuoteToASCII(text[:longest]) + "…"
	}
	return strconv.QuoteToASCII(text)
}
