package dnstest

import (
	"fmt"
	"strings"
	"testing"

	"assay/dnscache/zone"
	"github.com/miekg/dns"
)

// Parse returns the Zone of zone text: master-file lines (RFC 1035 §5) and
// failure lines. A relative name needs an $ORIGIN, the TTL is 300 s where none
// is stated, and ";" starts a comment. A failure line is "name SERVFAIL" for
// every type or "name TXT SERVFAIL" for one; the failures are SERVFAIL,
// REFUSED and TIMEOUT. Lines must not be indented, except those that go on
// with the owner of the line before, as master files have it.
func Parse(text string) (*Zone, error) {
	z := New()
	rest, err := z.parseFailures(text)
	if err != nil {
		return nil, err
	}
	if err := z.zone.Read(strings.NewReader(rest), ""); err != nil {
		return nil, fmt.Errorf("dnstest: %w", err)
	}
	return z, nil
}

// MustParse is Parse for a test, which ends where Parse fails.
func MustParse(t testing.TB, text string) *Zone {
	t.Helper()
	z, err := Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return z
}

// parseFailures takes the failure lines out of text and returns the rest, line
// for line, so that the line numbers in errors stay true.
func (z *Zone) parseFailures(text string) (rest string, err error) {
	lines := strings.Split(text, "\n")
	origin := ""
	for i, line := range lines {
		uncommented, _, _ := strings.Cut(line, ";")
		words := strings.Fields(uncommented)
		if len(words) == 2 && words[0] == "$ORIGIN" {
			origin = absolute(words[1], origin)
			continue
		}
		rrtype, failure, ok := failureLine(words)
		if !ok {
			continue
		}
		name := absolute(words[0], origin)
		if strings.TrimLeft(line, " \t") != line || !strings.HasSuffix(name, ".") {
			return "", fmt.Errorf("dnstest: line %d: a failure needs an absolute name: %q", i+1, line)
		}
		raw, ok := zone.Unescape(name)
		if _, known := dns.StringToType[rrtype]; !ok || rrtype != "" && !known {
			return "", fmt.Errorf("dnstest: line %d: bad name or type: %q", i+1, line)
		}
		z.Fail(raw, rrtype, failure)
		lines[i] = ""
	}
	return strings.Join(lines, "\n"), nil
}

// failureLine reads the words of a line after its name: an optional TTL and
// class, which do not matter, an optional type, and a failure.
func failureLine(words []string) (rrtype string, f Failure, ok bool) {
	if len(words) < 2 {
		return "", 0, false
	}
	last := len(words) - 1
	f, ok = failures[words[last]]
	if !ok {
		return "", 0, false
	}
	for _, word := range words[1:last] {
		switch {
		case word == "IN" || strings.Trim(word, "0123456789") == "":
		case rrtype == "":
			rrtype = word
		default:
			return "", 0, false
		}
	}
	return rrtype, f, true
}

// absolute applies the origin to a name of zone text.
func absolute(name, origin string) string {
	switch {
	case name == "@":
		return origin
	case strings.HasSuffix(name, ".") || origin == "":
		return name
	case origin == ".":
		return name + "."
	}
	return name + "." + origin
}
