package spf

import (
	"context"
	"fmt"
	"net/netip"
	"runtime"
	"testing"
	"time"

	"assay/dnscache/dnstest"
	"assay/verify/lookup"
)

// TestReadAhead: the result is that of an evaluation term by term, nothing is
// asked twice, and what cannot be reached is not asked.
func TestReadAhead(t *testing.T) {
	const zone = `
three.example. TXT "v=spf1 include:a.example mx a:%{d} exists:%{i}.x.example ip4:192.0.2.7 -all include:c.example"
a.example. TXT "v=spf1 include:b.example a ~all"
b.example. TXT "v=spf1 ip4:198.51.100.1 -all"
c.example. TXT "v=spf1 +all"
three.example. MX 10 mail.three.example.
mail.three.example. A 198.51.100.2
three.example. A 198.51.100.3
a.example. A 198.51.100.4
early.example. TXT "v=spf1 ip4:192.0.2.7 include:a.example -all"
broken.example. TXT "v=spf1 include:down.example include:a.example -all"
down.example. SERVFAIL
redirected.example. TXT "v=spf1 redirect=early.example"
`
	check := func(domain string, result Result) {
		t.Helper()
		for _, ahead := range []bool{false, true} {
			z := dnstest.MustParse(t, zone)
			v := Verifier{Resolver: z, ReadAhead: ahead}
			c := v.MailFrom(context.Background(), netip.MustParseAddr("192.0.2.7"), "x", "a@"+domain)
			if c.Result != result {
				t.Errorf("%s, ahead %v: %s (%v)", domain, ahead, c.Result, c.Err)
			}
			seen := map[string]bool{}
			for _, q := range z.Questions() {
				if seen[q] {
					t.Errorf("%s, ahead %v: %s was asked twice", domain, ahead, q)
				}
				seen[q] = true
				if q == "TXT c.example" {
					t.Errorf("%s: what stands behind all was asked", domain)
				}
			}
		}
	}
	check("three.example", Pass)
	check("early.example", Pass)
	check("broken.example", TempError)
	check("redirected.example", Pass)
}

// TestReadAheadBound: no more is asked ahead than RFC 7208 §4.6.4 allows.
func TestReadAheadBound(t *testing.T) {
	z := dnstest.New()
	record := "v=spf1"
	for i := range 30 {
		record += fmt.Sprintf(" include:i%d.example", i)
	}
	z.Add("many.example", "TXT", record+" -all")
	v := Verifier{Resolver: z, ReadAhead: true}
	v.MailFrom(context.Background(), netip.MustParseAddr("192.0.2.7"), "x", "a@many.example")
	if n := len(z.Questions()); n > 1+MaxLookups {
		t.Errorf("%d questions", n)
	}
}

// TestReadAheadWaste: a record that matches early in a deep tree asks little in vain,
// although each record on the way names as much as it may.
func TestReadAheadWaste(t *testing.T) {
	z := dnstest.New()
	const depth = 8
	for i := range depth {
		record := fmt.Sprintf("v=spf1 include:r%d.example", i+1)
		for j := range MaxLookups - 1 {
			record += fmt.Sprintf(" include:r%d-%d.example", i, j)
		}
		z.Add(fmt.Sprintf("r%d.example", i), "TXT", record+" -all")
	}
	z.Add(fmt.Sprintf("r%d.example", depth), "TXT", "v=spf1 ip4:192.0.2.7 -all")
	v := Verifier{Resolver: z, ReadAhead: true}
	c := v.MailFrom(context.Background(), netip.MustParseAddr("192.0.2.7"), "x", "a@r0.example")
	if n := len(z.Questions()); c.Result != Pass || n > 1+depth+MaxLookups {
		t.Errorf("%s (%v), %d questions", c.Result, c.Err, n)
	}
}

// panicky panics at every question but the first.
type panicky struct {
	lookup.Resolver
	first string
}

func (p panicky) TXT(ctx context.Context, name string) (*lookup.TXT, error) {
	if name != p.first {
		panic("resolver")
	}
	return p.Resolver.TXT(ctx, name)
}

// TestReadAheadPanic: a panic is raised where the answer is used.
func TestReadAheadPanic(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("no panic")
		}
	}()
	z := dnstest.MustParse(t, `a.example. TXT "v=spf1 include:b.example -all"`)
	v := Verifier{Resolver: panicky{z, "a.example"}, ReadAhead: true}
	v.MailFrom(context.Background(), netip.MustParseAddr("192.0.2.7"), "x", "a@a.example")
}

// TestReadAheadCost: what reading ahead asks for in vain where the first of
// three includes matches.
func TestReadAheadCost(t *testing.T) {
	for ahead, want := range map[bool]int{false: 2, true: 4} {
		z := dnstest.MustParse(t, `
a.example. TXT "v=spf1 include:b.example include:c.example include:d.example -all"
b.example. TXT "v=spf1 ip4:192.0.2.7 -all"
c.example. TXT "v=spf1 -all"
d.example. TXT "v=spf1 -all"
`)
		ctx, cancel := context.WithCancel(context.Background())
		c := Verifier{Resolver: z, ReadAhead: ahead}.MailFrom(ctx, netip.MustParseAddr("192.0.2.7"), "x", "a@a.example")
		// Look-ups that nobody waits for may still be on their way.
		for deadline := time.Now().Add(5 * time.Second); len(z.Questions()) < want && time.Now().Before(deadline); runtime.Gosched() {
		}
		if n := len(z.Questions()); c.Result != Pass || n != want {
			t.Errorf("ahead %v: %s, %d questions, want %d", ahead, c.Result, n, want)
		}
		cancel()
	}
}
