package config

import (
	"sort"
	"unicode/utf8"

	"github.com/pelletier/go-toml/v2/unstable"
)

// place is where something stands in the configuration: its offset in bytes,
// counted from 1; 0 is the file as a whole. Line and column are made of it only
// for what is reported, because to count columns takes time on a long line.
type place int

// position is where an item of a list stands.
type position struct {
	place               // in the configuration
	file         string // the list file it comes from; "" for none
	line, column int    // there
}

// placeOf is where a node begins. Where the library does not say, for a list
// within a list, it is that of the first thing inside, and without one outer.
func placeOf(n *unstable.Node, outer place) place {
	for n.Raw.Length == 0 { // headers have no position either, their names have
		if n = n.Child(); n == nil {
			return outer
		}
	}
	return place(n.Raw.Offset) + 1
}

// placeOfValue is where the value of "key = value" begins.
func (r *reader) placeOfValue(e *unstable.Node) place {
	if e.Value().Raw.Length > 0 {
		return placeOf(e.Value(), 0)
	}
	var name *unstable.Node
	for it := e.Key(); it.Next(); {
		name = it.Node()
	}
	at := int(name.Raw.Offset + name.Raw.Length)
	for r.text[at] == ' ' || r.text[at] == '\t' || r.text[at] == '=' {
		at++
	}
	return place(at) + 1
}

// lineOf is the line of a place, 0 for the file as a whole.
func (r *reader) lineOf(at place) int {
	if at == 0 {
		return 0
	}
	return sort.SearchInts(r.newlines, int(at)-1) + 1
}

// columnOf is the column of a place, in characters.
func (r *reader) columnOf(at place) int {
	line := r.lineOf(at)
	if line == 0 {
		return 0
	}
	return utf8.RuneCount(r.text[r.startOf(line):at-1]) + 1
}

// startOf is the offset of the first byte of a line.
func (r *reader) startOf(line int) int {
	if line < 2 {
		return 0
	}
	return r.newlines[line-2] + 1
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
