package config

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// Problem is one thing wrong with a file.
type Problem struct {
	File string
	// Line and Column are where to look, counted from 1; both are 0 when it is
	// about the file as a whole, Column where it is about a whole line. As in editors, columns are characters (code
	// points, not bytes), and a tab is one. A value that is wrong is pointed at
	// where it begins, an item of a list too; a key or section that may not be
	// there, at its name; what a section lacks, at the name in its header.
	Line, Column int
	Key          string // "dns.timeout"; "" when no setting is concerned
	Text         string // what is wrong
	Hint         string // what to write instead; "" when we cannot know

	at place // in the configuration, where the problem is in a list that it names
}

// Error is the problem in one line, without the hint:
// `/etc/assay/assay.toml:14:11: dns.timeout: "3" has no unit`.
func (p Problem) Error() string {
	text := p.File
	if p.Line > 0 {
		text += ":" + strconv.Itoa(p.Line)
	}
	if p.Column > 0 {
		text += ":" + strconv.Itoa(p.Column)
	}
	if p.Key != "" {
		text += ": " + p.Key
	}
	return text + ": " + p.Text
}

// Problems is everything wrong with one file and the lists that it names, in
// the order of its lines, and then with the policy that it is to try.
type Problems []Problem

// Error is one line for each problem, without hints.
func (ps Problems) Error() string {
	lines := make([]string, len(ps))
	for i, p := range ps {
		lines[i] = p.Error()
	}
	return strings.Join(lines, "\n")
}

// fault says why one value is refused, before it is known where it stands.
type fault struct {
	text, hint string
	item       int // of the list that the value is, counted from 1; 0 for all of it
}

// Error is the text; the hint is told separately.
func (f *fault) Error() string { return f.text }

// faultf makes a fault without a hint; hinted adds one.
func faultf(format string, args ...any) *fault {
	return &fault{text: fmt.Sprintf(format, args...)}
}

func (f *fault) hinted(format string, args ...any) *fault {
	return &fault{f.text, fmt.Sprintf(format, args...), f.item}
}

// ofItem says which item of a list the fault is, counted from 1.
func (f *fault) ofItem(n int) *fault {
	return &fault{f.text, f.hint, n}
}

func hintOf(err error) string {
	var f *fault
	if errors.As(err, &f) {
		return f.hint
	}
	return ""
}

// maxQuoted is how many bytes of a refused value are repeated in a message.
const maxQuoted = 60

// quoted is a value from the file made fit for a message of one line.
func quoted(value string) string {
	if short := clipped(value, maxQuoted); short != value {
		return strconv.Quote(strings.TrimSuffix(short, "…")) + "…"
	}
	return strconv.Quote(value)
}

// clipped is text, or its first bytes and an ellipsis where it is longer than
// limit.
func clipped(text string, limit int) string {
	if len(text) <= limit {
		return text
	}
	return strings.ToValidUTF8(text[:limit], "") + "…"
}
