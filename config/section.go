package config

import (
	"reflect"
	"strconv"

	"github.com/pelletier/go-toml/v2/unstable"
)

// MaxSections is how many [[sections]] one file may have, of all kinds
// together. What is large goes into lists.
const MaxSections = 10_000

// section is a struct of the configuration while it is being filled.
type section struct {
	key    string
	id     string           // the key, of a list with the number of the section
	at     place            // its name, or the brace that begins it
	value  reflect.Value    // the struct, settable
	values map[string]place // of its settings, by key
}

// begin returns the section that the header e begins, nil when there is none
// of that name; what stands below it is then skipped.
func (r *reader) begin(e *unstable.Node, at place) *section {
	key := keyOf("", e)
	s, ok := r.known[key]
	switch {
	case !ok:
		r.report(at, key, r.unknown("section", key))
	case s.section() == nil:
		r.report(at, key, faultf("a section, not a setting").hinted("write %s = … without brackets", s.name))
	default:
		if s.isList() != (e.Kind == unstable.ArrayTable) {
			r.report(at, key, faultf("wrong number of brackets").hinted("write %s", s.header()))
		}
		if s.isList() {
			return r.add(s, at)
		}
		return r.enterOnce(s, at)
	}
	return nil
}

// enter returns the one section s, which may be written in several places.
func (r *reader) enter(s setting, at place) *section {
	if r.sections[s.key] == nil {
		r.sections[s.key] = &section{s.key, s.key, at, r.top.value.FieldByIndex(s.field), map[string]place{}}
	}
	return r.sections[s.key]
}

// enterOnce is enter for a header or inline table, of which TOML permits one.
func (r *reader) enterOnce(s setting, at place) *section {
	if before := r.sections[s.key]; before != nil {
		r.report(at, s.key, faultf("begun before, on line %d", r.lineOf(before.at)).
			hinted("write the settings of both below one %s", s.header()))
	}
	return r.enter(s, at)
}

// add appends a section to the list s; nil where there are too many. The value
// of the one before must not be set any more: it may have been moved.
func (r *reader) add(s setting, at place) *section {
	if len(r.listed) == MaxSections {
		if !r.crowded {
			r.report(at, s.key, faultf("more than %d sections", MaxSections))
		}
		r.crowded = true
		return nil
	}
	list := r.top.value.FieldByIndex(s.field)
	list.Set(reflect.Append(list, s.fresh()))
	n := list.Len() - 1
	added := &section{s.key, nthKey(s.key, n), at, list.Index(n), map[string]place{}}
	r.listed = append(r.listed, added)
	return added
}

// nthKey is the key of section n, from 0, in a list of them.
func nthKey(key string, n int) string { return key + "[" + strconv.Itoa(n) + "]" }

// inline reads a section written as key = { … }, or a list of them. The key is
// at that place.
func (r *reader) inline(s setting, e *unstable.Node, at place) {
	value, begins := e.Value(), r.placeOfValue(e)
	switch {
	case value.Kind == unstable.InlineTable && !s.isList():
		r.pairs(r.enterOnce(s, at), value)
	case value.Kind == unstable.Array && s.isList():
		for it := value.Children(); it.Next(); {
			n := it.Node()
			if n.Kind == unstable.InlineTable {
				r.pairs(r.add(s, placeOf(n, begins)), n)
			} else {
				r.report(placeOf(n, begins), s.key, wrongType(n, "a section").hinted("write %s", s.header()))
			}
		}
	default:
		r.report(begins, s.key, wrongType(value, "a section").hinted("write %s", s.header()))
	}
}

func (r *reader) pairs(in *section, table *unstable.Node) {
	for it := table.Children(); it.Next(); {
		r.pair(in, it.Node())
	}
}
