package main

import (
	"cmp"
	"slices"
	"strings"
)

// excerptWidth is how many columns of a record stand on one line, and
// recordLines how many such lines are shown.
const (
	excerptWidth = 76
	recordLines  = 24
)

// caret is something to say about an octet of a text.
type caret struct {
	at   int
	text string
}

// record adds the text of a record, and the excerpts that the carets are about.
func (p *page) record(indent int, text string, carets ...caret) {
	text = visible(text)
	above := ""
	for i, l := range wrap(text, excerptWidth) {
		if i == recordLines {
			p.line(indent, "… of %d octets", len(text))
			break
		}
		p.line(indent, "%s", l)
		above = l
	}
	slices.SortStableFunc(carets, func(a, b caret) int { return cmp.Compare(a.at, b.at) })
	for _, c := range carets {
		shown, column := excerpt(text, c.at, excerptWidth)
		if shown != above {
			p.line(indent, "%s", shown)
		}
		p.line(indent+column, "^ %s", c.text)
		above = shown
	}
}

// visible makes each octet of a stranger's text one column.
func visible(text string) string {
	columns := []byte(text)
	for i, c := range columns {
		if c < ' ' || c > '~' {
			columns[i] = '?'
		}
	}
	return string(columns)
}

// wrap breaks text into lines of at most width columns, behind a blank where the
// line would not become much shorter.
func wrap(text string, width int) []string {
	var lines []string
	for len(text) > width {
		cut := strings.LastIndexByte(text[:width], ' ') + 1
		if cut < width/2 {
			cut = width
		}
		lines = append(lines, text[:cut])
		text = text[cut:]
	}
	return append(lines, text)
}

// excerpt returns the part of text around an octet, at most width columns and
// two more that show where text was cut, and the column of that octet.
func excerpt(text string, at, width int) (shown string, column int) {
	at = max(0, min(at, len(text)))
	if len(text) <= width {
		return text, at
	}
	start := min(max(0, at-width*2/3), len(text)-width)
	shown, column = text[start:start+width], at-start
	if start > 0 {
		shown, column = "…"+shown, column+1
	}
	if start+width < len(text) {
		shown += "…"
	}
	return shown, column
}
