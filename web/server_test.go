package web

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestHealth(t *testing.T) {
	s := start(t, testZone)
	c := s.serve(t)
	want := func(path string, code int, text string) {
		t.Helper()
		if got, body := get(t, c, path); got != code || strings.TrimSpace(body) != text {
			t.Errorf("%s: %d %s, want %d %s", path, got, body, code, text)
		}
	}
	want("/healthz", 200, "ok")
	want("/readyz", 200, "ok")
	want("/elsewhere", 404, "404 page not found")

	// While messages are finished, the numbers can still be read.
	if err := s.filter.Shutdown(context.Background()); err != nil {
		t.Fatal(err)
	}
	want("/healthz", 200, "ok")
	want("/readyz", 503, "stopping: messages in flight are being finished")
	if code, text := get(t, c, "/metrics"); code != 200 || !strings.Contains(text, "assay_sessions 0\n") {
		t.Errorf("/metrics: %d %s", code, text)
	}
}

func TestNotReadyWithoutDNS(t *testing.T) {
	s := start(t, "a.root-servers.net. SERVFAIL")
	if code, body := get(t, s.serve(t), "/readyz"); code != 503 || body != noServer+"\n" {
		t.Errorf("%d %s", code, body)
	}
}

func TestNotReadyBeforeStart(t *testing.T) {
	m := New("1.2.3", time.Now)
	if got := m.notReady(context.Background()); got != "starting" {
		t.Errorf("got %q", got)
	}
	if _, err := m.registry.Gather(); err != nil {
		t.Error(err)
	}
	if s := m.status(context.Background()); s.NotReady != "starting" || len(s.Recent) != 3 {
		t.Errorf("%+v", s)
	}
}

// TestProfiles are served where they were asked for only.
func TestProfiles(t *testing.T) {
	s := start(t, testZone)
	c := s.serve(t)
	for _, path := range []string{"/debug/pprof/", "/debug/pprof/cmdline", "/debug/pprof/heap"} {
		if code, body := get(t, c, path); code != 404 || body != "listen.pprof is off\n" {
			t.Errorf("off: %s: %d %s", path, code, body)
		}
	}
	s.facts.Pprof = true
	s.Use(s.facts)
	for _, path := range []string{"/debug/pprof/", "/debug/pprof/cmdline", "/debug/pprof/heap", "/debug/pprof/symbol"} {
		if code, _ := get(t, c, path); code != 200 {
			t.Errorf("on: %s: %d", path, code)
		}
	}
}

// TestRude: those who send garbage, too much, or nothing, get their answer or
// none; others, and mail, do not notice.
func TestRude(t *testing.T) {
	s := start(t, testZone)
	c := s.serve(t)
	say := func(what, sent, want string) {
		t.Helper()
		conn, err := net.Dial("tcp", c.Addr)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		conn.SetDeadline(time.Now().Add(10 * time.Second))
		_, _ = io.WriteString(conn, sent) // it may be closed on the way
		line, _ := bufio.NewReader(conn).ReadString('\n')
		if !strings.Contains(line, want) {
			t.Errorf("%s: got %q, want %q", what, line, want)
		}
	}
	say("garbage", "\x00\x16\x03\x01 garbage\r\n\r\n", "400 Bad Request")
	say("no version", "GET /status\r\n\r\n", "400 Bad Request")
	say("a header at the limit", "GET /healthz HTTP/1.0\r\nX: "+strings.Repeat("x", maxHeaderBytes)+"\r\n\r\n", "200 OK")
	say("a header beyond what is read", "GET /healthz HTTP/1.0\r\nX: "+strings.Repeat("x", maxHeaderBytes+8<<10)+"\r\n\r\n", "431")
	say("another method", "POST /status HTTP/1.0\r\n\r\n", "405")
	say("silent", "", "") // closed after requestWait

	// Some never read, and more come than there are places.
	for range maxConnections - 1 {
		conn, err := net.Dial("tcp", c.Addr)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		for range 3 {
			if _, err := io.WriteString(conn, "GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n"); err != nil {
				t.Fatal(err)
			}
		}
	}
	if code, _ := get(t, c, "/healthz"); code != 200 {
		t.Errorf("beside those who never read: %d", code)
	}
	s.deliver(t, "example.com")
}

// TestConnections: one more than there are places for waits, and is served when
// one leaves.
func TestConnections(t *testing.T) {
	s := start(t, testZone)
	c := s.serve(t)
	var conns []net.Conn
	for range maxConnections {
		conn, err := net.Dial("tcp", c.Addr)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		if _, err := io.WriteString(conn, "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
		if _, err := http.ReadResponse(bufio.NewReader(conn), nil); err != nil {
			t.Fatal(err)
		}
		conns = append(conns, conn)
	}
	more, err := net.Dial("tcp", c.Addr)
	if err != nil {
		t.Fatal(err)
	}
	defer more.Close()
	if _, err := io.WriteString(more, "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	more.SetReadDeadline(time.Now().Add(50 * time.Millisecond))
	if n, err := more.Read(make([]byte, 1)); err == nil {
		t.Errorf("it is served: %d octets", n)
	}
	conns[0].Close()
	more.SetReadDeadline(time.Now().Add(10 * time.Second))
	if _, err := more.Read(make([]byte, 1)); err != nil {
		t.Errorf("when one has left: %v", err)
	}
}

func TestDebug(t *testing.T) {
	s := start(t, testZone)
	c := s.serve(t)
	ctx := context.Background()
	if said, err := c.Debug(ctx, 30*time.Minute, []string{"192.0.2.0/24", "2001:db8::1"}, []string{".example.com"}); err != nil || said != "details are logged until 2026-11-24T12:30:00Z" {
		t.Fatalf("%q, %v", said, err)
	}
	d := s.filter.Debug(s.clock())
	if d == nil || !d.Networks.Has(netipAddr("192.0.2.9")) || d.Networks.Has(netipAddr("2001:db8::2")) || d.Authors == nil {
		t.Errorf("%+v", d)
	}
	if st, err := c.Status(ctx); err != nil || st.Debug == nil {
		t.Errorf("the status does not say so: %v", err)
	}
	if said, err := c.NoDebug(ctx); err != nil || said != "details are no longer logged" || s.filter.Debug(s.clock()) != nil {
		t.Errorf("%q, %v", said, err)
	}
	refused := func(want string, length time.Duration, clients, authors []string) {
		t.Helper()
		if _, err := c.Debug(ctx, length, clients, authors); err == nil || err.Error() != "the running assay says: "+want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
	refused(`for: "24h0m1s" is not a time of up to 24h0m0s, such as 30m`, debugLongest+time.Second, nil, nil)
	refused(`client: "192.0.2.0/33" is neither an address nor a network`, time.Minute, []string{"192.0.2.0/33"}, nil)
	refused(`more than 100 clients or authors`, time.Minute, make([]string, debugItems+1), nil)
	if _, err := c.Debug(ctx, debugLongest, slicesOf("192.0.2.1", debugItems), slicesOf("example.com", debugItems)); err != nil {
		t.Errorf("at the limits: %v", err)
	}
	if code, _ := get(t, c, "/debug/log?for=1h"); code != http.StatusMethodNotAllowed {
		t.Errorf("a page of somebody else's could switch it: %d", code)
	}
}

// TestClientNobody: that nobody listens, and that it is somebody else, is told.
func TestClientNobody(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	other := http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "{}") })}
	go other.Serve(l)
	c := Client{"tcp", l.Addr().String()}
	if _, err := c.Status(context.Background()); !errors.Is(err, ErrSilent) || !strings.Contains(err.Error(), "answers otherwise") {
		t.Errorf("somebody else: %v", err)
	}
	other.Close()
	if _, err := c.Status(context.Background()); !errors.Is(err, ErrSilent) || !strings.Contains(err.Error(), "connection refused") {
		t.Errorf("nobody: %v", err)
	}
}

// TestStatusJSON: what a client reads is what was told.
func TestStatusJSON(t *testing.T) {
	s := start(t, testZone)
	s.deliver(t, "forged.example")
	got, err := s.serve(t).Status(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	want := s.status(context.Background())
	a, _ := json.Marshal(got)
	b, _ := json.Marshal(want)
	if string(a) != string(b) {
		t.Errorf("got %s\nwant %s", a, b)
	}
	if len(got.Failing) != 1 || got.Failing[0].Domain != "forged.example" || got.Recent[0].Actions["reject"] != 1 {
		t.Errorf("%+v", got)
	}
}
