package authres

import (
	"strings"

	"assay/verify/domain"
)

// Line lengths of RFC 5322 §2.1.1, without the line end.
const (
	wishedColumns = 78
	maxLineOctets = 998
)

// A continuation line begins with a tab, which mail programs show as up to
// eight columns.
const (
	fold        = "\n\t"
	foldColumns = 8
)

// What is made room for at once: a field of ordinary mail, and the result, comment
// and reason of one method.
const (
	usualOctets = 512
	usualWords  = 6
)

// Value returns the field value to insert, without name, colon and the blank
// after it. Lines end in LF and stay within 78 columns where the parts
// permit, the name counted, and within 998 octets always. Parse reads it
// back as the same Field, less what the types of this package document as left
// out or altered.
func (f Field) Value() string {
	w := &writer{column: len(FieldName) + len(": ")}
	w.text.Grow(usualOctets)
	w.word(idText(f.AuthservID))
	empty := true
	for _, r := range f.Results {
		words := r.words()
		if words == nil {
			continue
		}
		size := 0
		for _, word := range words {
			size += len(fold) + len(word)
		}
		if w.text.Len()+len(";")+size > MaxFieldBytes {
			continue
		}
		empty = false
		w.text.WriteString(";")
		w.line()
		for _, word := range words {
			w.word(word)
		}
	}
	if empty {
		w.text.WriteString("; none")
	}
	return w.text.String()
}

// idText returns the authserv-id as it is written.
func idText(id string) string {
	if !all(id, ascii) {
		if name, err := domain.Parse(id); err == nil {
			id = name.String()
		}
		id = strings.Map(visibleID, id)
	}
	return tokenOrQuoted(id[:min(len(id), MaxIDChars)])
}

// visibleID drops what cannot be written in an authserv-id.
func visibleID(r rune) rune {
	if r < ' ' || r > '~' {
		return -1
	}
	return r
}

// String returns the result on one line, as Value would write it; "" where it
// must be left out.
func (r Result) String() string { return strings.Join(r.words(), " ") }

// words returns the parts of a result between which a fold may stand; nil when
// the result must be left out.
func (r Result) words() []string {
	if !writable(r.Method) || !writable(r.Value) {
		return nil
	}
	words := make([]string, 0, usualWords+len(r.Props))
	words = append(words, strings.ToLower(r.Method+"="+r.Value))
	words = append(words, commentWords(r.Comment)...)
	if reason := reasonValue(r.Reason); reason != "" {
		words = append(words, "reason="+reason)
	}
	for _, p := range r.Props {
		if word := p.word(); word != "" {
			words = append(words, word)
		}
	}
	return words
}

// word returns the property as it is written, "" where it must be left out.
func (p Prop) word() string {
	value := pvalueText(p.Value)
	if value == "" || !writable(p.Type) || !writable(p.Name) {
		return ""
	}
	word := strings.ToLower(p.Type+"."+p.Name) + "=" + value
	if len("\t")+len(word)+len(";") > maxLineOctets {
		return ""
	}
	return word
}

func writable(word string) bool { return len(word) <= MaxKeyword && keyword(word) }

// writer puts words on lines.
type writer struct {
	text   strings.Builder
	column int
	inside bool // the line has a word already
}

func (w *writer) line() {
	w.text.WriteString(fold)
	w.column, w.inside = foldColumns, false
}

// word writes a word after a blank, or after a fold where it and the ";" that
// may follow would pass the wished columns.
func (w *writer) word(word string) {
	if w.inside && w.column+len(" ")+len(word)+len(";") > wishedColumns {
		w.line()
	}
	if w.inside {
		w.text.WriteByte(' ')
		w.column++
	}
	w.text.WriteString(word)
	w.column += len(word)
	w.inside = true
}
