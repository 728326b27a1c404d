package arc

import (
	"fmt"
	"strings"

	"assay/verify/authres"
)

// maxResults bounds the results that are read one by one; sealers write about
// ten.
const maxResults = 100

// readResults reads the payload of an ARC-Authentication-Results. Where it does
// not follow RFC 8601 as a whole, it is read result by result: large sealers
// write dialects, and one result that cannot be read says nothing about the others.
//
// That is no invitation to break out of a result. The cuts between results are
// the grammar's, comments and quoted-strings included, and where these do not
// balance nothing is read. Each result must then follow the grammar to its end,
// less the words that dialect knows; one with any other irregularity is
// dropped whole, so that "header.d=good.example .evil.example" never becomes
// good.example.
func (s *Set) readResults(payload string) {
	field, err := authres.Parse(payload)
	if err == nil {
		s.Results = field
		return
	}
	parts, err := split(payload)
	if err == nil && len(parts) > 1+maxResults {
		err = fmt.Errorf("%w: more than %d results", ErrSyntax, maxResults)
	}
	if err == nil {
		field, err = authres.Parse(parts[0] + "; none")
	}
	if err != nil {
		s.ResultsErr = fmt.Errorf("ARC-Authentication-Results %d: %w", s.Instance, err)
		return
	}
	for _, part := range parts[1:] {
		if strings.Trim(part, blanks) == "" {
			continue
		}
		one, err := authres.Parse("id;" + part)
		if err != nil {
			one, err = authres.Parse("id;" + dialect(part))
		}
		if err != nil {
			s.Unread++
			s.obscure = s.obscure || strings.Contains(strings.ToLower(part), "dmarc")
			continue
		}
		field.Results = append(field.Results, one.Results...)
	}
	s.Results = field
}

// dialect rewrites the words of a result that are known from the field into
// what the grammar has for them, in their place. A result with a quoted-string
// is left alone: a blank in it is no end of a word.
func dialect(part string) string {
	if strings.Contains(part, `"`) {
		return part
	}
	words := strings.FieldsFunc(part, func(r rune) bool { return strings.ContainsRune(blanks, r) })
	for i, word := range words {
		// Unquoted, though base64 has characters that no token has.
		if b, ok := strings.CutPrefix(word, "header.b="); ok && all(b, isBase64) {
			words[i] = `header.b="` + b + `"`
		}
		// Microsoft's word for what it did, which is no property: none,
		// oreject, pct.quarantine, ….
		action, ok := strings.CutPrefix(word, "action=")
		if ok && all(strings.TrimPrefix(action, "pct."), isLetter) {
			words[i] = "policy." + word
		}
	}
	return strings.Join(words, " ")
}

func all(text string, class func(byte) bool) bool {
	for i := 0; i < len(text); i++ {
		if !class(text[i]) {
			return false
		}
	}
	return text != ""
}

func isLetter(c byte) bool { return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' }

func isBase64(c byte) bool {
	return isLetter(c) || '0' <= c && c <= '9' || c == '+' || c == '/' || c == '='
}
