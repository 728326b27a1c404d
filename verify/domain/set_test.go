package domain

import (
	"fmt"
	"strings"
	"testing"
)

func mustPattern(t testing.TB, text string) Pattern {
	t.Helper()
	p, err := ParsePattern(text)
	if err != nil {
		t.Fatalf("%q: %v", text, err)
	}
	if p.String() != strings.ToLower(strings.TrimSuffix(text, ".")) {
		t.Fatalf("%q reads as %q", text, p)
	}
	return p
}

func TestPattern(t *testing.T) {
	for _, text := range []string{"", ".", "..", "..example.com", "*.example.com", "a@example.com", ". example.com"} {
		if p, err := ParsePattern(text); err == nil {
			t.Errorf("%q: got %v", text, p)
		}
	}
}

func TestSet(t *testing.T) {
	set := NewSet(mustPattern(t, "Example.com"), mustPattern(t, ".example.org."), mustPattern(t, ".co.uk"))
	check := func(name string, want bool) {
		t.Helper()
		n, _ := Parse(name)
		if got := set.Has(n); got != want {
			t.Errorf("%q: got %v", name, got)
		}
	}
	check("example.com", true)
	check("a.example.com", false)
	check("example.org", false)
	check("a.example.org", true)
	check("a.b.c.d.example.org", true)
	check("badexample.org", false)
	check("org", false)
	check("a.co.uk", true)
	check("co.uk", false)
	check("", false)
	if (Set{}).Has(MustParse("example.com")) || NewSet().Has(MustParse("a.b.c")) {
		t.Error("an empty set has something")
	}
}

// BenchmarkSet: does a look-up among 100,000 names stay below a microsecond?
func BenchmarkSet(b *testing.B) {
	var patterns []Pattern
	for i := range 50_000 {
		patterns = append(patterns,
			mustPattern(b, fmt.Sprintf("host%d.example.com", i)),
			mustPattern(b, fmt.Sprintf(".a.b.c.net%d.example.org", i)))
	}
	set := NewSet(patterns...)
	for name, text := range map[string]string{
		"name": "host4711.example.com", "below": "x.a.b.c.net4711.example.org",
		"absent": "mail.example.net", "hostile": strings.Repeat("a.", 120) + "example.org",
	} {
		n := MustParse(text)
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				set.Has(n)
			}
		})
	}
}
