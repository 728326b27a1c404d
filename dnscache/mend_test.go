package dnscache

import (
	"errors"
	"net"
	"sync/atomic"
	"testing"
	"time"

	"github.com/miekg/dns"
)

// TestStaleAbsenceIsOfItsOwnName: that a name did not exist an hour ago says
// nothing of the names below it while servers fail.
func TestStaleAbsenceIsOfItsOwnName(t *testing.T) {
	c := newCache(100, testTimes)
	gone := question{"gone.example", dns.TypeTXT}
	answer := absence(gone, true)
	c.keep(gone, answer, epoch)
	c.keep(gone, failure(gone), answer.expires)
	if e, fresh := c.get(gone, answer.expires); !fresh || !e.stale {
		t.Errorf("its own name: got %+v, fresh %v", e, fresh)
	}
	if e, _ := c.get(question{"a.gone.example", dns.TypeTXT}, answer.expires); e != nil {
		t.Errorf("a name below it: got %+v", e)
	}
}

// TestStaleEndsWithTheOutage: after a long silence nobody knows whether the servers
// still fail, so they are asked before a stale answer is given.
func TestStaleEndsWithTheOutage(t *testing.T) {
	o := newOutage(t, Config{Stale: time.Hour})
	o.ask(t, `"good"`, false)
	o.fails(servfail)
	o.now.Advance(time.Minute)
	o.ask(t, `"good"`, true)
	o.recovers()
	o.now.Advance(DefaultFailureTTL + maxFailureTTL)
	o.ask(t, `"good"`, false)
}

// TestImpatience: a server that is silent is known as bad also where its time is over
// before the next one is asked for being late.
func TestImpatience(t *testing.T) {
	r := New(Config{Servers: servers(serve(t, silent), serve(t, txtOf("good"))), Timeout: 50 * time.Millisecond, RetryAfter: time.Minute})
	if got := resolve(r, t.Context(), "TXT", "x"); got != `"good"` {
		t.Errorf("got %s", got)
	}
	if up := r.Stats().Upstreams; up[0].Lost != 1 {
		t.Errorf("%+v", up)
	}
}

// TestForgedWithoutCookie: who leaves the cookie out, where the server is known to
// have one, gets nowhere.
func TestForgedWithoutCookie(t *testing.T) {
	var forge, loses atomic.Bool
	var udp, tcp atomic.Int32
	addr := serve(t, func(w dns.ResponseWriter, query *dns.Msg) {
		m := respond(query, "x. 60 IN TXT true")
		if isTCP(w) {
			tcp.Add(1)
			w.WriteMsg(m)
			return
		}
		udp.Add(1)
		if forge.Load() {
			w.WriteMsg(respond(query, "x. 60 IN TXT forged"))
		}
		if !loses.Load() {
			m.SetEdns0(udpSize, false)
			m.IsEdns0().Option = []dns.EDNS0{&dns.EDNS0_COOKIE{Code: dns.EDNS0COOKIE, Cookie: cookieOf(query)[:clientCookie] + "0102030405060708"}}
		}
		w.WriteMsg(m)
	})
	r := New(Config{Servers: servers(addr), MaxTTL: 1})
	asks := func(what string, wantUDP, wantTCP int32) {
		t.Helper()
		if got := resolve(r, t.Context(), "TXT", "x"); got != `"true"` {
			t.Errorf("%s: got %s", what, got)
		}
		if udp.Load() != wantUDP || tcp.Load() != wantTCP {
			t.Errorf("%s: %d times UDP, %d times TCP, want %d, %d", what, udp.Load(), tcp.Load(), wantUDP, wantTCP)
		}
	}
	asks("first", 1, 0)
	forge.Store(true)
	asks("forged", 2, 1)
	forge.Store(false)
	asks("learnt again", 3, 1)
	// The server has no cookies any more: that costs one question over TCP.
	loses.Store(true)
	asks("lost", 4, 2)
	asks("lost for good", 5, 2)
}

// TestForgedTwice: who once guesses a query and leaves the cookie out does not make
// the next forgery easier.
func TestForgedTwice(t *testing.T) {
	var forge atomic.Int32
	addr := serve(t, func(w dns.ResponseWriter, query *dns.Msg) {
		if !isTCP(w) && forge.Add(-1) >= 0 {
			w.WriteMsg(respond(query, "x. 60 IN TXT forged"))
		}
		m := respond(query, "x. 60 IN TXT true")
		m.SetEdns0(udpSize, false)
		m.IsEdns0().Option = []dns.EDNS0{&dns.EDNS0_COOKIE{Code: dns.EDNS0COOKIE, Cookie: cookieOf(query)[:clientCookie] + "0102030405060708"}}
		w.WriteMsg(m)
	})
	r := New(Config{Servers: servers(addr), MaxTTL: 1})
	defer r.Close()
	for n := range 4 {
		if n > 0 {
			forge.Store(1)
		}
		if got := resolve(r, t.Context(), "TXT", "x"); got != `"true"` {
			t.Errorf("question %d: got %s", n, got)
		}
	}
}

// TestBadCookieForever: a server that never likes its own cookie is asked over TCP.
func TestBadCookieForever(t *testing.T) {
	addr := serve(t, func(w dns.ResponseWriter, query *dns.Msg) {
		m := respond(query, "x. 60 IN TXT true")
		if !isTCP(w) {
			m = respond(query).SetEdns0(udpSize, false)
			m.Rcode = dns.RcodeBadCookie
			m.IsEdns0().Option = []dns.EDNS0{&dns.EDNS0_COOKIE{Code: dns.EDNS0COOKIE, Cookie: cookieOf(query)[:clientCookie] + "0102030405060708"}}
		}
		w.WriteMsg(m)
	})
	if got := resolve(New(Config{Servers: servers(addr)}), t.Context(), "TXT", "x"); got != `"true"` {
		t.Errorf("got %s", got)
	}
}

// hooked is a connection whose calls are the test's.
type hooked struct {
	net.Conn
	write func(packet []byte)
	close func()
}

func (h *hooked) Write(packet []byte) (int, error) { h.write(packet); return len(packet), nil }
func (h *hooked) Close() error                     { h.close(); return nil }
func (h *hooked) SetReadDeadline(time.Time) error  { return nil }
func (h *hooked) SetWriteDeadline(time.Time) error { return nil }

func hookedLink() (*link, *hooked) {
	conn := &hooked{close: func() {}}
	l := &link{
		timeout: time.Minute, ready: make(chan struct{}), done: make(chan struct{}), cancel: func() {},
		pending: map[uint16]chan []byte{}, conn: &dns.Conn{Conn: conn},
	}
	close(l.ready)
	return l, conn
}

// TestLastAnswer: an answer counts also where the server closes the connection right
// after it.
func TestLastAnswer(t *testing.T) {
	for range 50 {
		l, conn := hookedLink()
		conn.write = func(packet []byte) {
			query := new(dns.Msg)
			if err := query.Unpack(packet[2:]); err != nil {
				t.Fatal(err)
			}
			l.deliver(pack(respond(query, "x. 60 IN TXT last")))
			l.fail(errClosed)
		}
		reply, err := l.ask(t.Context(), newQuery(question{"x", dns.TypeTXT}, false))
		if err != nil || len(reply.Answer) != 1 {
			t.Fatalf("got %v, %v", reply, err)
		}
	}
}

// TestSlowClose: while a connection takes its time to close, as TLS may, questions go
// on over another.
func TestSlowClose(t *testing.T) {
	l, conn := hookedLink()
	closing, closed := make(chan struct{}), make(chan struct{})
	conn.close = func() { close(closing); <-closed }
	failed := make(chan struct{})
	go func() { l.fail(errors.New("over")); close(failed) }()
	<-closing
	usable := make(chan bool, 1)
	go func() { usable <- l.usable() }()
	select {
	case got := <-usable:
		if got {
			t.Error("still usable")
		}
	case <-time.After(5 * time.Second):
		t.Error("who asks waits for the connection to close")
	}
	close(closed)
	<-failed
}
