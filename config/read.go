package config

import (
	"reflect"
	"slices"
	"strconv"
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
	open      func(path string) ([]byte, error) // of list files; nil where none is to be read
	cfg       *Config
	text      []byte
	newlines  []int // offsets of the line feeds in text
	parser    unstable.Parser
	reference string // where all settings are explained
	known     map[string]setting
	top       *section
	sections  map[string]*section // those of which there is one, by key
	listed    []*section          // those that are written [[key]]
	problems  Problems
}

// section is a struct of the configuration while it is being filled.
type section struct {
	key   string
	id    string         // the key, of a list with the number of the section
	line  int            // where it begins
	value reflect.Value  // the struct, settable
	lines map[string]int // where its settings stand, by key
}

// read sets in cfg what text says and returns what is wrong with it.
func read(file string, text []byte, open func(string) ([]byte, error), cfg *Config) Problems {
	r := newReader(file, text, cfg)
	r.open, r.cfg, r.reference = open, cfg, "assay config describe lists every setting"
	return r.read(func() { r.checkRelations(cfg) })
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
		top:      &section{value: value, lines: map[string]int{}},
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
	if r.full() {
		last := slices.MaxFunc(r.problems, func(a, b Problem) int { return a.at - b.at })
		r.problems = append(r.problems, Problem{Line: last.at, at: last.at, Text: "too many problems; there may be more below"})
	}
	return r.problems
}

// report adds a problem; err may carry a hint.
func (r *reader) report(line int, key string, err error) {
	r.reportAt(position{line: line}, key, err)
}

func (r *reader) full() bool { return len(r.problems) == MaxProblems }

// walk visits every expression up to the first syntax error.
func (r *reader) walk() {
	r.parser.Reset(r.text)
	current := r.top
	for !r.full() && r.parser.NextExpression() {
		e := r.parser.Expression()
		if e.Kind == unstable.KeyValue {
			r.pair(current, e)
		} else {
			current = r.begin(e, r.lineOf(e, 0))
		}
	}
}

// begin returns the section that the header e begins, nil when there is none
// of that name; what stands below it is then skipped.
func (r *reader) begin(e *unstable.Node, line int) *section {
	key := keyOf("", e)
	s, ok := r.known[key]
	switch {
	case !ok:
		r.report(line, key, r.unknown("section", key))
	case s.section() == nil:
		r.report(line, key, faultf("a section, not a setting").hinted("write %s = … without brackets", s.name))
	default:
		if s.isList() != (e.Kind == unstable.ArrayTable) {
			r.report(line, key, faultf("wrong number of brackets").hinted("write %s", s.header()))
		}
		if s.isList() {
			return r.add(s, line)
		}
		return r.enterOnce(s, line)
	}
	return nil
}

// enter returns the one section s, which may be written in several places.
func (r *reader) enter(s setting, line int) *section {
	if r.sections[s.key] == nil {
		r.sections[s.key] = &section{s.key, s.key, line, r.top.value.FieldByIndex(s.field), map[string]int{}}
	}
	return r.sections[s.key]
}

// enterOnce is enter for a header or inline table, of which TOML permits one.
func (r *reader) enterOnce(s setting, line int) *section {
	if before := r.sections[s.key]; before != nil {
		r.report(line, s.key, faultf("begun before, on line %d", before.line).
			hinted("write the settings of both below one %s", s.header()))
	}
	return r.enter(s, line)
}

// add appends a section to the list s. The value of the one before must not
// be set any more: it may have been moved.
func (r *reader) add(s setting, line int) *section {
	list := r.top.value.FieldByIndex(s.field)
	list.Set(reflect.Append(list, s.fresh()))
	at := list.Len() - 1
	added := &section{s.key, nthKey(s.key, at), line, list.Index(at), map[string]int{}}
	r.listed = append(r.listed, added)
	return added
}

// pair sets what "key = value" says in the section in; nil is an unknown one.
func (r *reader) pair(in *section, e *unstable.Node) {
	if in == nil {
		return
	}
	line, key := r.lineOf(e, 0), keyOf(in.key, e)
	s, ok := r.known[key]
	if !ok {
		r.report(line, key, r.unknown("setting", key))
		return
	}
	if s.section() != nil {
		r.inline(s, e.Value(), line)
		return
	}
	if parent := strings.TrimSuffix(key, "."+s.name); parent != key && parent != in.key {
		outer := r.known[parent]
		if outer.isList() {
			r.report(line, key, faultf("outside of a section").hinted("write %s above it", outer.header()))
			return
		}
		in = r.enter(outer, line)
	}
	if before, said := in.lines[key]; said {
		r.report(line, key, faultf("set before, on line %d", before).hinted("keep one of the two"))
		return
	}
	in.lines[key] = line
	r.set(s, in, e.Value(), line)
}

// nthKey is the key of section n, from 0, in a list of them.
func nthKey(key string, n int) string { return key + "[" + strconv.Itoa(n) + "]" }

// inline reads a section written as key = { … }, or a list of them.
func (r *reader) inline(s setting, value *unstable.Node, line int) {
	switch {
	case value.Kind == unstable.InlineTable && !s.isList():
		r.pairs(r.enterOnce(s, line), value)
	case value.Kind == unstable.Array && s.isList():
		for it := value.Children(); it.Next(); {
			n := it.Node()
			if n.Kind == unstable.InlineTable {
				r.pairs(r.add(s, r.lineOf(n, line)), n)
			} else {
				r.report(r.lineOf(n, line), s.key, wrongType(n, "a section").hinted("write %s", s.header()))
			}
		}
	default:
		r.report(line, s.key, wrongType(value, "a section").hinted("write %s", s.header()))
	}
}

func (r *reader) pairs(in *section, table *unstable.Node) {
	for it := table.Children(); it.Next(); {
		r.pair(in, it.Node())
	}
}

// set reads value into the field of the setting s in a section.
func (r *reader) set(s setting, in *section, value *unstable.Node, line int) {
	fresh := reflect.New(s.typ).Elem()
	var err error
	if !s.isList() {
		err = decode(value, fresh.Addr().Interface())
		if path, ok := fresh.Addr().Interface().(*Path); ok {
			*path = Path(r.absolute(string(*path)))
		}
	} else if !r.setList(s, in, fresh, value, line) {
		return
	}
	if err == nil {
		err = s.check(fresh)
	}
	if err != nil {
		r.report(line, s.key, err)
		return
	}
	in.value.FieldByIndex(s.field).Set(fresh)
}

// setList reads the items of a list into target. It reports each that is
// wrong, on its own line, and whether all are right.
func (r *reader) setList(s setting, in *section, target reflect.Value, value *unstable.Node, line int) (ok bool) {
	nodes, err := itemsOf(s, value)
	if err != nil {
		r.report(line, s.key, err)
		return false
	}
	items, fromFile, ok := r.expand(s, nodes, line)
	stated := map[any]bool{}
	if len(items) > 0 || s.promoted { // an empty condition was stated all the same
		target.Set(reflect.MakeSlice(s.typ, 0, len(items)))
	}
	one := reflect.New(s.typ.Elem())
	for _, it := range items {
		one.Elem().SetZero()
		err := decode(it.node, one.Interface())
		if err == nil {
			err = s.checkWord(one.Elem())
		}
		if err == nil && s.unique {
			if stated[one.Elem().Interface()] {
				err = faultf("%s is stated twice", encode(one.Elem()))
			}
			stated[one.Elem().Interface()] = true
		}
		if err != nil {
			r.reportAt(it.at, s.key, err)
			ok = false
			continue
		}
		target.Set(reflect.Append(target, one.Elem()))
	}
	if ok && fromFile {
		r.keepSource(s, in, nodes)
	}
	return ok && r.checkOverlap(s, target, items)
}

// keepSource remembers how a list was written that comes from files.
func (r *reader) keepSource(s setting, in *section, nodes []*unstable.Node) {
	words := make([]string, len(nodes))
	for i, n := range nodes {
		text := string(n.Data)
		if path, ok := strings.CutPrefix(text, filePrefix); ok {
			text = filePrefix + r.absolute(path)
		}
		words[i] = quoteTOML(text)
	}
	if r.cfg.sources == nil {
		r.cfg.sources = map[string]string{}
	}
	r.cfg.sources[join(in.id, s.name)] = "[" + strings.Join(words, ", ") + "]"
}

// itemsOf returns the items of a list, or the one that stands for a list.
func itemsOf(s setting, value *unstable.Node) ([]*unstable.Node, error) {
	switch {
	case value.Kind == unstable.Array:
		var items []*unstable.Node
		for it := value.Children(); it.Next(); {
			items = append(items, it.Node())
		}
		return items, nil
	case value.Kind == unstable.String && (s.lone || strings.HasPrefix(string(value.Data), filePrefix)):
		return []*unstable.Node{value}, nil
	case value.Kind == unstable.String && len(value.Data) <= maxQuoted:
		return nil, wrongType(value, "a list").hinted("write [%s]", quoteTOML(string(value.Data)))
	}
	return nil, wrongType(value, "a list").hinted(`write it in brackets, such as ["…"]`)
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
