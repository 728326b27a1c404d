package dnscache

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"assay/dnscache/dnstest"
	"assay/verify/lookup"
)

// clock is a time that only the test moves.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func newClock() *clock { return &clock{now: time.Unix(1_700_000_000, 0)} }

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// resolve looks name up as "TXT", "A", "AAAA", "MX" or "PTR" and renders what
// comes back: the records, or absent, temporary, timeout.
func resolve(r lookup.Resolver, ctx context.Context, rrtype, name string) string {
	var words []string
	var err error
	switch rrtype {
	case "TXT":
		var txt *lookup.TXT
		if txt, err = r.TXT(ctx, name); err == nil {
			words = strings.Split(strings.Trim(fmt.Sprintf("%q", txt.Records), "[]"), " ")
		}
	case "A":
		var addrs []netip.Addr
		addrs, err = r.A(ctx, name)
		words = strings.Fields(strings.Trim(fmt.Sprint(addrs), "[]"))
	case "AAAA":
		var addrs []netip.Addr
		addrs, err = r.AAAA(ctx, name)
		words = strings.Fields(strings.Trim(fmt.Sprint(addrs), "[]"))
	case "MX":
		var mxs []*net.MX
		mxs, err = r.MX(ctx, name)
		for _, mx := range mxs {
			words = append(words, fmt.Sprintf("%d:%s", mx.Pref, mx.Host))
		}
	case "PTR":
		words, err = r.PTR(ctx, netip.MustParseAddr(name))
	}
	if err != nil {
		return kind(err)
	}
	return strings.Join(words, " ")
}

func kind(err error) string {
	var e *net.DNSError
	switch {
	case !errors.As(err, &e) || err != error(e):
		return "not bare: " + err.Error()
	case e.IsNotFound && !e.IsTemporary && !e.IsTimeout:
		return "absent"
	case e.IsTemporary && e.IsTimeout && !e.IsNotFound:
		return "timeout"
	case e.IsTemporary && !e.IsNotFound:
		return "temporary"
	}
	return "neither absent nor temporary: " + err.Error()
}

func servers(addrs ...string) []Server {
	var s []Server
	for _, addr := range addrs {
		s = append(s, Server{Network: UDP, Addr: netip.MustParseAddrPort(addr)})
	}
	return s
}

const zoneText = `
$ORIGIN example.com.
@       TXT "v=spf1 " "-all"
        TXT "\"\\\255\000 ;"
        MX  20 mx2
        MX  10 mx1
        A   192.0.2.1
        A   192.0.2.2
        AAAA 2001:db8::1
        AAAA ::ffff:192.0.2.9
null    MX  0 .
alias   CNAME alias2
alias2  CNAME example.com.
lost    CNAME nowhere
loop    CNAME loop
a.b     A 192.0.2.3
*.wild  TXT "wild"
down    SERVFAIL
dead    CNAME down
refused REFUSED
big     TXT "x" 
1.2.0.192.in-addr.arpa. PTR mail.example.com.
1.2.0.192.in-addr.arpa. PTR we\ ird.example.com.
`

// TestAnswers asks the same over the network and in process: they must agree.
func TestAnswers(t *testing.T) {
	z := dnstest.MustParse(t, zoneText)
	z.Add("big.example.com", "TXT", strings.Repeat("y", 3000))
	z.Add("we ird\\@\xff.example.com", "A", "192.0.2.4")
	r := New(Config{Servers: servers(z.Serve(t))})
	ctx := t.Context()
	is := func(rrtype, name, want string) {
		t.Helper()
		if got := resolve(z, ctx, rrtype, name); got != want {
			t.Errorf("%s %q in process: got %s, want %s", rrtype, name, got, want)
		}
		for _, from := range []string{"network", "cache"} {
			if got := resolve(r, ctx, rrtype, name); got != want {
				t.Errorf("%s %q from %s: got %s, want %s", rrtype, name, from, got, want)
			}
		}
	}
	is("TXT", "example.com", `"v=spf1 -all" "\"\\\xff\x00 ;"`)
	is("TXT", "EXAMPLE.com.", `"v=spf1 -all" "\"\\\xff\x00 ;"`)
	is("TXT", "big.example.com", `"x" "`+strings.Repeat("y", 3000)+`"`)
	is("TXT", "a.wild.example.com", `"wild"`)
	is("TXT", "a.b.example.com", "")
	is("A", "example.com", "192.0.2.1 192.0.2.2")
	is("AAAA", "example.com", "2001:db8::1 ::ffff:192.0.2.9")
	is("A", "alias.example.com", "192.0.2.1 192.0.2.2")
	is("A", "we ird\\@\xff.Example.com", "192.0.2.4")
	is("MX", "example.com", "20:mx2.example.com 10:mx1.example.com")
	is("MX", "null.example.com", "0:")
	is("MX", "b.example.com", "")
	is("PTR", "192.0.2.1", `mail.example.com we\ ird.example.com`)
	is("PTR", "::ffff:192.0.2.1", `mail.example.com we\ ird.example.com`)
	is("PTR", "2001:db8::1", "absent")
	is("A", "nowhere.example.com", "absent")
	is("A", "lost.example.com", "absent")
	is("TXT", "lost.example.com", "absent")
	is("A", "loop.example.com", "temporary")
	is("A", "down.example.com", "temporary")
	is("A", "dead.example.com", "temporary")
	is("AAAA", "refused.example.com", "temporary")
	is("TXT", "", "absent")
	is("TXT", "a..wild.example.com", "absent")
}

func TestInvalidAddressHasNoPTR(t *testing.T) {
	if _, err := New(Config{}).PTR(t.Context(), netip.Addr{}); kind(err) != "absent" {
		t.Errorf("got %v", err)
	}
}

// TestKept asks, waits as long as the answer must be kept, and counts what
// reaches the server.
func TestKept(t *testing.T) {
	const day = 24 * time.Hour
	keeps := func(text, rrtype, name string, want time.Duration) {
		t.Helper()
		z := dnstest.MustParse(t, text)
		now := newClock()
		r := New(Config{Servers: servers(z.Serve(t)), now: now.Now})
		first := resolve(r, t.Context(), rrtype, name)
		now.Advance(want - 1)
		second := resolve(r, t.Context(), rrtype, name)
		if n := len(z.Questions()); n != 1 || first != second {
			t.Errorf("%q: just before %v: %d questions, got %s, then %s", text, want, n, first, second)
		}
		now.Advance(1)
		resolve(r, t.Context(), rrtype, name)
		if n := len(z.Questions()); n != 2 {
			t.Errorf("%q: after %v: %d questions, want 2", text, want, n)
		}
	}
	keeps("x. 100 TXT a", "TXT", "x", 100*time.Second)
	keeps("x. 100 A 192.0.2.1\nx. 99 A 192.0.2.2", "A", "x", 99*time.Second)
	keeps("x. 0 TXT a", "TXT", "x", 5*time.Second)
	keeps("x. 5 TXT a", "TXT", "x", 5*time.Second)
	keeps("x. 6 TXT a", "TXT", "x", 6*time.Second)
	keeps("x. 86400 MX 1 y.", "MX", "x", day)
	keeps("x. 86401 MX 1 y.", "MX", "x", day)
	keeps("x. 2147483647 TXT a", "TXT", "x", day)
	keeps("x. 2147483648 TXT a", "TXT", "x", 5*time.Second)
	keeps("x. 50 CNAME y.\ny. 100 TXT a", "TXT", "x", 50*time.Second)
	keeps("x. 100 CNAME y.\ny. 50 TXT a", "TXT", "x", 50*time.Second)
	keeps("a.x. 300 TXT a\nx. 60 SOA . . 1 2 3 4 30", "TXT", "b.x", 30*time.Second)
	keeps("a.x. 300 TXT a\nx. 30 SOA . . 1 2 3 4 60", "TXT", "b.x", 30*time.Second)
	keeps("a.x. 300 TXT a\nx. 30 SOA . . 1 2 3 4 60", "A", "a.x", 30*time.Second)
	keeps("a.x. 300 TXT a\nx. 86400 SOA . . 1 2 3 4 86400", "A", "a.x", time.Hour)
	keeps("a.x. 300 TXT a\nx. 86400 SOA . . 1 2 3 4 86400", "A", "b.x", time.Hour)
	keeps("a.x. 300 TXT a\nx. 86400 SOA . . 1 2 3 4 2147483648", "A", "b.x", 5*time.Second)
	keeps("a.x. 10 CNAME b.x.\nb.x. A 192.0.2.1\nx. 60 SOA . . 1 2 3 4 60", "TXT", "a.x", 10*time.Second)
	keeps("a.x. 10 CNAME b.x.\nx. 60 SOA . . 1 2 3 4 60", "TXT", "a.x", 10*time.Second)
	keeps("x. SERVFAIL", "TXT", "x", 5*time.Second)
	keeps("x. REFUSED", "TXT", "x", 5*time.Second)
}

func TestMaxTTL(t *testing.T) {
	z := dnstest.MustParse(t, "x. 300 TXT a")
	now := newClock()
	r := New(Config{Servers: servers(z.Serve(t)), MaxTTL: time.Minute, now: now.Now})
	resolve(r, t.Context(), "TXT", "x")
	now.Advance(time.Minute)
	resolve(r, t.Context(), "TXT", "x")
	if n := len(z.Questions()); n != 2 {
		t.Errorf("%d questions, want 2", n)
	}
}

func TestAnswerIsShared(t *testing.T) {
	r := New(Config{Servers: servers(dnstest.MustParse(t, "x. TXT a").Serve(t))})
	parsed := 0
	for range 3 {
		txt, err := r.TXT(t.Context(), "x")
		if err != nil {
			t.Fatal(err)
		}
		lookup.Derive(txt, func(records []string) int { parsed++; return len(records) })
	}
	if parsed != 1 {
		t.Errorf("parsed %d times, want once", parsed)
	}
}

// TestAnswerBelongsToCaller changes what it got; the next caller must not see it.
func TestAnswerBelongsToCaller(t *testing.T) {
	r := New(Config{Servers: servers(dnstest.MustParse(t, zoneText).Serve(t))})
	ctx := t.Context()
	for range 2 {
		a, _ := r.A(ctx, "example.com")
		slices.Reverse(a)
		aaaa, _ := r.AAAA(ctx, "example.com")
		slices.Reverse(aaaa)
		mx, _ := r.MX(ctx, "example.com")
		mx[0].Host = "changed"
		ptr, _ := r.PTR(ctx, netip.MustParseAddr("192.0.2.1"))
		ptr[0] = "changed"
	}
	if got := resolve(r, ctx, "A", "example.com"); got != "192.0.2.1 192.0.2.2" {
		t.Errorf("A: %s", got)
	}
	if got := resolve(r, ctx, "AAAA", "example.com"); got != "2001:db8::1 ::ffff:192.0.2.9" {
		t.Errorf("AAAA: %s", got)
	}
	if got := resolve(r, ctx, "MX", "example.com"); got != "20:mx2.example.com 10:mx1.example.com" {
		t.Errorf("MX: %s", got)
	}
	if got := resolve(r, ctx, "PTR", "192.0.2.1"); got != `mail.example.com we\ ird.example.com` {
		t.Errorf("PTR: %s", got)
	}
}

func TestStats(t *testing.T) {
	z := dnstest.MustParse(t, "x. TXT a\ny. SERVFAIL")
	r := New(Config{Servers: servers(z.Serve(t))})
	for _, name := range []string{"x", "x", "X.", "y", "y", "nowhere", "nowhere", "a..b"} {
		resolve(r, t.Context(), "TXT", name)
	}
	got := r.Stats()
	got.Bytes, got.Upstreams = 0, nil
	if want := (Stats{Hits: 4, Misses: 3, Queries: 3, Answers: 1, Absent: 1, Failures: 1, Entries: 3}); !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestCacheHitDoesNotAllocate(t *testing.T) {
	r := New(Config{Servers: servers(dnstest.MustParse(t, zoneText).Serve(t))})
	ctx := t.Context()
	free := func(name string) {
		t.Helper()
		if n := testing.AllocsPerRun(100, func() { r.TXT(ctx, name) }); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
	free("example.com")
	free("example.com.")
	free("nowhere.example.com")
	free("down.example.com")
}

// BenchmarkCacheHit: what does a TXT question cost that was asked before?
func BenchmarkCacheHit(b *testing.B) {
	r := New(Config{Servers: servers(dnstest.MustParse(b, zoneText).Serve(b))})
	ctx := b.Context()
	if _, err := r.TXT(ctx, "example.com"); err != nil {
		b.Fatal(err)
	}
	b.Run("one", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			r.TXT(ctx, "example.com")
		}
	})
	b.Run("parallel", func(b *testing.B) {
		b.ReportAllocs()
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				r.TXT(ctx, "example.com")
			}
		})
	})
}

// BenchmarkMiss: what does a question cost that goes to a server?
func BenchmarkMiss(b *testing.B) {
	r := New(Config{Servers: servers(dnstest.MustParse(b, "*. TXT a").Serve(b))})
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		if _, err := r.TXT(b.Context(), fmt.Sprintf("n%d", i)); err != nil {
			b.Fatal(err)
		}
	}
}
