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
	Line int    // counted from 1; 0 when it is about the file as a whole
	Key  string // "dns.timeout"; "" when no setting is concerned
	Text string // what is wrong
	Hint string // what to write instead; "" when we cannot know

	at int // the line of the configuration that brought it about, where it is of a list file
}

// Error is the problem in one line, without the hint:
// `/etc/assay/assay.toml:14: dns.timeout: "3" has no unit`.
func (p Problem) Error() string {
	text := p.File
	if p.Line > 0 {
		text += ":" + strconv.Itoa(p.Line)
	}
	if p.Key != "" {
		text += ": " + p.Key
	}
	return text + ": " + p.Text
}

// Problems is everything wrong with one file, in the order of its lines.
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
type fault struct{ text, hint string }

// Error is the text; the hint is told separately.
func (f *fault) Error() string { return f.text }

// faultf makes a fault without a hint; hinted adds one.
func faultf(format string, args ...any) *fault {
	return &fault{text: fmt.Sprintf(format, args...)}
}

func (f *fault) hinted(format string, args ...any) *fault {
	return &fault{f.text, fmt.Sprintf(format, args...)}
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
