package dnscache

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"assay/dnscache/dnstest"
	"github.com/miekg/dns"
)

// TestFaults has a server that misbehaves in one way after the other, alone and
// with a good one behind it. What it cannot say properly is a temporary failure,
// within the time that questions have.
func TestFaults(t *testing.T) {
	good := serve(t, txtOf("good"))
	const timeout = time.Second
	fault := func(what, alone, withGood string, handler dns.HandlerFunc) {
		t.Helper()
		addr := serve(t, handler)
		for _, c := range []struct {
			want    string
			servers []Server
		}{{alone, servers(addr)}, {withGood, servers(addr, good)}} {
			r := New(Config{Servers: c.servers, Timeout: timeout, RetryAfter: 100 * time.Millisecond, MixCase: true})
			start := time.Now()
			if got := resolve(r, t.Context(), "TXT", "x"); got != c.want {
				t.Errorf("%s, %d servers: got %s, want %s", what, len(c.servers), got, c.want)
			}
			if took := time.Since(start); took > timeout*time.Duration(len(c.servers))+time.Second {
				t.Errorf("%s, %d servers: took %v", what, len(c.servers), took)
			}
			r.Close()
		}
	}
	broken := func(what string, handler dns.HandlerFunc) {
		t.Helper()
		fault(what, "temporary", `"good"`, handler)
	}
	answer := func(records ...string) dns.HandlerFunc {
		return func(w dns.ResponseWriter, query *dns.Msg) {
			m := respond(query, records...)
			if !isTCP(w) {
				m.Truncate(udpSize)
			}
			w.WriteMsg(m)
		}
	}
	many := func(n int, record string) (records []string) {
		for i := range n {
			records = append(records, fmt.Sprintf("x. 60 IN "+record, i))
		}
		return records
	}
	chain := func(links int) []string {
		records := []string{"x. 60 IN CNAME c1.", fmt.Sprintf("c%d. 60 IN TXT end", links)}
		for i := 1; i < links; i++ {
			records = append(records, fmt.Sprintf("c%d. 60 IN CNAME c%d.", i, i+1))
		}
		return records
	}
	raw := func(change func(wire []byte) []byte) dns.HandlerFunc {
		return func(w dns.ResponseWriter, query *dns.Msg) {
			w.Write(change(pack(respond(query, "x. 60 IN TXT forged"))))
		}
	}

	broken("SERVFAIL", servfail)
	broken("REFUSED", func(w dns.ResponseWriter, query *dns.Msg) {
		w.WriteMsg(new(dns.Msg).SetRcode(query, dns.RcodeRefused))
	})
	fault("time-out", "timeout", `"good"`, silent)
	fault("truncated forever, silent over TCP", "timeout", `"good"`, func(w dns.ResponseWriter, query *dns.Msg) {
		m := respond(query)
		m.Truncated = true
		if !isTCP(w) {
			w.WriteMsg(m)
		}
	})
	broken("truncated forever", func(w dns.ResponseWriter, query *dns.Msg) {
		m := respond(query, "x. 60 IN TXT part")
		m.Truncated = true
		w.WriteMsg(m)
	})
	broken("closes TCP", func(w dns.ResponseWriter, query *dns.Msg) {
		m := respond(query)
		m.Truncated = true
		if isTCP(w) {
			w.Close()
			return
		}
		w.WriteMsg(m)
	})
	broken("CNAME loop", answer("x. 60 IN CNAME y.", "y. 60 IN CNAME x."))
	broken("CNAME to itself", answer("x. 60 IN CNAME x."))
	fault("chain of 8", `"end"`, `"end"`, answer(chain(8)...))
	broken("chain of 20", answer(chain(20)...))
	broken("64 KiB of text", answer(many(250, "TXT %03d"+strings.Repeat("x", 240))...))
	broken("4000 records", answer(many(4000, "TXT %x")...))
	fault("extra answers", `"true"`, `"true"`, answer("x. 60 IN TXT true", "bank.example. 60 IN TXT forged", "com. 60 IN NS evil."))
	fault("TTL 0", `"a"`, `"a"`, answer("x. 0 IN TXT a"))
	fault("TTL 2^31", `"a"`, `"a"`, answer("x. 2147483648 IN TXT a"))
	fault("NUL and dots in labels", "", "", answer(`x\000. 60 IN TXT forged`, `x\.y. 60 IN TXT forged`, `\.. 60 IN TXT forged`))
	broken("pointer to itself", raw(func(wire []byte) []byte {
		at := len(wire) - len("\xc0\x0c\x00\x10\x00\x01\x00\x00\x00\x3c\x00\x07\x06forged")
		binary.BigEndian.PutUint16(wire[at:], 0xc000|uint16(at))
		return wire
	}))
	broken("pointer forward", raw(func(wire []byte) []byte {
		at := len(wire) - len("\xc0\x0c\x00\x10\x00\x01\x00\x00\x00\x3c\x00\x07\x06forged")
		binary.BigEndian.PutUint16(wire[at:], 0xc000|uint16(len(wire)+4))
		return wire
	}))
	broken("name of 400 octets", raw(func(wire []byte) []byte {
		at := len(wire) - len("\xc0\x0c\x00\x10\x00\x01\x00\x00\x00\x3c\x00\x07\x06forged")
		long := strings.Repeat("\x3f"+strings.Repeat("a", 63), 6) + "\x00"
		return append(append(append([]byte{}, wire[:at]...), long...), wire[at+2:]...)
	}))
}

// names of 255 octets on the wire are asked for and come back; longer ones are absent.
func TestLongestName(t *testing.T) {
	r := New(Config{Servers: servers(serve(t, txtOf("good"))), MixCase: true})
	label := strings.Repeat("a", 63) + "."
	longest := strings.Repeat(label, 3) + strings.Repeat("b", 61)
	if got := resolve(r, t.Context(), "TXT", longest); got != `"good"` {
		t.Errorf("255 octets: got %s", got)
	}
	if got := resolve(r, t.Context(), "TXT", longest+"b"); got != "absent" {
		t.Errorf("256 octets: got %s", got)
	}
}

// trickle answers over TCP an octet at a time, so slowly that it never ends.
func trickle(t *testing.T) Server {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var group sync.WaitGroup
	group.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			group.Go(func() {
				defer conn.Close()
				if _, err := io.ReadFull(conn, make([]byte, 12)); err != nil {
					return
				}
				tick := time.NewTicker(10 * time.Millisecond)
				defer tick.Stop()
				for range tick.C {
					if _, err := conn.Write([]byte{0x7f}); err != nil {
						return
					}
				}
			})
		}
	})
	t.Cleanup(func() { listener.Close(); group.Wait() })
	return Server{Network: TCP, Addr: netip.MustParseAddrPort(listener.Addr().String())}
}

func TestTrickle(t *testing.T) {
	slow := trickle(t)
	r := New(Config{Servers: []Server{slow}, Timeout: 200 * time.Millisecond})
	for i := range 3 {
		start := time.Now()
		// The connection ends before or after the question does.
		if got := resolve(r, t.Context(), "TXT", fmt.Sprint("n", i)); got != "timeout" && got != "temporary" || time.Since(start) > 2*time.Second {
			t.Errorf("got %s after %v", got, time.Since(start))
		}
	}
	r = New(Config{Servers: append([]Server{slow}, servers(serve(t, txtOf("good")))...), RetryAfter: 20 * time.Millisecond})
	if got := resolve(r, t.Context(), "TXT", "x"); got != `"good"` {
		t.Errorf("with a good one: got %s", got)
	}
	r.Close()
}

// TestTCPRefused has a server without TCP send truncated answers.
func TestTCPRefused(t *testing.T) {
	packets, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := &dns.Server{PacketConn: packets, Handler: dns.HandlerFunc(func(w dns.ResponseWriter, query *dns.Msg) {
		m := respond(query)
		m.Truncated = true
		w.WriteMsg(m)
	})}
	started := make(chan struct{})
	server.NotifyStartedFunc = func() { close(started) }
	go server.ActivateAndServe()
	<-started
	defer server.Shutdown()
	r := New(Config{Servers: servers(packets.LocalAddr().String()), RetryAfter: time.Millisecond})
	_, err = r.TXT(t.Context(), "x")
	if err == nil || kind(err) != "temporary" || !strings.Contains(err.Error(), "refused") {
		t.Errorf("got %v", err)
	}
	if got := r.Stats().Upstreams[0].NoTCP; got == 0 {
		t.Error("it is not noticed that the server has no TCP")
	}
}

// TestTCPTruncated counts nothing against a server that answers over TCP.
func TestTCPTruncated(t *testing.T) {
	r := New(Config{Servers: servers(serve(t, func(w dns.ResponseWriter, query *dns.Msg) {
		m := respond(query, "x. 60 IN TXT whole")
		m.Truncated = !isTCP(w)
		w.WriteMsg(m)
	}))})
	defer r.Close()
	if got := resolve(r, t.Context(), "TXT", "x"); got != `"whole"` {
		t.Fatalf("got %s", got)
	}
	if got := r.Stats().Upstreams[0]; got.NoTCP != 0 || got.Took <= 0 {
		t.Errorf("%d without TCP, %s for all replies", got.NoTCP, got.Took)
	}
}

// TestRestart restarts the only server under load: nobody notices.
func TestRestart(t *testing.T) {
	start := func(addr string) (*dns.Server, string) {
		packets, err := net.ListenPacket("udp", addr)
		if err != nil {
			t.Fatal(err)
		}
		server := &dns.Server{PacketConn: packets, Handler: txtOf("good")}
		started := make(chan struct{})
		server.NotifyStartedFunc = func() { close(started) }
		go server.ActivateAndServe()
		<-started
		return server, packets.LocalAddr().String()
	}
	server, addr := start("127.0.0.1:0")
	r := New(Config{Servers: servers(addr), RetryAfter: 100 * time.Millisecond, Timeout: 10 * time.Second})
	var stop atomic.Bool
	var asked, failures atomic.Int32
	var group sync.WaitGroup
	for i := range 20 {
		group.Go(func() {
			for n := 0; !stop.Load(); n++ {
				if got := resolve(r, t.Context(), "TXT", fmt.Sprintf("n%d.g%d", n, i)); got != `"good"` {
					failures.Add(1)
				}
				asked.Add(1)
			}
		})
	}
	progress := func(n int32) {
		before := asked.Load()
		until(t, "progress", func() bool { return asked.Load() >= before+n })
	}
	for range 3 {
		progress(200)
		server.Shutdown()
		server, _ = start(addr)
	}
	progress(200)
	stop.Store(true)
	group.Wait()
	server.Shutdown()
	if failures.Load() > 0 {
		t.Errorf("%d of %d questions failed", failures.Load(), asked.Load())
	}
}

// TestResolvConfChanges: the servers of another file content are used.
func TestResolvConfChanges(t *testing.T) {
	path := filepath.Join(t.TempDir(), "resolv.conf")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(path+".new", []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(path+".new", path); err != nil {
			t.Fatal(err)
		}
	}
	write("nameserver 127.0.0.1\n")
	now := newClock()
	servers, err := SystemServers(path)
	if err != nil {
		t.Fatal(err)
	}
	r := New(Config{Servers: servers, ResolvConf: path, now: now.Now})
	uses := func(want ...string) {
		t.Helper()
		now.Advance(30 * time.Second)
		var got []string
		for _, u := range r.Stats().Upstreams {
			got = append(got, u.Server)
		}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("uses %q, want %q", got, want)
		}
	}
	first := r.pool.all(now.Now())[0]
	uses("127.0.0.1:53")
	write("nameserver 192.0.2.1\nnameserver 127.0.0.1\n")
	uses("192.0.2.1:53", "127.0.0.1:53")
	if r.pool.all(now.Now())[1] != first {
		t.Error("what is known of a server that stays is lost")
	}
	write("nameserver nonsense\n")
	uses("192.0.2.1:53", "127.0.0.1:53")
	os.Remove(path)
	uses("192.0.2.1:53", "127.0.0.1:53")
	write("nameserver 192.0.2.2\n")
	uses("192.0.2.2:53")
}

// TestResolvConfWhileStarting: a file that changes between being read and New is not
// taken for the one that was read.
func TestResolvConfWhileStarting(t *testing.T) {
	path := filepath.Join(t.TempDir(), "resolv.conf")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("nameserver 192.0.2.1\n")
	servers, err := SystemServers(path)
	if err != nil {
		t.Fatal(err)
	}
	write("nameserver 192.0.2.2\n")
	now := newClock()
	r := New(Config{Servers: servers, ResolvConf: path, now: now.Now})
	uses := func(what, want string) {
		t.Helper()
		now.Advance(watchInterval)
		if all := r.pool.all(now.Now()); len(all) != 1 || all[0].name != want {
			t.Errorf("%s: uses %v, want %s", what, all[0].name, want)
		}
	}
	uses("changed meanwhile", "192.0.2.2:53")
	// Who writes in place empties the file first.
	write("")
	uses("empty", "192.0.2.2:53")
	write("nameserver 192.0.2.3\n")
	uses("written", "192.0.2.3:53")
	write("# none\n")
	uses("without servers", "127.0.0.1:53")
}

// TestThousand has a thousand goroutines at it, with every kind of answer, and
// counts goroutines and sockets afterwards.
func TestThousand(t *testing.T) {
	z := dnstest.MustParse(t, "*.good. TXT a\n*.bad. SERVFAIL\n*.slow. TIMEOUT\ngone. A 192.0.2.1\n")
	z.Add("*.long", "TXT", strings.Repeat("x", 3000))
	addr := z.Serve(t)
	sockets, goroutines := countSockets(t), runtime.NumGoroutine()
	r := New(Config{
		Servers: servers(addr, "127.0.0.1:1"), Timeout: 2 * time.Second, RetryAfter: 100 * time.Millisecond,
		Stale: time.Hour, MixCase: true, Entries: 200, InFlight: 100,
	})
	kinds := []string{"good", "bad", "slow", "gone", "long"}
	wants := map[string]string{"good": `"a"`, "gone": "absent", "long": `"` + strings.Repeat("x", 3000) + `"`}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var group sync.WaitGroup
	for g := range 1000 {
		group.Go(func() {
			for n := range 5 {
				kind := kinds[(g+n)%len(kinds)]
				got := resolve(r, ctx, "TXT", fmt.Sprintf("n%d.%s", g%50, kind))
				if want := wants[kind]; want != "" && got != want || want == "" && got != "temporary" && got != "timeout" {
					t.Errorf("%s: got %.50s", kind, got)
				}
			}
		})
	}
	group.Wait()
	r.Close()
	until(t, "no goroutine left", func() bool { runtime.GC(); return runtime.NumGoroutine() <= goroutines })
	until(t, "no socket left", func() bool { return countSockets(t) <= sockets })
	if s := r.Stats(); s.InFlight != 0 || s.Entries > 200 {
		t.Errorf("%+v", s)
	}
}

// countSockets counts the sockets of this process.
func countSockets(t *testing.T) (n int) {
	t.Helper()
	files, err := os.ReadDir("/proc/self/fd")
	if errors.Is(err, os.ErrNotExist) {
		return 0 // not Linux
	}
	for _, f := range files {
		if to, err := os.Readlink("/proc/self/fd/" + f.Name()); err == nil && strings.HasPrefix(to, "socket:") {
			n++
		}
	}
	return n
}
