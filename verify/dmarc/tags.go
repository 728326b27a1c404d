package dmarc

import (
	"fmt"
	"slices"
	"strings"
)

// blanks is WSP of RFC 5234.
const blanks = " \t"

// tags is what follows the v tag of a record. Unlike a DKIM tag list, which one
// error voids, it survives errors: RFC 9989 §4.8 has them dropped one by one.
type tags struct {
	values   map[string]value // of known tags, by lower-case name
	warnings []Warning
}

type value struct {
	text string // of the first occurrence
	at   int    // where that begins, in octets of the record
	seen int    // number of occurrences
	last int    // where the name of the last one begins
}

// splitTags reads the list of tags, separated by semicolons, that begins at an
// octet of record.
func splitTags(record string, at int) *tags {
	t := &tags{values: make(map[string]value)}
	for at < len(record) {
		segment, _, _ := strings.Cut(record[at:], ";")
		if text, gap := trim(segment); text != "" {
			t.add(at+gap, text)
		}
		at += len(segment) + len(";")
	}
	return t
}

// trim returns text without the blanks around it, and how many were before it.
func trim(text string) (trimmed string, gap int) {
	trimmed = strings.TrimLeft(text, blanks)
	return strings.TrimRight(trimmed, blanks), len(text) - len(trimmed)
}

func (t *tags) add(at int, segment string) {
	name, text, ok := strings.Cut(segment, "=")
	start := at + len(name) + len("=")
	name = strings.TrimRight(name, blanks)
	if !ok || !isAlpha(name) {
		t.warn(at, "not a tag: %s", quote(segment))
		return
	}
	// The ABNF of RFC 9989 §4.8 compares without regard to case.
	name = strings.ToLower(name)
	switch name {
	case "p", "sp", "np", "adkim", "aspf", "psd", "t", "rua", "ruf", "fo":
		v := t.values[name]
		v.last = at
		if v.seen++; v.seen == 1 {
			var gap int
			v.text, gap = trim(text)
			v.at = start + gap
		}
		t.values[name] = v
	case "pct", "rf", "ri":
		// RFC 9989 §9.3: historic, hence unknown.
		t.warn(at, "historic tag %s ignored", name)
	case "v":
		t.warn(at, "v tag ignored: it stands only at the beginning")
	default:
		// RFC 9989 §4.7: unknown tags are ignored.
		t.warn(at, "unknown tag %s ignored", quote(name))
	}
}

// get returns the value of a known tag; bad is set where it occurs twice.
func (t *tags) get(name string) (text string, present, bad bool) {
	v := t.values[name]
	if v.seen > 1 {
		// The RFC is silent on duplicates. Whichever were taken, someone would
		// have meant the other: the tag is invalid.
		t.warn(v.last, "%s occurs %d times", name, v.seen)
		return "", true, true
	}
	return v.text, v.seen == 1, false
}

// choice returns the value of a tag that must be one of words; "" where the
// tag is absent, and "" with bad where it is something else.
func (t *tags) choice(name string, words ...string) (word string, bad bool) {
	text, present, bad := t.get(name)
	if !present || bad {
		return "", bad
	}
	word = strings.ToLower(text)
	if !slices.Contains(words, word) {
		t.warn(t.values[name].at, "invalid value of %s: %s", name, quote(text))
		return "", true
	}
	return word, false
}

// either is choice for a tag whose errors are discarded in favour of the
// default (RFC 9989 §4.8), which is the first word.
func (t *tags) either(name, fallback string, words ...string) string {
	if word, _ := t.choice(name, append(words, fallback)...); word != "" {
		return word
	}
	return fallback
}

// uris returns the valid URIs of rua or ruf; one that is not is left out alone.
func (t *tags) uris(name string) []string {
	list, present, bad := t.get(name)
	if !present || bad {
		return nil
	}
	var uris []string
	at := t.values[name].at
	for text := range strings.SplitSeq(list, ",") {
		trimmed, gap := trim(text)
		here := at + gap
		at += len(text) + len(",")
		uri, err := parseURI(trimmed)
		switch {
		case err != nil:
			t.warn(here, "invalid URI in %s: %s: %v", name, quote(text), err)
		case len(uris) == MaxURIs:
			t.warn(here, "more than %d URIs in %s, the rest ignored", MaxURIs, name)
			return uris
		default:
			uris = append(uris, uri)
		}
	}
	return uris
}

// failureOptions reads fo: 0 or 1, and d and s, separated by colons, each at
// most once. 0 and 1 exclude each other.
func (t *tags) failureOptions() FailureOptions {
	fallback := FailureOptions{All: true}
	list, present, bad := t.get("fo")
	if !present || bad {
		return fallback
	}
	var fo FailureOptions
	for text := range strings.SplitSeq(strings.ToLower(list), ":") {
		option := fo.option(strings.Trim(text, blanks))
		if option == nil || *option || (fo.All && option == &fo.Any) || (fo.Any && option == &fo.All) {
			t.warn(t.values["fo"].at, "invalid value of fo: %s", quote(list))
			return fallback
		}
		*option = true
	}
	return fo
}

func (fo *FailureOptions) option(text string) *bool {
	switch text {
	case "0":
		return &fo.All
	case "1":
		return &fo.Any
	case "d":
		return &fo.DKIM
	case "s":
		return &fo.SPF
	}
	return nil
}

func (t *tags) warn(at int, format string, args ...any) {
	if len(t.warnings) < MaxWarnings {
		t.warnings = append(t.warnings, Warning{at, fmt.Sprintf(format, args...)})
	}
}

// quote makes foreign text fit to be shown: quoted, ASCII, and short.
func quote(text string) string {
	const max = 40
	if len(text) > max {
		return fmt.Sprintf("%+q…", text[:max])
	}
	return fmt.Sprintf("%+q", text)
}

func isAlpha(s string) bool {
	for i := 0; i < len(s); i++ {
		if c := s[i] | 0x20; c < 'a' || c > 'z' {
			return false
		}
	}
	return s != ""
}
