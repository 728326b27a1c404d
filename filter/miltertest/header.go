package miltertest

import (
	"bytes"
	"slices"
	"strings"
)

// Field is one header field. Line ends inside Value are CRLF; Value begins
// with what follows the colon, blanks included, and has no final CRLF.
type Field struct {
	Name, Value string
}

// split takes a message apart as an MTA does: the first line that is neither
// a field nor its continuation begins the body, an empty one being dropped.
// Blanks before the colon are not part of the name.
func split(raw []byte) (header []Field, body []byte) {
	for len(raw) > 0 {
		line, rest := cutLine(raw)
		if len(line) == 0 {
			return header, rest
		}
		for len(rest) > 0 && blank(rest[0]) {
			_, rest = cutLine(rest)
		}
		name, value, found := strings.Cut(trimEnd(raw[:len(raw)-len(rest)]), ":")
		name = strings.TrimRight(name, " \t")
		if !found || name == "" || strings.ContainsFunc(name, notInFieldName) {
			return header, raw
		}
		header = append(header, Field{name, crlf(value)})
		raw = rest
	}
	return header, nil
}

// cutLine returns the first line without its end, CRLF or LF, and the rest.
func cutLine(raw []byte) (line, rest []byte) {
	line, rest, _ = bytes.Cut(raw, []byte{'\n'})
	return bytes.TrimSuffix(line, []byte{'\r'}), rest
}

func trimEnd(text []byte) string {
	return strings.TrimSuffix(strings.TrimSuffix(string(text), "\n"), "\r")
}

// crlf makes every line end CRLF.
func crlf(text string) string {
	if !strings.Contains(text, "\n") {
		return text
	}
	return strings.ReplaceAll(strings.ReplaceAll(text, "\r\n", "\n"), "\n", "\r\n")
}

// queued is the header of a message in the MTA's queue, on top the MTA's own
// Received field, which no filter is shown.
type queued struct {
	family Family
	fields []queuedField
}

type queuedField struct {
	Field
	own     bool // the MTA's Received
	deleted bool // LikeSendmail only
}

func newQueued(family Family, received Field, header []Field) *queued {
	q := &queued{family: family, fields: make([]queuedField, 0, len(header)+2)}
	q.fields = append(q.fields, queuedField{Field: received, own: true})
	for _, f := range header {
		q.fields = append(q.fields, queuedField{Field: f})
	}
	return q
}

// header returns what is delivered.
func (q *queued) header() []Field {
	header := make([]Field, 0, len(q.fields))
	for _, f := range q.fields {
		if !f.deleted {
			header = append(header, f.Field)
		}
	}
	return header
}

// put makes f the field at index i, or the last one.
func (q *queued) put(i int, f Field) {
	q.fields = slices.Insert(q.fields, min(i, len(q.fields)), queuedField{Field: f})
}

// insert counts every field in the queue, the MTA's own included: 0 is above
// it, 1 just below. Sendmail counts those it has deleted, too.
func (q *queued) insert(index uint32, f Field) {
	q.put(int(min(index, uint32(len(q.fields)))), f)
}

// add appends a field. Sendmail puts it above the first one of that name.
func (q *queued) add(f Field) {
	if q.family == LikeSendmail {
		for i := range q.fields {
			if strings.EqualFold(q.fields[i].Name, f.Name) {
				q.put(i, f)
				return
			}
		}
	}
	q.put(len(q.fields), f)
}

// change replaces the index-th field of that name; an empty value deletes it.
// One that does not exist is added, or its deletion ignored.
func (q *queued) change(index uint32, f Field, remove bool) {
	i := q.find(index, f.Name)
	switch {
	case i < 0 && remove:
	case i < 0:
		q.add(f)
	case remove && q.family == LikePostfix:
		q.fields = slices.Delete(q.fields, i, i+1)
	case remove:
		q.fields[i].deleted = true
	case q.family == LikePostfix:
		q.fields[i].Field = f
	default: // Sendmail keeps the spelling of the name; a deleted field is back
		q.fields[i].Value, q.fields[i].deleted = f.Value, false
	}
}

// find returns the place of the index-th field of that name, -1 for none.
// Postfix takes index 0 for 1 and never counts the topmost field, which is its
// own until something is inserted above it. Sendmail has no field 0, never
// counts its own, and counts the inserted and the deleted ones.
func (q *queued) find(index uint32, name string) int {
	if q.family == LikePostfix {
		index = max(index, 1)
	}
	for i, f := range q.fields {
		hidden := f.own
		if q.family == LikePostfix {
			hidden = i == 0
		}
		if hidden || index == 0 || !strings.EqualFold(f.Name, name) {
			continue
		}
		if index--; index == 0 {
			return i
		}
	}
	return -1
}
