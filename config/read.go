package config

import (
	"cmp"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/pelletier/go-toml/v2/unstable"
)

// MaxProblems is how many problems of one file are reported; then a last one
// says that reading stopped.
const MaxProblems = 100

// MaxSections is how many [[sections]] one file may have, of all kinds
// together. What is large goes into lists.
const MaxSections = 10_000

// reader carries one reading of a file: it walks over the TOML expressions in
// their order and sets what each names in the Config behind top.
type reader struct {
	file      string
	lists     opener // of list files; nil where none is to be read
	shadow    opener // of the policy to try; the same
	next      []byte // the text of that policy; nil where it was not read
	listBytes int    // of all list files so far
	cfg       *Config
	text      []byte
	newlines  []int // offsets of the line feeds in text
	parser    unstable.Parser
	reference string // where all settings are explained
	known     map[string]setting
	top       *section
	sections  map[string]*section // those of which there is one, by key
	listed    []*section          // those that are written [[key]]
	crowded   bool                // there are more of them
	problems  Problems
}

// section is a struct of the configuration while it is being filled.
type section struct {
	key    string
	id     string           // the key, of a list with the number of the section
	at     place            // its name, or the brace that begins it
	value  reflect.Value    // the struct, settable
	values map[string]place // of its settings, by key
}

// newReader returns a reader of text into the struct that top points to.
func newReader(file string, text []byte, top any) *reader {
	value := reflect.ValueOf(top).Elem()
	return &reader{
		file: file,
		// The library finds positions by capacity; it is to be the length.
		text:     slices.Clip(text),
		newlines: newlinesOf(text),
		known:    allSettings(value.Type()),
		top:      &section{value: value, values: map[string]place{}},
		sections: map[string]*section{},
	}
}

// read reads the file and returns what is wrong with it. relations reports what
// is right setting by setting and wrong together.
func (r *reader) read(relations func()) Problems {
	r.walk()
	// What is missing or contradicts itself cannot be told from a part.
	if r.checkSyntax() {
		r.checkMissing()
		relations()
	}
	full := r.full()
	slices.SortStableFunc(r.problems, Problem.compare)
	if full {
		last := r.problems[len(r.problems)-1].at
		r.problems = append(r.problems, Problem{
			File: r.file, Line: r.lineOf(last), Column: r.columnOf(last), Text: "too many problems; there may be more below",
		})
	}
	return r.problems
}

// compare tells which of two problems comes first.
func (p Problem) compare(q Problem) int {
	return cmp.Or(int(p.at-q.at), strings.Compare(p.File, q.File), p.Line-q.Line, p.Column-q.Column)
}

// report adds a problem; err may carry a hint.
func (r *reader) report(at place, key string, err error) {
	r.reportAt(position{place: at}, key, err)
}

// reportAt adds a problem of what may stand in a list file.
func (r *reader) reportAt(at position, key string, err error) {
	if r.full() {
		return
	}
	p := Problem{File: r.file, Key: key, Text: err.Error(), Hint: hintOf(err), at: at.place}
	if at.file != "" {
		p.File, p.Line, p.Column = at.file, at.line, at.column
	} else {
		p.Line, p.Column = r.lineOf(at.place), r.columnOf(at.place)
	}
	r.problems = append(r.problems, p)
}

func (r *reader) full() bool { return len(r.problems) == MaxProblems }

// walk visits every expression up to the first syntax error, or too much of
// something.
func (r *reader) walk() {
	r.parser.Reset(r.text)
	current := r.top
	for !r.full() && !r.crowded && r.parser.NextExpression() {
		e := r.parser.Expression()
		if e.Kind == unstable.KeyValue {
			r.pair(current, e)
		} else {
			current = r.begin(e, placeOf(e, 0))
		}
	}
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

// pair sets what "key = value" says in the section in; nil is one that is
// skipped.
func (r *reader) pair(in *section, e *unstable.Node) {
	if in == nil {
		return
	}
	at, key := placeOf(e, 0), keyOf(in.key, e)
	s, ok := r.known[key]
	if !ok {
		r.report(at, key, r.unknown("setting", key))
		return
	}
	if s.section() != nil {
		r.inline(s, e, at)
		return
	}
	if parent := strings.TrimSuffix(key, "."+s.name); parent != key && parent != in.key {
		outer := r.known[parent]
		if outer.isList() {
			r.report(at, key, faultf("outside of a section").hinted("write %s above it", outer.header()))
			return
		}
		in = r.enter(outer, at)
	}
	if before, said := in.values[key]; said {
		r.report(at, key, faultf("set before, on line %d", r.lineOf(before)).hinted("keep one of the two"))
		return
	}
	in.values[key] = r.placeOfValue(e)
	r.set(s, in, e.Value(), in.values[key])
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

// set reads value into the field of the setting s in a section.
func (r *reader) set(s setting, in *section, value *unstable.Node, at place) {
	fresh := reflect.New(s.typ).Elem()
	var err error
	if !s.isList() {
		err = decode(value, fresh.Addr().Interface())
		if path, ok := fresh.Addr().Interface().(*Path); ok {
			*path = Path(r.absolute(string(*path)))
		}
		if err == nil && s.key == "policy.shadow.file" {
			err = r.readShadow(fresh.String())
		}
	} else if !r.setList(s, in, fresh, value, at) {
		return
	}
	if err == nil {
		err = s.check(fresh)
	}
	if err != nil {
		r.report(itemPlace(err, value, at), s.key, err)
		return
	}
	in.value.FieldByIndex(s.field).Set(fresh)
}

// unknown is the fault of a name we do not have.
func (r *reader) unknown(what, key string) error {
	bad := faultf("unknown %s", what)
	var names []string
	for _, s := range r.known {
		if (s.section() != nil) == (what == "section") {
			names = append(names, s.key)
		}
	}
	slices.Sort(names) // so that of two equally near the same one is named
	near := nearest(key, names)
	switch {
	case near == "":
		return bad.hinted("%s", r.reference)
	case what == "section":
		return bad.hinted("did you mean %s?", r.known[near].header())
	}
	return bad.hinted("did you mean %s?", near)
}
