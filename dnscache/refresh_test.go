package dnscache

import (
	"context"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"assay/dnscache/dnstest"
	"github.com/miekg/dns"
)

// until waits for what another goroutine is about to do.
func until(t testing.TB, what string, done func() bool) {
	t.Helper()
	for limit := time.Now().Add(10 * time.Second); !done(); runtime.Gosched() {
		if time.Now().After(limit) {
			t.Fatalf("never: %s", what)
		}
	}
}

func TestPrefetch(t *testing.T) {
	asked := func(what string, want uint64, text, rrtype, name string, hits ...time.Duration) {
		t.Helper()
		z := dnstest.MustParse(t, text)
		now := newClock()
		r := New(Config{Servers: servers(z.Serve(t)), now: now.Now})
		first := resolve(r, t.Context(), rrtype, name)
		start := now.Now()
		for _, at := range hits {
			now.Advance(at - now.Now().Sub(start))
			if got := resolve(r, t.Context(), rrtype, name); got != first {
				t.Errorf("%s: got %s, then %s", what, first, got)
			}
			until(t, what, func() bool {
				q, _ := ask(name, types[rrtype])
				e, _ := r.cache.get(q, now.Now())
				return !e.refreshing.Load()
			})
		}
		if s := r.Stats(); s.Prefetches != want || s.Queries != want+1 || s.Misses != 1 {
			t.Errorf("%s: %+v, want %d prefetches", what, s, want)
		}
	}
	const s = time.Second
	asked("used twice", 1, "x. 100 TXT a", "TXT", "x", 10*s, 90*s)
	asked("just before", 0, "x. 100 TXT a", "TXT", "x", 10*s, 90*s-1)
	asked("used once", 0, "x. 100 TXT a", "TXT", "x", 90*s)
	asked("once in time", 1, "x. 100 TXT a", "TXT", "x", 90*s, 91*s, 92*s, 93*s)
	asked("again and again", 2, "x. 100 TXT a", "TXT", "x", 10*s, 90*s, 100*s, 185*s, 190*s)
	asked("absent", 1, "a.x. 100 TXT a\nx. 100 SOA . . 1 2 3 4 100", "TXT", "b.x", 10*s, 90*s)
	asked("no record", 1, "a.x. 100 TXT a\nx. 100 SOA . . 1 2 3 4 100", "A", "a.x", 10*s, 90*s)
	asked("failure", 0, "x. SERVFAIL", "TXT", "x", 1*s, 4900*time.Millisecond)
}

// outage is a server that can be told to fail.
type outage struct {
	how  atomic.Pointer[func(w dns.ResponseWriter, query *dns.Msg)]
	addr string
	now  *clock
	r    *Resolver
}

func newOutage(t *testing.T, c Config) *outage {
	o := &outage{now: newClock()}
	o.addr = serve(t, func(w dns.ResponseWriter, query *dns.Msg) {
		if how := o.how.Load(); how != nil {
			(*how)(w, query)
			return
		}
		w.WriteMsg(respond(query, query.Question[0].Name+" 60 IN TXT good"))
	})
	c.Servers, c.now = servers(o.addr), o.now.Now
	o.r = New(c)
	return o
}

func (o *outage) fails(how func(w dns.ResponseWriter, query *dns.Msg)) { o.how.Store(&how) }

func (o *outage) recovers() { o.how.Store(nil) }

func servfail(w dns.ResponseWriter, query *dns.Msg) {
	w.WriteMsg(new(dns.Msg).SetRcode(query, dns.RcodeServerFailure))
}

func silent(dns.ResponseWriter, *dns.Msg) {}

// ask looks x up and says whether the answer was marked as stale.
func (o *outage) ask(t *testing.T, want string, stale bool) {
	t.Helper()
	if got := resolve(o.r, t.Context(), "TXT", "x"); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if txt, err := o.r.TXT(t.Context(), "x"); err == nil && txt.Stale != stale {
		t.Errorf("stale %v, want %v", txt.Stale, stale)
	}
}

func TestServeStale(t *testing.T) {
	o := newOutage(t, Config{Stale: time.Hour})
	o.ask(t, `"good"`, false)
	o.fails(servfail)
	o.now.Advance(time.Minute)
	o.ask(t, `"good"`, true)
	if s := o.r.Stats(); s.Stale != 2 || s.Failures != 1 || s.Queries != 2 {
		t.Errorf("%+v", s)
	}
	// After a while the servers are asked again, in the background.
	o.now.Advance(5 * time.Second)
	o.ask(t, `"good"`, true)
	until(t, "second try", func() bool {
		e, _ := o.r.cache.get(question{"x", dns.TypeTXT}, o.now.Now())
		return e.streak == 2
	})
	o.ask(t, `"good"`, true)
	o.recovers()
	o.now.Advance(10 * time.Second)
	if txt, err := o.r.TXT(t.Context(), "x"); err != nil || !txt.Stale {
		t.Errorf("got %+v, %v", txt, err)
	}
	until(t, "the new answer", func() bool { txt, err := o.r.TXT(t.Context(), "x"); return err == nil && !txt.Stale })

	o.fails(servfail)
	o.now.Advance(time.Minute + time.Hour)
	o.ask(t, "temporary", false)
}

// TestStaleWhileSilent: who has an old answer does not wait for the whole
// time-out, and who has no time left gets it at once.
func TestStaleWhileSilent(t *testing.T) {
	o := newOutage(t, Config{Stale: time.Hour, Timeout: 4 * time.Second})
	o.ask(t, `"good"`, false)
	o.fails(silent)
	o.now.Advance(time.Minute)
	hurried, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if txt, err := o.r.TXT(hurried, "x"); err != nil || !txt.Stale {
		t.Errorf("in a hurry: got %+v, %v", txt, err)
	}
	start := time.Now()
	txt, err := o.r.TXT(t.Context(), "x")
	if took := time.Since(start); err != nil || !txt.Stale || took > patience+time.Second {
		t.Errorf("got %+v, %v after %v", txt, err, took)
	}
}

// TestGoneIsNotStale: what a server says counts.
func TestGoneIsNotStale(t *testing.T) {
	o := newOutage(t, Config{Stale: time.Hour})
	o.ask(t, `"good"`, false)
	o.fails(func(w dns.ResponseWriter, query *dns.Msg) {
		w.WriteMsg(new(dns.Msg).SetRcode(query, dns.RcodeNameError))
	})
	o.now.Advance(time.Minute)
	o.ask(t, "absent", false)
	o.fails(servfail)
	o.now.Advance(5 * time.Second)
	o.ask(t, "absent", false)
}

func TestFailuresGrow(t *testing.T) {
	o := newOutage(t, Config{})
	o.fails(servfail)
	for i, wait := range []time.Duration{5, 10, 20, 40, 60, 60} {
		o.ask(t, "temporary", false)
		o.now.Advance(wait*time.Second - 1)
		o.ask(t, "temporary", false)
		if got := o.r.Stats().Queries; got != uint64(i+1) {
			t.Errorf("after failure %d: %d queries", i+1, got)
		}
		o.now.Advance(1)
	}
	o.recovers()
	o.ask(t, `"good"`, false)
}
