package dnscache

import (
	"context"
	"errors"
	"fmt"
	"net"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"assay/dnscache/dnstest"
	"assay/verify/lookup"
	"github.com/miekg/dns"
)

func TestFailover(t *testing.T) {
	good := dnstest.MustParse(t, "x. TXT good\ny. TXT good")
	goodAddr := good.Serve(t)
	turns := func(text, want string) {
		t.Helper()
		bad := dnstest.MustParse(t, text)
		r := New(Config{Servers: servers(bad.Serve(t), goodAddr)})
		good.Reset()
		if got := resolve(r, t.Context(), "TXT", "x"); got != want {
			t.Errorf("%q: got %s, want %s", text, got, want)
		}
		if len(bad.Questions()) != 1 || len(good.Questions()) != strings.Count(want, "good") {
			t.Errorf("%q: first server asked %q, second %q", text, bad.Questions(), good.Questions())
		}
		if s := r.Stats(); s.Failures != 0 {
			t.Errorf("%q: counted as failure: %+v", text, s)
		}
	}
	turns("x. SERVFAIL", `"good"`)
	turns("x. REFUSED", `"good"`)
	turns("x. TXT first", `"first"`)
	turns("x. A 192.0.2.1", "")
	turns("z. A 192.0.2.1", "absent")
}

func TestTimeout(t *testing.T) {
	slow := dnstest.MustParse(t, "x. TIMEOUT\nx.y. A 192.0.2.1")
	good := dnstest.MustParse(t, "x. TXT good")
	slowAddr := slow.Serve(t)
	r := New(Config{Servers: servers(slowAddr, good.Serve(t)), Timeout: 500 * time.Millisecond})
	if got := resolve(r, t.Context(), "TXT", "x"); got != `"good"` {
		t.Errorf("second server: got %s", got)
	}
	if len(slow.Questions()) == 0 {
		t.Error("the first server was not asked")
	}
	r = New(Config{Servers: servers(slowAddr), Timeout: 100 * time.Millisecond})
	if got := resolve(r, t.Context(), "TXT", "x"); got != "timeout" {
		t.Errorf("no other server: got %s", got)
	}
	var e *net.DNSError
	if _, err := r.TXT(t.Context(), "x"); !errors.As(err, &e) || e.Server != slowAddr || e.Err != "i/o timeout" || e.Name != "x" {
		t.Errorf("got %#v", e)
	}
}

func TestNoServer(t *testing.T) {
	unreachable := "127.0.0.1:1"
	for _, s := range [][]Server{nil, servers(unreachable)} {
		r := New(Config{Servers: s, RetryAfter: time.Millisecond})
		if got := resolve(r, t.Context(), "A", "example.com"); got != "temporary" {
			t.Errorf("%v: got %s", s, got)
		}
		if got := r.Stats(); got.Failures != 1 || got.Queries != uint64(maxStrikes*len(s)) {
			t.Errorf("%v: %+v", s, got)
		}
	}
}

// TestFullCapMakesCallersWait has no place for a query for a while.
func TestFullCapMakesCallersWait(t *testing.T) {
	z := dnstest.MustParse(t, "*. TXT a")
	r := New(Config{Servers: servers(z.Serve(t)), InFlight: 1})
	r.sockets <- struct{}{}
	if got := r.Stats().InFlight; got != 1 {
		t.Errorf("in flight: %d", got)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if got := resolve(r, ctx, "TXT", "x"); got != "timeout" {
		t.Errorf("an impatient caller: got %s", got)
	}
	patient := make(chan string)
	go func() { patient <- resolve(r, t.Context(), "TXT", "x") }()
	for r.Stats().Misses < 2 {
		runtime.Gosched()
	}
	<-r.sockets
	if got := <-patient; got != `"a"` {
		t.Errorf("a patient caller: got %s", got)
	}
	var group sync.WaitGroup
	for i := range 50 {
		group.Go(func() {
			if got := resolve(r, t.Context(), "TXT", fmt.Sprintf("n%d", i)); got != `"a"` {
				t.Errorf("one of many: got %s", got)
			}
		})
	}
	group.Wait()
}

func TestPanicIsTemporary(t *testing.T) {
	r := New(Config{Servers: servers("127.0.0.1:1")})
	close(r.sockets) // so that taking one panics
	if got := resolve(r, t.Context(), "A", "example.com"); got != "temporary" {
		t.Errorf("got %s", got)
	}
}

// gate is a server that holds every answer back until it is opened.
func gate(t *testing.T) (addr string, asked <-chan struct{}, open func()) {
	arrived, opened := make(chan struct{}, 100), make(chan struct{})
	addr = serve(t, func(w dns.ResponseWriter, query *dns.Msg) {
		arrived <- struct{}{}
		<-opened
		w.WriteMsg(respond(query, "x. 300 IN TXT late"))
	})
	open = sync.OnceFunc(func() { close(opened) })
	t.Cleanup(open)
	return addr, arrived, open
}

func TestOneFlightPerQuestion(t *testing.T) {
	const callers = 100
	addr, _, open := gate(t)
	r := New(Config{Servers: servers(addr), Timeout: 20 * time.Second})
	answers := make(chan *lookup.TXT, callers)
	var group sync.WaitGroup
	for range callers {
		group.Go(func() {
			txt, err := r.TXT(t.Context(), "X.")
			if err != nil {
				t.Errorf("got %v", err)
			}
			answers <- txt
		})
	}
	for r.Stats().Misses < callers {
		runtime.Gosched()
	}
	open()
	group.Wait()
	first := <-answers
	for range callers - 1 {
		if txt := <-answers; txt != first {
			t.Error("callers of one flight got different answers")
		}
	}
	if got := r.Stats(); got.Queries != 1 || got.Misses != callers || got.Entries != 1 {
		t.Errorf("%+v", got)
	}
}

// TestLateFlight starts a flight for an answer that came in the meantime.
func TestLateFlight(t *testing.T) {
	r := New(Config{})
	q, landed := numbered(1), txtEntry(1)
	r.cache.keep(q, landed, r.now())
	if r.fly(q, nil) != landed {
		t.Error("the answer was not taken from the cache")
	}
}

func TestCallerGivesUp(t *testing.T) {
	addr, asked, open := gate(t)
	r := New(Config{Servers: servers(addr), Timeout: 20 * time.Second})
	ctx, cancel := context.WithCancel(t.Context())
	gone, stays := make(chan string), make(chan string)
	go func() { gone <- resolve(r, ctx, "TXT", "x") }()
	<-asked
	go func() { stays <- resolve(r, t.Context(), "TXT", "x") }()
	cancel()
	if got := <-gone; got != "temporary" {
		t.Errorf("the caller who gave up: got %s", got)
	}
	open()
	if got := <-stays; got != `"late"` {
		t.Errorf("the caller who stayed: got %s", got)
	}
	if got := resolve(r, ctx, "TXT", "x"); got != `"late"` {
		t.Errorf("from the cache: got %s", got)
	}
	if got := r.Stats(); got.Queries != 1 || got.Failures != 0 {
		t.Errorf("%+v", got)
	}
}

func TestContextAlreadyOver(t *testing.T) {
	z := dnstest.MustParse(t, "x. TXT a")
	r := New(Config{Servers: servers(z.Serve(t))})
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	late, cancel := context.WithDeadline(t.Context(), time.Unix(1, 0))
	defer cancel()
	if got := resolve(r, cancelled, "TXT", "x"); got != "temporary" {
		t.Errorf("cancelled: got %s", got)
	}
	if got := resolve(r, late, "TXT", "x"); got != "timeout" {
		t.Errorf("late: got %s", got)
	}
	if got := z.Questions(); len(got) != 0 {
		t.Errorf("questions %q", got)
	}
	if got := resolve(r, t.Context(), "TXT", "x"); got != `"a"` {
		t.Errorf("afterwards: got %s", got)
	}
}

func TestNothingIsLeftRunning(t *testing.T) {
	z := dnstest.MustParse(t, "*. TXT a\nslow. TIMEOUT")
	addr := z.Serve(t)
	before := runtime.NumGoroutine()
	r := New(Config{Servers: servers(addr, addr), Timeout: 50 * time.Millisecond})
	ctx, cancel := context.WithCancel(t.Context())
	var group sync.WaitGroup
	for i := range 100 {
		group.Go(func() { resolve(r, ctx, "TXT", fmt.Sprintf("n%d", i)) })
		group.Go(func() { resolve(r, ctx, "TXT", "slow") })
	}
	for s := r.Stats(); s.Hits+s.Misses < 200; s = r.Stats() {
		runtime.Gosched()
	}
	cancel()
	group.Wait()
	for deadline := time.Now().Add(10 * time.Second); runtime.NumGoroutine() > before; runtime.Gosched() {
		if time.Now().After(deadline) {
			t.Fatalf("%d goroutines, %d before", runtime.NumGoroutine(), before)
		}
	}
}
