package authres

import (
	"strings"
	"testing"
)

func TestClaimed(t *testing.T) {
	id := NewID("mx.example.org")
	claimed := func(want bool, value string) {
		t.Helper()
		if got := id.Claimed(value); got != want {
			t.Errorf("%v.Claimed(%q) = %v, want %v", id, value, got, want)
		}
	}
	// Ours by the grammar.
	for _, value := range []string{
		"mx.example.org; none", " mx.example.org; dkim=pass", "mx.example.org;dkim=pass", "mx.example.org ; x", "mx.example.org",
		"MX.Example.ORG; dkim=pass", "mx.example.org.; x", "mx.example.org..; x", `"mx.example.org"; x`, `"m\x.example.org"; x`, `" mx.example.org "; x`,
		"\"\n mx.example.org\"; x", "\n\tmx.example.org; x", "\r\n mx.example.org\r\n ; x", "\n \n mx.example.org;",
		"mx.example.org(x); y", "(c)mx.example.org; y", "(c) mx.example.org; y", "(a (b) \\) c) mx.example.org (d) ; y", "(mx) \n (y) mx.example.org;",
		"mx.example.org 1; x", "mx.example.org (c) 001 (c) ; x", "mx.example.org 2; x", "mx.example.org\t1",
		"mx.example\u3002org; x", "\uff4dx.example.org; x", "mx.exam\u00adple.org; x", "mx.example.org\u200b; x",
	} {
		claimed(true, value)
	}
	// Ours to a less strict reader.
	for _, value := range []string{
		"mx.example.org/1; x", "mx.example.org=x; y", "mx.example.org, x", "mx.example.org x; y", "mx.example.org dkim=pass", "mx.example.org 1x; y", "mx.example.org 1 2; y",
		";mx.example.org; dkim=pass", " ; ; mx.example.org; dkim=pass", "x@mx.example.org; y", "<mx.example.org>; y", "[mx.example.org]; y", "mx.exam\n ple.org; y", "mx.(c)example.org; y",
		"mx.example.org\x00; y", "\x00mx.example.org; y", "mx.example.org\x0b; y", "mx.example.org\xa0; y", "mx.example.org\r; y", "mx.example.org\n; y", "other.example\nmx.example.org; y",
		"\"mx.example.org; y", "(c mx.example.org; y", "mx.example.org (c; y", `"mx.example.org"x; y`, `"mx.example.org; x"; y`, `"mx.example.org x"; y`, `"x@mx.example.org"; y`, `"mx.exa` + "\n " + `mple.org"; y`,
		"(a(b) mx.example.org; dkim=pass ) other.example; y", "(\\) mx.example.org; dkim=pass ) other.example; y", "(mx.example.org) other.example; y", "(\\() (\\)mx.exam\\ple.org;) other.example; y",
		"'mx.example.org'; y", "`mx.example.org`; y", "{mx.example.org}; y", "mx.example.org|x; y", "mx.example.org#1; y", "mx.example.org%0a; y",
		"mx.example.org\u00a0x; y", "mx.example.org\u2028; y", "\u00a0mx.example.org; y",
	} {
		claimed(true, value)
	}
	// Unreadable, or of another version: nobody can vouch that they are not ours.
	for _, value := range []string{
		"", " ", "\n", ";", "; none", "()", "(", `"`, `""; x`, `"."; x`, ".; x", "\x00", "\xff; x", "=?utf-8?q?mx.example.org?=; x", "spf=pass smtp.mailfrom=x", "dkim=pass; spf=pass",
		"other.example/1; x", "other.example x; y", "other.example\x00; y", "other.example\xff; y", "other.example (\xff); y", "other.example\n; y", "other.example (", `"other.example; x`,
		"other.example 2; x", "other.example 0; x", "other.example 1 x; y", "other.example 1.0; y", `"other.example"1; x`,
		strings.Repeat("(", MaxCommentDepth+1) + strings.Repeat(")", MaxCommentDepth+1) + "other.example; x",
	} {
		claimed(true, value)
	}
	// Somebody else's.
	for _, value := range []string{
		"other.example; none", "other.example", "other.example 1; x", "other.example 1", "other.example; mx.example.org; dkim=pass", "other.example; ((((", "other.example; \x00\xff", "other.example; \"",
		"other.example (mx.example.org); x", "'other.example'; x", "other_host.example; x", "a+b; x", "(c) other.example; mx.example.org", `"other.example"; x`, `"other; example"; x`, "other.example\n ; mx.example.org", "\n other.example; x",
		"example.org; x", "a.mx.example.org; x", "mx.example.org.other.example; x", "xmx.example.org; x", "mx.example.orgx; x", "mx-example-org; x", "m\u0445.example.org; x", "b\u00fccher.example; x",
		strings.Repeat("(", MaxCommentDepth) + strings.Repeat(")", MaxCommentDepth) + "other.example; x",
	} {
		claimed(false, value)
	}
}

func TestClaimedIDs(t *testing.T) {
	claimed := func(want bool, id, value string) {
		t.Helper()
		if got := NewID(id).Claimed(value); got != want {
			t.Errorf("NewID(%q).Claimed(%q) = %v, want %v", id, value, got, want)
		}
	}
	claimed(true, "MX.Example.org.", "mx.example.org; x")
	claimed(true, "mx.b\u00fccher.example", "mx.xn--bcher-kva.example; x")
	claimed(true, "mx.xn--bcher-kva.example", "mx.B\u00dcCHER.example; x")
	claimed(true, "mx.b\u00fccher.example", "(a(b)mx.b\u00fccher.example;)other.example; x")
	claimed(false, "mx.bucher.example", "mx.b\u00fccher.example; x")
	claimed(true, "Mail Gate", `"mail gate"; x`)
	claimed(true, "mail gate", "mail gate; x")
	claimed(true, "mail gate", "(a(b)mail\n gate;)other.example; x")
	claimed(true, "a/b", "(a(b)A/B;)other.example; x")
	claimed(false, "mail gate", "mailgate; x")
	// A reader that deletes comments first.
	claimed(true, "mx1", "mx(x)1; x")
	claimed(false, "mx1", "mx 1; x")
	claimed(false, "mx1", "mx (x) 1; x")
	claimed(false, "mx1", "mx(x) 1; x")
	claimed(false, "mx1", "mx (x)1; x")
	// The zero ID is nobody's name.
	claimed(false, "", "other.example; x")
	claimed(false, "", "(c)other.example; x")
	claimed(true, "", "; x")
}

func TestNewID(t *testing.T) {
	same := func(a, b, text string) {
		t.Helper()
		if NewID(a) != NewID(b) || NewID(a).String() != text {
			t.Errorf("NewID(%q) = %v, NewID(%q) = %v; want %s", a, NewID(a), b, NewID(b), text)
		}
	}
	same("MX.example.org.", "mx.example.org", "mx.example.org")
	same("b\u00fccher.example", "xn--bcher-kva.example", "xn--bcher-kva.example")
	same(" Mail Gate", "mail gate", "mail gate")
}

func TestClaimedLimit(t *testing.T) {
	id := NewID("mx.example.org")
	head := func(n int) string { return "other.example" + strings.Repeat(" ", n-len("other.example;")) + ";" }
	if id.Claimed(head(maxHeadOctets) + " dkim=pass") {
		t.Errorf("a head of %d octets must be read", maxHeadOctets)
	}
	if !id.Claimed(head(maxHeadOctets+1) + " dkim=pass") {
		t.Errorf("a head of %d octets must count as unreadable", maxHeadOctets+1)
	}
	if id.Claimed("other.example" + strings.Repeat(" ", maxHeadOctets-len("other.example"))) {
		t.Errorf("a field that is all head and fits must be read")
	}
}

// Fields of a size that would take hours or the whole stack where the work
// grows faster than the field.
func TestHuge(t *testing.T) {
	id := NewID("mx.example.org")
	const size = 1 << 20
	for _, part := range []string{"(", "()", "(\\", "\"", "\\", "\"\\", ";", "a", "a.", " ", "\n ", "\u00fc", "\u00fc.", "\xff", "(\u00fc", "a;b=c ", "a; dkim=pass ("} {
		value := strings.Repeat(part, size/len(part))
		if _, err := Parse(value); err == nil {
			t.Errorf("1 MiB of %q parses", part)
		}
		if _, err := Parse(value[:MaxFieldBytes]); err == nil {
			t.Errorf("64 KiB of %q parse", part)
		}
		want := !strings.HasPrefix(part, "a;")
		if got := id.Claimed(value); got != want {
			t.Errorf("1 MiB of %q: claimed %v, want %v", part, got, want)
		}
		wellFormed(t, Field{value, []Result{{value, value, value, value, []Prop{{value, value, value}, {"smtp", "p", value}}}, {"m", "pass", value, value, nil}}})
	}
}

func BenchmarkClaimed(b *testing.B) {
	id := NewID("mx.example.org")
	for name, value := range map[string]string{
		"foreign":   "mail.other.example; dkim=pass header.d=other.example",
		"1MiB-open": strings.Repeat("(", 1<<20),
		"1MiB-utf8": strings.Repeat("(\u00fc)", 1<<18) + "x;",
		"worst":     `"` + strings.Repeat("\u4e00", 600) + `"; x`,
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				id.Claimed(value)
			}
		})
	}
}
