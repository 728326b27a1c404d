package config

import (
	"cmp"
	"reflect"
	"slices"
	"strings"

	"github.com/pelletier/go-toml/v2/unstable"
)

// MaxProblems is how many problems of one file are reported; then a last one
// says that reading stopped.
const MaxProblems = 100

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
