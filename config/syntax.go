package config

import (
	"errors"
	"sort"
	"strings"

	"github.com/pelletier/go-toml/v2"
	"github.com/pelletier/go-toml/v2/unstable"
)

// checkSyntax reports where the walk had to stop because the text is not TOML,
// and returns whether the walk saw the whole of it.
func (r *reader) checkSyntax() (whole bool) {
	var bad *unstable.ParserError
	if errors.As(r.parser.Error(), &bad) {
		at := r.parser.Shape(r.parser.Range(bad.Highlight)).Start
		r.reportSyntax(at.Line, at.Column, bad.Message)
		return false
	}
	// The parser does not compare what it reads with what it has read. The
	// walk knows most of what TOML forbids there; the library has the last
	// word. It is asked only where the walk found nothing: then no table has
	// more names than ours, and time does not grow with their square.
	if len(r.problems) > 0 {
		return !r.full()
	}
	var tree map[string]any
	err := toml.Unmarshal(r.text, &tree)
	var wrong *toml.DecodeError
	if errors.As(err, &wrong) {
		line, column := wrong.Position()
		r.reportSyntax(line, column, strings.TrimPrefix(wrong.Error(), "toml: "))
	} else if err != nil {
		r.report(0, "", err)
	}
	return err == nil
}

func (r *reader) reportSyntax(line, column int, message string) {
	bad := faultf("column %d: %s", column, message)
	for _, quotes := range []string{"strings must be quoted", "at start of value", "expected keyword"} {
		if strings.Contains(message, quotes) {
			bad = bad.hinted(`write text and durations in quotes, such as "3s"`)
		}
	}
	r.report(line, "", bad)
}

// lineOf is the line on which a node begins, or that of what it is part of
// where the library does not say: for a list within a list.
func (r *reader) lineOf(n *unstable.Node, outer int) int {
	if n.Kind == unstable.Table || n.Kind == unstable.ArrayTable {
		n = n.Child() // headers have no position, their first name has
	}
	if n.Raw.Length == 0 {
		return outer
	}
	before := sort.SearchInts(r.newlines, int(n.Raw.Offset))
	return before + 1
}

// newlinesOf returns the offsets of the line feeds in text.
func newlinesOf(text []byte) []int {
	var offsets []int
	for i, c := range text {
		if c == '\n' {
			offsets = append(offsets, i)
		}
	}
	return offsets
}

// maxKey is where a key from the file is cut off, in bytes; ours are shorter.
const maxKey = 100

// keyOf is the full name of what a header or pair sets below parent. Names
// that need quotes keep them, so that "a.b" is not taken for a.b.
func keyOf(parent string, n *unstable.Node) string {
	key := parent
	for it := n.Key(); it.Next() && len(key) <= maxKey; {
		name := string(it.Node().Data)
		if !isBare(name) {
			name = quoted(name)
		}
		key = join(key, name)
	}
	return clipped(key, maxKey)
}

func isBare(name string) bool {
	for i := range len(name) {
		c := name[i] | 0x20 // small letters
		if (c < 'a' || c > 'z') && (name[i] < '0' || name[i] > '9') && name[i] != '-' && name[i] != '_' {
			return false
		}
	}
	return name != ""
}
