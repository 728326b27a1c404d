package config

import (
	"fmt"
	"net/netip"
	"reflect"
	"strconv"
	"strings"
	"time"
	"unicode"

	"assay/verify/domain"
)

// Setting is one setting with its value as TOML text.
type Setting struct {
	Key   string // "dns.timeout"
	Value string // `"3s"`
}

// String is the setting as a line that could stand at the top of a file.
func (s Setting) String() string { return s.Key + " = " + s.Value }

// Show returns every setting in the order of the reference file. Their lines
// together are a file that reads back as c.
func (c Config) Show() []Setting {
	var shown []Setting
	top := reflect.ValueOf(c)
	for _, s := range settingsOf(top.Type(), "") {
		value := top.FieldByIndex(s.field)
		switch inner := s.section(); {
		case inner == nil:
			shown = append(shown, Setting{s.key, c.encode(s, value, s.key)})
		case s.isList():
			shown = append(shown, Setting{s.key, c.encodeSections(s, value)})
		default:
			for _, s := range settingsOf(inner, s.key) {
				shown = append(shown, Setting{s.key, c.encode(s, value.FieldByIndex(s.field), s.key)})
			}
		}
	}
	return shown
}

// encode is a value as TOML text, or as it was written where files are named.
// key is that of the setting, in a list of sections with a number.
func (c Config) encode(s setting, value reflect.Value, key string) string {
	if source, ok := c.sources[key]; ok {
		return source
	}
	return s.encode(value)
}

// encodeSections writes a list of sections as inline tables, without what was
// left out.
func (c Config) encodeSections(s setting, list reflect.Value) string {
	tables := make([]string, list.Len())
	inner := settingsOf(s.section(), s.key)
	for i := range tables {
		var pairs []string
		for _, in := range inner {
			if value := list.Index(i).FieldByIndex(in.field); !in.silent(value) {
				pairs = append(pairs, in.name+" = "+c.encode(in, value, join(nthKey(s.key, i), in.name)))
			}
		}
		tables[i] = "{ " + strings.Join(pairs, ", ") + " }"
	}
	return "[" + strings.Join(tables, ", ") + "]"
}

// Differences returns those settings of Show that are not the defaults on the
// host of that name.
func (c Config) Differences(hostname string) []Setting {
	defaults := Default(hostname).Show()
	var different []Setting
	for i, s := range c.Show() {
		if s != defaults[i] {
			different = append(different, s)
		}
	}
	return different
}

// encode is the value of the setting as TOML text.
func (s setting) encode(value reflect.Value) string {
	if s.lone && value.Len() == 1 {
		value = value.Index(0)
	}
	return encode(value)
}

// encode is the mirror of decode.
func encode(value reflect.Value) string {
	switch v := value.Interface().(type) {
	case bool:
		return strconv.FormatBool(v)
	case int:
		return strconv.Itoa(v)
	case time.Time:
		return formatTime(v)
	case time.Duration:
		return quoteTOML(formatDuration(v))
	case Address:
		return quoteTOML(v.text())
	case YesNo:
		return string(v)
	case Reply:
		if texts := v.texts(); len(texts) != 1 {
			return encode(reflect.ValueOf(texts))
		}
		return quoteTOML(v.texts()[0])
	case domain.Name, domain.Pattern, netip.Prefix, Server, StatusAddress, Mode, Action, AuthservID, Word, Path, Name, Recipient, HeaderField, string:
		return quoteTOML(fmt.Sprint(v))
	}
	items := make([]string, value.Len())
	for i := range items {
		items[i] = encode(value.Index(i))
	}
	return "[" + strings.Join(items, ", ") + "]"
}

// quoteTOML is text as a basic string of TOML.
func quoteTOML(text string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range text {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case unicode.IsControl(r):
			fmt.Fprintf(&b, `\u%04X`, r)
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String()
}
