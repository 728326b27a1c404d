package config

import (
	"reflect"
	"strings"
	"time"
	"unicode/utf8"

	"assay/verify/domain"
)

// preamble begins the reference file.
const preamble = `# assay.toml: every setting of assay, with its default and what it is for.
# What is commented out shows a default; a file may leave out all of it.
# A duration has a unit: ms, s, m, h or d. An unknown name is an error, so ask
# "assay config check" before a reload.

`

// descriptionColumn is where the sentences begin, unless a value is longer.
const descriptionColumn = 44

// Describe is the annotated reference file: every setting with its default,
// limits and one sentence. It is a file that [Parse] accepts, and says nothing
// but the defaults.
func Describe() string {
	example := Default("mx.example.org")
	example.Exceptions = []Exception{{
		AuthorDomain: domain.MustParse("partner.example"),
		Action:       Accept,
		Reason:       "their gateway breaks signatures, ticket 4711",
		Owner:        "ops@example.org",
		Until:        time.Date(2027, time.March, 1, 0, 0, 0, 0, time.UTC),
	}}

	var b strings.Builder
	b.WriteString(preamble)
	top := reflect.ValueOf(example)
	for _, s := range settingsOf(top.Type(), "") {
		value := top.Field(s.field)
		inner := s.section()
		if inner == nil {
			describe(&b, s, value)
			continue
		}
		b.WriteByte('\n')
		if s.isList() {
			value = value.Index(0)
			writeDescribed(&b, "# "+s.header(), s.says)
		} else {
			writeDescribed(&b, s.header(), s.says)
		}
		for _, s := range settingsOf(inner, s.key) {
			describe(&b, s, value.Field(s.field))
		}
	}
	return b.String()
}

// describe writes the line of one value.
func describe(b *strings.Builder, s setting, value reflect.Value) {
	line := s.name + " = " + s.encode(value)
	if !s.shown {
		line = "# " + line
	}
	says := s.says
	if s.oneOf != nil {
		says += ": " + strings.Join(s.oneOf, " | ")
	}
	if s.low != "" {
		says += " (" + s.low + " to " + s.high + ")"
	}
	writeDescribed(b, line, says)
}

func writeDescribed(b *strings.Builder, line, says string) {
	blanks := max(1, descriptionColumn-1-utf8.RuneCountInString(line))
	b.WriteString(line + strings.Repeat(" ", blanks) + "# " + says + "\n")
}
