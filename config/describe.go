package config

import (
	"net/netip"
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
	example.Exceptions = []Exception{exampleException()}
	example.Rules = []Rule{exampleRule()}
	example.Forwarders = []Forwarder{exampleForwarder()}

	var b strings.Builder
	b.WriteString(preamble)
	top := reflect.ValueOf(example)
	for _, s := range settingsOf(top.Type(), "") {
		value := top.FieldByIndex(s.field)
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
		for _, in := range settingsOf(inner, s.key) {
			if set := value.FieldByIndex(in.field); !in.promoted || !set.IsZero() {
				describe(&b, in, set)
			}
		}
	}
	return b.String()
}

// exampleException is the exception that the reference file shows.
func exampleException() Exception {
	return Exception{
		Match:  Match{AuthorDomain: []domain.Pattern{{Name: domain.MustParse("partner.example")}}},
		Action: Accept,
		Reason: "their gateway breaks signatures, ticket 4711",
		Owner:  "ops@example.org",
		Until:  time.Date(2027, time.March, 1, 0, 0, 0, 0, time.UTC),
	}
}

// exampleForwarder is the forwarder that the reference file shows.
func exampleForwarder() Forwarder {
	return Forwarder{
		Name:            "alumni",
		Networks:        []netip.Prefix{netip.MustParsePrefix("203.0.113.0/28")},
		ClientName:      []domain.Pattern{{Name: domain.MustParse("fwd.example.edu")}},
		RecipientDomain: []domain.Pattern{{Name: domain.MustParse("example.org")}},
		ReceivedFrom:    true,
	}
}

// exampleRule says something about every condition.
func exampleRule() Rule {
	below := func(name string) []domain.Pattern {
		return []domain.Pattern{{Name: domain.MustParse(name)}, {Name: domain.MustParse(name), Below: true}}
	}
	return Rule{
		Name: "unsigned-bank",
		Match: Match{
			Networks:       []netip.Prefix{netip.MustParsePrefix("198.51.100.0/24")},
			ClientName:     below("dynamic.example.net")[1:],
			Helo:           below("example.net"),
			EnvelopeSender: below("example.net"),
			AuthorDomain:   below("bank.example"),
			Recipient:      []Recipient{{Mailbox: "boss@example.org"}, {Domain: below("example.com")[0]}},
			SPF:            []Word{"fail", "softfail"},
			DKIM:           []Word{"none", "fail"},
			ARC:            []Word{"none", "fail"},
			DMARC:          []Word{"none", "fail"},
			Requested:      []Word{"none"},
			SDID:           below("bulk.example")[:1],
			Author:         []Word{"valid"},
			TLS:            No,
			Authenticated:  No,
		},
		Action:  Reject,
		Reply:   Reply{Code: 550, Enhanced: "5.7.20", Lines: []string{"This bank signs all of its mail"}},
		Header:  HeaderField{"X-Suspect", "bank"},
		Percent: 10,
		Reason:  "phishing wave, ticket 4712",
	}
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
