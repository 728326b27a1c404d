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
		value := top.Field(s.field)
		if inner := s.section(); inner != nil && !s.isList() {
			for _, s := range settingsOf(inner, s.key) {
				shown = append(shown, Setting{s.key, s.encode(value.Field(s.field))})
			}
			continue
		}
		shown = append(shown, Setting{s.key, s.encode(value)})
	}
	return shown
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
	case domain.Name, netip.Prefix, netip.AddrPort, Mode, Action, AuthservID, string:
		return quoteTOML(fmt.Sprint(v))
	}
	if value.Kind() == reflect.Slice {
		items := make([]string, value.Len())
		for i := range items {
			items[i] = encode(value.Index(i))
		}
		return "[" + strings.Join(items, ", ") + "]"
	}
	return encodeTable(value)
}

// encodeTable writes an inline table, without what was left out.
func encodeTable(value reflect.Value) string {
	var pairs []string
	for _, s := range settingsOf(value.Type(), "") {
		if field := value.Field(s.field); !field.IsZero() {
			pairs = append(pairs, s.name+" = "+s.encode(field))
		}
	}
	return "{ " + strings.Join(pairs, ", ") + " }"
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
