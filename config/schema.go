package config

import (
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
)

// setting is one field of the structs in config.go with what its tags say: a
// value, a section ([dns]) or a list of sections ([[exception]]).
type setting struct {
	key       string // "dns.timeout"
	name      string // "timeout"
	says      string
	field     []int // its index in the struct that holds it
	typ       reflect.Type
	oneOf     []string
	low, high string // "" where there is no range
	required  bool
	unique    bool
	lone      bool
	shown     bool
	preset    string    // the value where a section of a list is silent; "" for the zero value
	promoted  bool      // it stands in a struct that several sections have in common
	inner     []setting // those of a section
}

// settingsOf returns the settings directly in the struct typ, whose own key
// is parent, in the order of the file.
func settingsOf(typ reflect.Type, parent string) []setting {
	var settings []setting
	for _, f := range reflect.VisibleFields(typ) {
		s := setting{name: f.Tag.Get("key"), says: f.Tag.Get("says"), field: f.Index, typ: f.Type}
		if s.name == "" {
			continue // of our own, or the settings that are in it
		}
		s.preset, s.promoted = f.Tag.Get("preset"), len(f.Index) > 1
		s.key = join(parent, s.name)
		s.low, s.high, _ = strings.Cut(f.Tag.Get("range"), "..")
		if words := f.Tag.Get("oneof"); words != "" {
			s.oneOf = strings.Split(words, "|")
		}
		is := strings.Split(f.Tag.Get("is"), ",")
		s.required = slices.Contains(is, "required")
		s.unique = slices.Contains(is, "unique")
		s.lone = slices.Contains(is, "lone")
		s.shown = slices.Contains(is, "shown")
		settings = append(settings, s)
	}
	return settings
}

// allSettings returns every setting and section of a file by its key; top is the
// struct that it is read into.
func allSettings(top reflect.Type) map[string]setting {
	all := map[string]setting{}
	for _, s := range settingsOf(top, "") {
		if typ := s.section(); typ != nil {
			s.inner = settingsOf(typ, s.key)
			for _, in := range s.inner {
				all[in.key] = in
			}
		}
		all[s.key] = s
	}
	return all
}

func join(parent, name string) string {
	if parent == "" {
		return name
	}
	return parent + "." + name
}

// section returns the struct behind a section or a list of them, nil for a
// value. Sections are the structs whose fields have a key.
func (s setting) section() reflect.Type {
	typ := s.typ
	if s.isList() {
		typ = typ.Elem()
	}
	if typ.Kind() != reflect.Struct || typ.NumField() == 0 {
		return nil
	}
	if first := typ.Field(0); first.Anonymous || first.Tag.Get("key") != "" {
		return typ
	}
	return nil
}

func (s setting) isList() bool { return s.typ.Kind() == reflect.Slice }

// header is the line that begins the section.
func (s setting) header() string {
	if s.isList() {
		return "[[" + s.key + "]]"
	}
	return "[" + s.key + "]"
}

// check says why a value that has the right type is refused all the same.
func (s setting) check(value reflect.Value) error {
	if s.required && (value.IsZero() || s.isList() && value.Len() == 0) {
		return faultf("is empty")
	}
	if !s.isList() {
		if err := s.checkWord(value); err != nil {
			return err
		}
	}
	if s.low != "" && (value.Int() < s.bound(s.low) || value.Int() > s.bound(s.high)) {
		return faultf("%s is out of range", encode(value)).hinted("write a value from %s to %s", s.low, s.high)
	}
	return nil
}

// checkWord says why a value, or an item of a list, is none of the words.
func (s setting) checkWord(value reflect.Value) error {
	if s.oneOf == nil {
		return nil
	}
	return s.checkText(value.String())
}

func (s setting) checkText(text string) error {
	if slices.Contains(s.oneOf, text) {
		return nil
	}
	bad := faultf("%s is not one of %s", quoted(text), strings.Join(s.oneOf, ", "))
	if near := nearest(text, s.oneOf); near != "" {
		return bad.hinted(`did you mean "%s"?`, near)
	}
	return bad
}

// fresh is a section of a list before anything is set in it.
func (s setting) fresh() reflect.Value {
	value := reflect.New(s.section()).Elem()
	for _, in := range s.inner {
		if in.preset != "" {
			value.FieldByIndex(in.field).SetInt(in.bound(in.preset))
		}
	}
	return value
}

// silent reports whether value is what a section of a list has where it does
// not say the setting.
func (s setting) silent(value reflect.Value) bool {
	if s.preset != "" {
		return value.Int() == s.bound(s.preset)
	}
	return value.IsZero()
}

// bound reads one end of a range tag, in the type of the setting.
func (s setting) bound(text string) int64 {
	if s.typ == reflect.TypeFor[time.Duration]() {
		d, _ := parseDuration(text)
		return int64(d)
	}
	n, _ := strconv.ParseInt(text, 10, 64)
	return n
}
