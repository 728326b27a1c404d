package dnscache

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"math/big"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"assay/dnscache/dnstest"
	"github.com/miekg/dns"
)

// TestNextServer: one that is silent costs RetryAfter, not Timeout.
func TestNextServer(t *testing.T) {
	dead := serve(t, silent)
	good := dnstest.MustParse(t, "*. TXT good")
	r := New(Config{Servers: servers(dead, good.Serve(t)), RetryAfter: 20 * time.Millisecond, Timeout: time.Minute})
	if got := resolve(r, t.Context(), "TXT", "x"); got != `"good"` {
		t.Errorf("got %s", got)
	}
	// From now on the good one is asked first.
	asked := r.Stats().Upstreams[0].Queries
	for i := range 20 {
		if got := resolve(r, t.Context(), "TXT", fmt.Sprintf("n%d", i)); got != `"good"` {
			t.Errorf("got %s", got)
		}
	}
	up := r.Stats().Upstreams
	if up[0].Queries > asked+5 || up[0].Lost == 0 || up[0].Average < time.Second || up[1].Lost > 0 || up[1].Replies != 21 {
		t.Errorf("%+v", up)
	}
}

// TestRecovery has a server come back: it is noticed by a question that is put
// to it besides, and goes first again.
func TestRecovery(t *testing.T) {
	var down atomic.Bool
	first := serve(t, func(w dns.ResponseWriter, query *dns.Msg) {
		if !down.Load() {
			w.WriteMsg(respond(query, query.Question[0].Name+" 60 IN TXT first"))
		}
	})
	second := dnstest.MustParse(t, "*. TXT second")
	now := newClock()
	r := New(Config{Servers: servers(first, second.Serve(t)), Timeout: 200 * time.Millisecond, RetryAfter: 10 * time.Millisecond, now: now.Now})
	n := 0
	next := func() string { n++; return resolve(r, t.Context(), "TXT", fmt.Sprintf("n%d", n)) }
	if got := next(); got != `"first"` {
		t.Errorf("at first: got %s", got)
	}
	down.Store(true)
	next()
	if got := next(); got != `"second"` {
		t.Errorf("first server down: got %s", got)
	}
	down.Store(false)
	for tries := 0; next() != `"first"`; tries++ {
		if tries == 50 {
			t.Fatalf("never asked again: %+v", r.Stats().Upstreams)
		}
		now.Advance(probeInterval)
		until(t, "probe", func() bool { return r.Stats().InFlight == 0 })
	}
}

// TestMixedCase: names go out in random case, and an answer without it is asked
// for again over TCP.
func TestMixedCase(t *testing.T) {
	const name = "abcdefghijklmnopqrstuvwxyz.example"
	var mu sync.Mutex
	var seen []string
	var udp, tcp int
	lowers := false
	addr := serve(t, func(w dns.ResponseWriter, query *dns.Msg) {
		mu.Lock()
		defer mu.Unlock()
		asked := query.Question[0].Name
		seen = append(seen, asked)
		var m *dns.Msg
		if isTCP(w) {
			tcp++
			m = respond(query, asked+" 60 IN TXT true")
		} else if udp++; lowers {
			m = respond(query, asked+" 60 IN TXT forged")
		} else {
			m = respond(query, asked+" 60 IN TXT kept")
		}
		if lowers {
			m.Question[0].Name = strings.ToLower(asked)
		}
		w.WriteMsg(m)
	})
	r := New(Config{Servers: servers(addr), MixCase: true})
	for i := range 10 {
		if got := resolve(r, t.Context(), "TXT", fmt.Sprint("n", i, ".", name)); got != `"kept"` {
			t.Errorf("got %s", got)
		}
	}
	mu.Lock()
	slices.Sort(seen)
	for i := range seen {
		seen[i] = seen[i][strings.IndexByte(seen[i], '.'):]
	}
	if n := len(slices.Compact(seen)); n != 10 || tcp != 0 {
		t.Errorf("%d different names, %d times TCP", n, tcp)
	}

	// A server that does not keep the case is found out over TCP, once.
	lowers, udp, tcp = true, 0, 0
	mu.Unlock()
	want := []string{`"true"`, `"forged"`, `"forged"`} // it was no forgery after all
	for i, want := range want {
		if got := resolve(r, t.Context(), "TXT", fmt.Sprint("m", i, ".", name)); got != want {
			t.Errorf("lower case %d: got %s, want %s", i, got, want)
		}
	}
	mu.Lock()
	defer mu.Unlock()
	if udp != 3 || tcp != 1 {
		t.Errorf("lower case: %d times UDP, %d times TCP", udp, tcp)
	}
}

// TestForgedCase: one who does not know the case gets nowhere, and the server
// is trusted to keep it afterwards as well.
func TestForgedCase(t *testing.T) {
	addr := serve(t, func(w dns.ResponseWriter, query *dns.Msg) {
		asked := query.Question[0].Name
		m := respond(query, asked+" 60 IN TXT true")
		if !isTCP(w) {
			m = respond(query, asked+" 60 IN TXT forged")
			m.Question[0].Name = "ABCDEFGHIJKLMNOPQRSTUVWXYZ.example."
		}
		w.WriteMsg(m)
	})
	r := New(Config{Servers: servers(addr), MixCase: true, MaxTTL: 1})
	for range 3 {
		if got := resolve(r, t.Context(), "TXT", "abcdefghijklmnopqrstuvwxyz.example"); got != `"true"` {
			t.Errorf("got %s", got)
		}
	}
}

// TestCookies: RFC 7873.
func TestCookies(t *testing.T) {
	const theirs = "0102030405060708"
	var mu sync.Mutex
	var seen []string
	addr := serve(t, func(w dns.ResponseWriter, query *dns.Msg) {
		mu.Lock()
		defer mu.Unlock()
		cookie := cookieOf(query)
		seen = append(seen, cookie)
		answer := func(text, cookie string) *dns.Msg {
			m := respond(query, "x. 60 IN TXT "+text).SetEdns0(udpSize, false)
			m.IsEdns0().Option = []dns.EDNS0{&dns.EDNS0_COOKIE{Code: dns.EDNS0COOKIE, Cookie: cookie}}
			return m
		}
		w.WriteMsg(answer("forged", "ffffffffffffffff"+theirs))
		m := answer("true", cookie[:clientCookie]+theirs)
		if len(cookie) == clientCookie {
			m.Rcode = dns.RcodeBadCookie
		}
		w.WriteMsg(m)
	})
	r := New(Config{Servers: servers(addr), MaxTTL: 1})
	for range 2 {
		if got := resolve(r, t.Context(), "TXT", "x"); got != `"true"` {
			t.Errorf("got %s", got)
		}
	}
	mu.Lock()
	defer mu.Unlock()
	if len(seen) != 3 || len(seen[0]) != clientCookie || seen[1] != seen[0]+theirs || seen[2] != seen[1] {
		t.Errorf("cookies sent: %q", seen)
	}
}

// TestAuthenticated: the AD bit counts where the site says so.
func TestAuthenticated(t *testing.T) {
	addr := serve(t, func(w dns.ResponseWriter, query *dns.Msg) {
		m := respond(query, "x. 60 IN TXT a")
		m.AuthenticatedData = true
		w.WriteMsg(m)
	})
	for _, want := range []bool{false, true} {
		r := New(Config{Servers: servers(addr), RequireAD: want})
		txt, err := r.TXT(t.Context(), "x")
		if err != nil || txt.Authenticated != want {
			t.Errorf("trusted %v: got %+v, %v", want, txt, err)
		}
	}
	if newQuery(question{"x", dns.TypeTXT}, true).AuthenticatedData != true {
		t.Error("AD is not asked for")
	}
}

// certificate returns one for a name, and the pool that believes it.
func certificate(t *testing.T, name string) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), DNSNames: []string{name}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	parsed, _ := x509.ParseCertificate(der)
	pool := x509.NewCertPool()
	pool.AddCert(parsed)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, pool
}

// counted counts the connections it accepts.
type counted struct {
	net.Listener
	accepted atomic.Int32
}

func (c *counted) Accept() (net.Conn, error) {
	conn, err := c.Listener.Accept()
	if err == nil {
		c.accepted.Add(1)
	}
	return conn, err
}

// serveStream runs a name server over TCP, or TLS where config is not nil.
func serveStream(t *testing.T, config *tls.Config, handler dns.HandlerFunc) *counted {
	t.Helper()
	plain, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	count := &counted{Listener: plain}
	server := &dns.Server{Listener: count, Handler: handler}
	if config != nil {
		server.Listener = tls.NewListener(count, config)
	}
	started, stopped := make(chan struct{}), make(chan struct{})
	server.NotifyStartedFunc = func() { close(started) }
	go func() { defer close(stopped); server.ActivateAndServe() }()
	<-started
	t.Cleanup(func() { server.Shutdown(); <-stopped })
	return count
}

func (c *counted) server(network Network, name string) []Server {
	return []Server{{Network: network, Name: name, Addr: netip.MustParseAddrPort(c.Addr().String())}}
}

func txtOf(name string) dns.HandlerFunc {
	return func(w dns.ResponseWriter, query *dns.Msg) {
		w.WriteMsg(respond(query, query.Question[0].Name+" 60 IN TXT "+name))
	}
}

func TestTLS(t *testing.T) {
	cert, roots := certificate(t, "dns.example")
	config := &tls.Config{Certificates: []tls.Certificate{cert}}
	good := serveStream(t, config, txtOf("secret"))
	r := New(Config{Servers: good.server(TLS, "dns.example"), tls: &tls.Config{RootCAs: roots}})
	defer r.Close()
	for i := range 10 {
		if got := resolve(r, t.Context(), "TXT", fmt.Sprintf("n%d", i)); got != `"secret"` {
			t.Errorf("got %s", got)
		}
	}
	if n := good.accepted.Load(); n != 1 {
		t.Errorf("%d connections for 10 questions", n)
	}
	refused := func(what string, c Config) {
		t.Helper()
		c.RetryAfter = time.Millisecond
		r := New(c)
		defer r.Close()
		_, err := r.TXT(t.Context(), "x")
		if err == nil || kind(err) != "temporary" || !strings.Contains(err.Error(), "certificate") {
			t.Errorf("%s: got %v", what, err)
		}
	}
	refused("another name", Config{Servers: good.server(TLS, "other.example"), tls: &tls.Config{RootCAs: roots}})
	refused("unknown issuer", Config{Servers: good.server(TLS, "dns.example")})
}

// TestPipeline has the answers come in the wrong order, on one connection.
func TestPipeline(t *testing.T) {
	const questions = 50
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	served := make(chan error, 1)
	go func() {
		conn, err := listener.Accept()
		if err != nil {
			served <- err
			return
		}
		defer conn.Close()
		co := &dns.Conn{Conn: conn}
		var queries []*dns.Msg
		for len(queries) < questions {
			query, err := co.ReadMsg()
			if err != nil {
				served <- err
				return
			}
			queries = append(queries, query)
		}
		for _, query := range slices.Backward(queries) {
			name := query.Question[0].Name
			co.WriteMsg(respond(query, name+" 60 IN TXT "+strings.TrimSuffix(name, ".")))
		}
		served <- nil
	}()
	r := New(Config{Servers: []Server{{Network: TCP, Addr: netip.MustParseAddrPort(listener.Addr().String())}}, RetryAfter: time.Minute})
	defer r.Close()
	var group sync.WaitGroup
	for i := range questions {
		group.Go(func() {
			name := fmt.Sprintf("n%d", i)
			if got := resolve(r, t.Context(), "TXT", name); got != `"`+name+`"` {
				t.Errorf("%s: got %s", name, got)
			}
		})
	}
	group.Wait()
	if err := <-served; err != nil {
		t.Error(err)
	}
}

// TestConnectionClosed: a server may close a connection at any time.
func TestConnectionClosed(t *testing.T) {
	var count atomic.Int32
	addr := serveStream(t, nil, func(w dns.ResponseWriter, query *dns.Msg) {
		asked := count.Add(1)
		if asked%2 == 0 {
			w.Close() // instead of an answer
			return
		}
		txtOf("good")(w, query)
		if asked%3 == 0 {
			w.Close() // after it
		}
	})
	r := New(Config{Servers: addr.server(TCP, ""), RetryAfter: 10 * time.Millisecond})
	for i := range 20 {
		if got := resolve(r, t.Context(), "TXT", fmt.Sprintf("n%d", i)); got != `"good"` {
			t.Errorf("question %d: got %s", i, got)
		}
		if i == 10 {
			r.Close() // it goes on all the same
		}
	}
	r.Close()
}
