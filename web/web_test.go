package web

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"testing"
	"time"

	"assay/dnscache"
	"assay/dnscache/dnstest"
	"assay/filter"
	"assay/filter/miltertest"
	"assay/policy"
	"assay/verify"
)

const testZone = `
example.com. TXT "v=spf1 ip4:192.0.2.0/24 -all"
_dmarc.example.com. TXT "v=DMARC1; p=reject"
forged.example. TXT "v=spf1 -all"
_dmarc.forged.example. TXT "v=DMARC1; p=reject"
a.root-servers.net. A 198.51.100.4
`

// service is a filter with a monitor, and the clock that the monitor goes by.
type service struct {
	*Monitor
	filter   *filter.Server
	settings filter.Settings
	milter   string // address
	facts    Facts
	log      bytes.Buffer // of the filter; to be read when it is shut down

	mu  sync.Mutex
	now time.Time
}

func (s *service) clock() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.now
}

func (s *service) advance(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.now = s.now.Add(d)
}

// start runs a filter that enforces, behind a DNS server of the given zone.
func start(t *testing.T, zone string) *service {
	t.Helper()
	s := &service{now: time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)}
	s.Monitor = New("1.2.3", s.clock)
	resolver := dnscache.New(dnscache.Config{
		Servers: []dnscache.Server{{Network: dnscache.UDP, Addr: netip.MustParseAddrPort(dnstest.MustParse(t, zone).Serve(t))}},
		Timeout: 200 * time.Millisecond, RetryAfter: 50 * time.Millisecond,
	})
	t.Cleanup(resolver.Close)
	s.settings = filter.Settings{
		ID:         "mx.example.net",
		Verifier:   &verify.Verifier{Resolver: resolver, Now: time.Now, Budget: 10 * time.Second},
		Rules:      &policy.Rules{Enforce: true, OnReject: policy.Reject, OnQuarantine: policy.Tag, OnTempError: policy.Accept},
		WhenUnable: policy.Accept,
		Recorder:   s.Monitor,
	}
	log := slog.New(slog.NewTextHandler(&s.log, nil))
	s.filter = filter.NewServer(log, s.settings)
	s.facts = Facts{
		Filter: s.filter, Resolver: resolver, Log: log, File: "assay.toml", Hash: "0123456789abcdef", AuthservID: "mx.example.net", IDStated: true, Mode: "enforce",
		Ended: func(time.Time) []string { return nil }, SlowAfter: time.Second, StuckAfter: time.Minute,
	}
	s.Use(s.facts)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.milter = l.Addr().String()
	go s.filter.Serve(l)
	t.Cleanup(func() { s.filter.Shutdown(context.Background()) })
	return s
}

// deliver sends a message with that author domain, and its results field.
func (s *service) deliver(t *testing.T, author string) miltertest.Outcome {
	t.Helper()
	c, err := miltertest.Dial("tcp", s.milter, miltertest.Postfix())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	out, err := c.Deliver(miltertest.Message{
		Client: netip.MustParseAddrPort("192.0.2.7:25"), ClientName: "out.example.com", Helo: "out.example.com",
		From: "a@example.com", Rcpts: []string{"b@rcpt.test"}, Raw: []byte("From: a@" + author + "\r\n\r\nHello.\r\n"),
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// serve tells how the service is, until the test ends.
func (s *service) serve(t *testing.T) Client {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Monitor.Serve(ctx, l) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Errorf("serve: %v", err)
		}
	})
	return Client{"tcp", l.Addr().String()}
}

// get returns status and body of an answer.
func get(t *testing.T, c Client, path string) (code int, body string) {
	t.Helper()
	response, err := http.Get("http://" + c.Addr + path)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(text)
}
