package dmarc

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"testing"

	"assay/dnscache/dnstest"
	"assay/verify/domain"
	"assay/verify/lookup"
)

// labels returns a name of n labels.
func labels(n int) domain.Name {
	return domain.MustParse(strings.Repeat("a.", n-1) + "a")
}

// RFC 9989 §4.10: however long the name, eight questions.
func TestWalkBound(t *testing.T) {
	bound := func(n, want int, second int) {
		t.Helper()
		w := walker{resolver: dnstest.New()}
		if found, err := w.walk(t.Context(), labels(n)); err != nil || len(found) != 0 {
			t.Fatalf("%d labels: found %v, %v", n, found, err)
		}
		if w.queries != want || len(w.steps) != want {
			t.Errorf("%d labels: %d questions, %d steps, want %d", n, w.queries, len(w.steps), want)
		}
		if len(w.steps) > 1 && w.steps[1].Name.Labels() != second {
			t.Errorf("%d labels: the second question is for %d labels, want %d", n, w.steps[1].Name.Labels(), second)
		}
	}
	bound(1, 1, 0)
	bound(2, 2, 1)
	bound(7, 7, 6)
	bound(8, 8, 7)
	bound(9, 8, 7)
	bound(12, 8, 7)
	bound(100, 8, 7)
	bound(120, 8, 7)
}

// A name so long that _dmarc does not fit in front of it is not asked for.
func TestWalkLongName(t *testing.T) {
	long := func(octets, queries int) {
		t.Helper()
		rest := ".example.com"
		var b strings.Builder
		for octets-b.Len()-len(rest) > 63 {
			b.WriteString(strings.Repeat("x", 40) + ".")
		}
		b.WriteString(strings.Repeat("x", octets-b.Len()-len(rest)) + rest)
		start := domain.MustParse(b.String())
		zone := dnstest.MustParse(t, `_dmarc.example.com. TXT "v=DMARC1; p=reject"`)
		w := walker{resolver: zone}
		found, err := w.walk(t.Context(), start)
		if err != nil || len(found) != 1 || len(start.String()) != octets {
			t.Fatalf("%d octets: found %v, %v", octets, found, err)
		}
		asked := zone.Questions()
		if w.queries != queries || len(asked) != queries {
			t.Errorf("%d octets: %d questions, want %d: %q", octets, w.queries, queries, asked)
		}
		for _, q := range asked {
			if len(strings.TrimPrefix(q, "TXT ")) > domain.MaxName {
				t.Errorf("%d octets: asked for %s", octets, q)
			}
		}
	}
	fits := domain.MaxName - len(prefix)
	long(fits, 8)
	long(fits+1, 7)
	long(domain.MaxName, 7)
}

// Walks of related names share their questions, and failures are kept too.
func TestWalkMemory(t *testing.T) {
	zone := dnstest.MustParse(t, `
_dmarc.example.com.      TXT "v=DMARC1; p=reject"
_dmarc.down.example.com. SERVFAIL
`)
	w := walker{resolver: zone}
	for _, start := range []string{"a.b.example.com", "c.b.example.com", "b.example.com", "com", "a.b.example.com"} {
		if _, err := w.walk(t.Context(), domain.MustParse(start)); err != nil {
			t.Errorf("walk from %s: %v", start, err)
		}
	}
	for _, start := range []string{"x.down.example.com", "y.down.example.com", "down.example.com"} {
		if _, err := w.walk(t.Context(), domain.MustParse(start)); !lookup.Temporary(err) {
			t.Errorf("walk from %s: %v, want a temporary error", start, err)
		}
	}
	want := []string{
		"TXT _dmarc.a.b.example.com", "TXT _dmarc.b.example.com", "TXT _dmarc.example.com", "TXT _dmarc.com",
		"TXT _dmarc.c.b.example.com",
		"TXT _dmarc.x.down.example.com", "TXT _dmarc.down.example.com", "TXT _dmarc.y.down.example.com",
	}
	if got := zone.Questions(); !slices.Equal(got, want) {
		t.Errorf("asked\n%q, want\n%q", got, want)
	}
	if w.queries != len(want) {
		t.Errorf("%d questions counted, want %d", w.queries, len(want))
	}
}

func TestReadAnswer(t *testing.T) {
	read := func(want Found, ignored int, records ...string) {
		t.Helper()
		s := readAnswer(records)
		if s.Found != want || len(s.Ignored) != ignored || (s.Record != nil) != (want == FoundRecord) {
			t.Errorf("%q: found %s, ignored %q; want %s and %d ignored", records, s.Found, s.Ignored, want, ignored)
		}
	}
	read(FoundNothing, 0)
	read(FoundNothing, 0, "")
	read(FoundNothing, 0, "v=spf1 -all", "google-site-verification=x")
	read(FoundNothing, 1, "v=dmarc1; p=reject")
	read(FoundNothing, 1, " v=DMARC1; p=reject")
	read(FoundNothing, 0, "v=spf1; DMARC")
	read(FoundRecord, 0, "v=DMARC1; p=reject")
	read(FoundRecord, 0, "v=DMARC1; p=bogus")
	read(FoundRecord, 1, "v=DMARC1 p=reject", "v=DMARC1; p=reject", "v=spf1")
	read(FoundSeveral, 0, "v=DMARC1; p=reject", "v=DMARC1; p=reject")
	read(FoundSeveral, 1, "v=dmarc1", "v=DMARC1", "v=DMARC1")
	read(FoundNothing, MaxWarnings, slices.Repeat([]string{"v=DMARC2"}, MaxWarnings)...)
	read(FoundNothing, MaxWarnings, slices.Repeat([]string{"v=DMARC2"}, MaxWarnings+1)...)
}

// The record is read once for as long as the resolver keeps the answer.
func TestRecordIsKeptWithAnswer(t *testing.T) {
	zone := dnstest.MustParse(t, `_dmarc.example.com. TXT "v=DMARC1; p=reject"`)
	ask := func() Step {
		w := walker{resolver: zone}
		return w.ask(t.Context(), domain.MustParse("example.com"))
	}
	first, second := ask(), ask()
	if first.Record == nil || first.Record != second.Record {
		t.Errorf("records %p and %p, want the same", first.Record, second.Record)
	}
	if first.Name != domain.MustParse("example.com") {
		t.Errorf("step for %s", first.Name)
	}
}

// Two names may have the same answer, as by a wildcard or a cache: the step
// that is kept with the answer must not carry a name.
func TestSharedAnswer(t *testing.T) {
	shared := &lookup.TXT{Records: []string{"v=DMARC1; p=reject"}}
	w := walker{resolver: answers{txt: func(string) (*lookup.TXT, error) { return shared, nil }}}
	found, err := w.walk(t.Context(), domain.MustParse("a.example.com"))
	if err != nil || len(found) != 3 || found[0].Name == found[1].Name || found[1].Name == found[2].Name {
		t.Errorf("found %v, %v", found, err)
	}
}

// answers answers TXT questions; nothing else may be asked.
type answers struct {
	lookup.Resolver
	txt func(name string) (*lookup.TXT, error)
}

func (a answers) TXT(ctx context.Context, name string) (*lookup.TXT, error) {
	if err := ctx.Err(); err != nil {
		return nil, &net.DNSError{Err: err.Error(), Name: name, IsTemporary: true}
	}
	return a.txt(name)
}

func FuzzWalk(f *testing.F) {
	f.Add("a.example.com", "a.example.com", "v=DMARC1; p=reject", "example.com", "v=DMARC1; psd=y")
	f.Add("a.b.c.d.e.f.g.h.i.j.com", "com", "v=DMARC1; p=none; psd=n", "com", "v=DMARC1")
	f.Add("example.com", "example.com", "v=DMARC1;\x00", "com", "\xff")
	f.Add("x.tld", "tld", "v=DMARC1; p=reject; psd=u", "x.tld", "SERVFAIL")
	f.Fuzz(func(t *testing.T, start, name1, text1, name2, text2 string) {
		author, err := domain.Parse(start)
		if err != nil {
			return
		}
		asked := 0
		w := walker{resolver: answers{txt: func(query string) (*lookup.TXT, error) {
			asked++
			txt := new(lookup.TXT)
			for _, r := range [][2]string{{name1, text1}, {name2, text2}} {
				if query != prefix+r[0] {
					continue
				}
				if r[1] == "SERVFAIL" {
					return nil, &net.DNSError{Err: "server misbehaving", Name: query, IsTemporary: true}
				}
				txt.Records = append(txt.Records, r[1])
			}
			return txt, nil
		}}}
		d := w.discover(t.Context(), author)
		if asked > MaxQueries || asked != w.queries {
			t.Errorf("%s: %d questions, %d counted", author, asked, w.queries)
		}
		if err := checkDiscovery(author, d); err != nil {
			t.Errorf("%s: %v", author, err)
		}
	})
}

// checkDiscovery returns what no DNS content may bring about.
func checkDiscovery(author domain.Name, d discovery) error {
	switch {
	case d.err != nil && (d.policy != nil || !d.org.name.IsZero()):
		return errors.New("an outage comes with a policy or an organizational domain")
	case d.orgErr != nil && !d.org.name.IsZero():
		return errors.New("an outage comes with an organizational domain")
	case !d.org.name.IsZero() && !author.Within(d.org.name):
		return fmt.Errorf("organizational domain %s", d.org.name)
	case d.org.name.Labels() == 1 && author.Labels() > 1:
		return fmt.Errorf("organizational domain %s of one label", d.org.name)
	case d.policy != nil && !author.Within(d.policy.Name):
		return fmt.Errorf("policy of %s", d.policy.Name)
	case d.policy != nil && (d.policy.Name == author) == d.inherited:
		return fmt.Errorf("policy of %s, inherited %t", d.policy.Name, d.inherited)
	}
	return nil
}
