package filter

import (
	"fmt"
	"slices"
	"strings"

	"github.com/emersion/go-milter"

	"assay/policy"
	"assay/verify"
	"assay/verify/authres"
	"assay/verify/message"
)

// The fields we write. Received ones are removed where others would take them
// for ours.
const (
	resultsField     = "Authentication-Results"
	dispositionField = "X-Assay-Disposition"
)

// edits makes the header changes of one message. Nothing is written but at its
// end.
type edits struct {
	settings *Settings
	header   message.Header
	conn     *conn
}

// write removes the fields that claim to be ours and puts ours on top. tag is
// the value of the disposition field, "" for none; own is the field of a rule.
func (e edits) write(results []authres.Result, tag string, own message.Field) {
	forged := func(f message.Field) bool {
		return f.Is(resultsField) && e.settings.id.Claimed(f.Value) || e.ours(f)
	}
	e.remove(forged)
	if own.Name != "" {
		e.insert(own.Name, own.Value)
	}
	if tag != "" {
		e.insert(dispositionField, tag)
	}
	// RFC 8601 §4: a trace field, above everything else.
	e.insert(resultsField, value(e.settings.ID, results))
}

// ours reports whether a field is one that only we write, or a rule of ours.
func (e edits) ours(f message.Field) bool {
	return f.Is(dispositionField) || slices.ContainsFunc(e.settings.headers, f.Is)
}

// Results returns the value of the field that is written about a message:
// what was found, and in its comments what was done.
func Results(authservID string, f verify.Findings, v policy.Verdict) string {
	return value(authservID, f.Results(done(v)))
}

// done is what the comment of the DMARC result says about the verdict.
func done(v policy.Verdict) string {
	if v.Note == "" || v.Override == "" {
		return string(v.Disposition)
	}
	return string(v.Disposition) + " " + v.Note
}

func value(authservID string, results []authres.Result) string {
	return authres.Field{AuthservID: authservID, Results: results}.Value()
}

// removeAll removes every results field, ours or not: it asks nothing of the
// code that may have failed.
func (e edits) removeAll() {
	e.remove(func(f message.Field) bool { return f.Is(resultsField) || e.ours(f) })
}

// remove deletes fields from the last to the first. Postfix renumbers the
// fields of a name after each deletion and Sendmail does not: only this order
// is right for both.
func (e edits) remove(unwanted func(message.Field) bool) {
	var left map[string]int // fields of each name up to this one, once one is unwanted
	for i, f := range slices.Backward(e.header) {
		if left == nil {
			if !unwanted(f) {
				continue
			}
			left = make(map[string]int)
			for _, f := range e.header[:i+1] {
				left[lower(f.Name)]++
			}
		}
		name := lower(f.Name)
		if unwanted(f) {
			e.conn.deleteField(left[name], f.Name)
		}
		left[name]--
	}
}

// lower is a field name in the form in which the MTAs compare names: of ASCII
// letters only is the case ignored. To Unicode "AuthentİcatIon" may be the same
// word, and counting it would make the index of a forged field wrong.
func lower(name string) string {
	return strings.Map(func(r rune) rune {
		if 'A' <= r && r <= 'Z' {
			r += 'a' - 'A'
		}
		return r
	}, name)
}

// insert puts a field above all others, the MTA's own Received included.
func (e edits) insert(name, value string) {
	if e.conn.agreed.has(milter.OptHeaderLeadingSpace) {
		value = " " + value // the MTA adds none then
	}
	e.conn.insertField(0, name, value)
}

// tag is the value of the field that filters file by; "" when the message is
// not tagged.
func (e edits) tag(v policy.Verdict, f verify.Findings) string {
	if v.Action != policy.Tag && v.Action != policy.Hold {
		return ""
	}
	words := fmt.Sprintf("%s; dmarc=%s", v.Action, f.DMARC.Result)
	if f.DMARC.Requested != "" {
		words += " requested=" + string(f.DMARC.Requested)
	}
	if author := f.AuthorDomain(); !author.IsZero() {
		words += "\n\tauthor=" + author.String()
	}
	return words
}
