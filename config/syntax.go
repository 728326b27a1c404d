package config

import (
	"errors"
	"strings"

	"github.com/pelletier/go-toml/v2"
	"github.com/pelletier/go-toml/v2/unstable"
)

// checkSyntax reports where the walk had to stop because the text is not TOML,
// and returns whether the walk saw the whole of it.
func (r *reader) checkSyntax() (whole bool) {
	var bad *unstable.ParserError
	if errors.As(r.parser.Error(), &bad) {
		r.reportSyntax(place(r.parser.Range(bad.Highlight).Offset)+1, bad.Message)
		return false
	}
	// The parser does not compare what it reads with what it has read. The
	// walk knows most of what TOML forbids there; the library has the last
	// word. It is asked only where the walk found nothing: then no table has
	// more names than ours, and time does not grow with their square.
	if len(r.problems) > 0 {
		return !r.full() && !r.crowded
	}
	var tree map[string]any
	err := toml.Unmarshal(r.text, &tree)
	var wrong *toml.DecodeError
	if errors.As(err, &wrong) {
		line, column := wrong.Position() // counted in bytes
		r.reportSyntax(place(r.startOf(line)+column), strings.TrimPrefix(wrong.Error(), "toml: "))
	} else if err != nil {
		r.report(0, "", err)
	}
	return err == nil
}

func (r *reader) reportSyntax(at place, message string) {
	bad := faultf("%s", message)
	for _, quotes := range []string{"strings must be quoted", "at start of value", "expected keyword"} {
		if strings.Contains(message, quotes) {
			bad = bad.hinted(`write text and durations in quotes, such as "3s"`)
		}
	}
	if strings.Contains(message, "cannot have new lines") {
		bad = bad.hinted("close the quotes on the same line")
	}
	if bad.hint == "" && int(at) >= len(r.text) {
		bad = bad.hinted("the file ends here: is all of it there?")
	}
	r.report(at, "", bad)
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
