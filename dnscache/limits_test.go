package dnscache

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"assay/dnscache/dnstest"
	"assay/dnscache/zone"
	"github.com/miekg/dns"
)

// TestQueryLimit: a question is sent so often and no more.
func TestQueryLimit(t *testing.T) {
	r := New(Config{Servers: servers(serve(t, silent)), RetryAfter: time.Millisecond, Timeout: 500 * time.Millisecond})
	if got := resolve(r, t.Context(), "TXT", "x"); got != "timeout" {
		t.Errorf("got %s", got)
	}
	if got := r.Stats().Queries; got != maxQueries {
		t.Errorf("%d queries, want %d", got, maxQueries)
	}
}

// TestWaitingLimit: as many questions wait as may, and one more fails at once; it did
// not ask anybody.
func TestWaitingLimit(t *testing.T) {
	z := dnstest.MustParse(t, "*. TXT a")
	r := New(Config{Servers: servers(z.Serve(t)), InFlight: 1})
	r.sockets <- struct{}{}
	r.waiting.Store(maxWaiting - 1)
	last := make(chan string)
	go func() { last <- resolve(r, t.Context(), "TXT", "last") }()
	until(t, "it waits", func() bool { return r.waiting.Load() == maxWaiting })
	if got := resolve(r, t.Context(), "TXT", "more"); got != "temporary" {
		t.Errorf("one more: got %s", got)
	}
	<-r.sockets
	if got := <-last; got != `"a"` {
		t.Errorf("the last one: got %s", got)
	}
	if n := r.waiting.Load(); n != maxWaiting-1 || len(z.Questions()) != 1 {
		t.Errorf("%d wait, %q were asked", n, z.Questions())
	}
}

func TestPendingLimit(t *testing.T) {
	l := &link{pending: map[uint16]chan []byte{}}
	for i := range maxPending - 1 {
		l.pending[uint16(i)] = nil
	}
	if !l.usable() {
		t.Error("below the limit: not usable")
	}
	l.pending[maxPending] = nil
	if l.usable() {
		t.Error("at the limit: usable")
	}
}

func TestCookieLimit(t *testing.T) {
	takes := func(octets int, want bool) {
		t.Helper()
		j := jar{cookie: "0102030405060708"}
		m := new(dns.Msg).SetQuestion("x.", dns.TypeTXT).SetEdns0(udpSize, false)
		cookie := strings.Repeat("ab", octets)
		m.IsEdns0().Option = []dns.EDNS0{&dns.EDNS0_COOKIE{Code: dns.EDNS0COOKIE, Cookie: cookie}}
		j.take(m, false)
		if got := j.cookie == cookie; got != want {
			t.Errorf("%d octets: taken %v, want %v", octets, got, want)
		}
	}
	takes(0, false)
	takes(8, false)
	takes(16, true)
	takes(40, true)
	takes(41, false)
}

func TestGrades(t *testing.T) {
	is := func(average time.Duration, want int) {
		t.Helper()
		h := health{stats: UpstreamStats{Average: average}}
		if got := h.grade(); got != want {
			t.Errorf("%v: grade %d, want %d", average, got, want)
		}
	}
	is(0, 0)
	is(healthUnit-1, 0)
	is(healthUnit, 1)
	is(2*healthUnit-1, 1)
	is(2*healthUnit, 2)
	is(time.Minute, 12)

	var h health
	h.sent()
	h.replied(4 * time.Millisecond)
	h.sent()
	h.lost(time.Second)
	h.replied(time.Hour)
	got := h.read()
	if got.Queries != 2 || got.Replies != 2 || got.Lost != 1 || got.Latency[2] != 1 || got.Latency[len(LatencyBounds)] != 1 || got.Average < 15*time.Minute {
		t.Errorf("%+v", got)
	}
	now := epoch
	if !h.probe(now) || h.probe(now.Add(probeInterval-1)) || !h.probe(now.Add(probeInterval)) {
		t.Error("probes do not keep their distance")
	}
}

func TestExplain(t *testing.T) {
	z := dnstest.MustParse(t, "x. 60 TXT a\nx. 60 MX 10 y.\ny. 60 A 192.0.2.1\n1.2.0.192.in-addr.arpa. PTR y.\ndown. SERVFAIL\n")
	addr := z.Serve(t)
	now := newClock()
	r := New(Config{Servers: servers(addr), Stale: time.Hour, now: now.Now})
	says := func(name, rrtype, want string) {
		t.Helper()
		x, err := r.Explain(t.Context(), name, rrtype)
		got := fmt.Sprint(x.Records, " ", x.Err, " ", x.Source, " ", strings.ReplaceAll(x.Server, addr, "SERVER"), " ", x.TTL)
		if err != nil {
			got = err.Error()
		}
		if got = strings.ReplaceAll(got, addr, "SERVER"); got != want {
			t.Errorf("%s %s: got %s, want %s", name, rrtype, got, want)
		}
	}
	says("X.", "txt", `["a"] <nil> server SERVER 1m0s`)
	now.Advance(20 * time.Second)
	says("x", "TXT", `["a"] <nil> cache SERVER 40s`)
	says("x", "MX", `[10 y.] <nil> server SERVER 1m0s`)
	says("y", "A", `[192.0.2.1] <nil> server SERVER 1m0s`)
	says("y", "AAAA", `[] <nil> server SERVER 5m0s`)
	says("::ffff:192.0.2.1", "PTR", `[y.] <nil> server SERVER 1m0s`)
	says("z.com", "TXT", `[] lookup z.com: no such host server SERVER 5m0s`)
	says("a.z.com", "TXT", `[] lookup a.z.com: no such host cache SERVER 5m0s`)
	says("down", "A", `[] lookup down on SERVER: the server answers SERVFAIL server SERVER 5s`)
	says("a..b", "A", `[] lookup a..b: no such host   0s`)
	says("x", "SOA", `type "SOA" is not one of TXT, A, AAAA, MX, PTR`)
	z.Fail("x", "", dnstest.ServFail)
	now.Advance(40 * time.Second)
	says("x", "TXT", `["a"] <nil> stale SERVER 0s`)
}

func TestZone(t *testing.T) {
	z, err := zone.Parse(strings.NewReader("x. 60 TXT a\nloop. CNAME loop.\n"+strings.Repeat("big. TXT "+strings.Repeat("x", 250)+"\n", 257)), "test")
	if err != nil {
		t.Fatal(err)
	}
	r := New(Config{Zone: z})
	is := func(name, want string) {
		t.Helper()
		if got := resolve(r, t.Context(), "TXT", name); got != want {
			t.Errorf("%s: got %s, want %s", name, got, want)
		}
	}
	is("X", `"a"`)
	is("x", `"a"`)
	is("y", "absent")
	is("loop", "temporary")
	is("big", "temporary")
	if s := r.Stats(); s.Hits != 1 || s.Queries != 0 {
		t.Errorf("%+v", s)
	}
}
