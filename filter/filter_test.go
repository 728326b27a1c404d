package filter_test

import (
	"bytes"
	"context"
	"log/slog"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"assay/dnscache/dnstest"
	"assay/filter"
	"assay/filter/miltertest"
	"assay/policy"
	"assay/verify"
	"assay/verify/lookup"
)

const testID = "mx.example.net"

// testZone is a sender with SPF and a policy that asks for reject.
const testZone = `
example.com. IN TXT "v=spf1 ip4:192.0.2.0/24 -all"
_dmarc.example.com. IN TXT "v=DMARC1; p=reject"
example.org. IN TXT "v=spf1 -all"
`

var client = netip.MustParseAddrPort("192.0.2.7:25000")

// service is a filter under test, with what it logs.
type service struct {
	*filter.Server
	settings filter.Settings
	network  string
	addr     string
	log      *logBuffer
}

// logBuffer collects log lines.
type logBuffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *logBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *logBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

func (b *logBuffer) count(what string) int { return strings.Count(b.String(), what) }

// start runs a filter on a loopback port until the test ends. change, if not
// nil, changes its settings first.
func start(t testing.TB, resolver lookup.Resolver, change func(*filter.Settings)) *service {
	t.Helper()
	s := &service{log: &logBuffer{}, network: "tcp"}
	s.settings = filter.Settings{
		ID:         testID,
		Verifier:   &verify.Verifier{Resolver: resolver, Now: time.Now, Budget: 10 * time.Second},
		Rules:      &policy.Rules{OnReject: policy.Tag, OnQuarantine: policy.Tag, OnTempError: policy.Accept},
		WhenUnable: policy.Accept,
	}
	if change != nil {
		change(&s.settings)
	}
	s.Server = filter.NewServer(slog.New(slog.NewTextHandler(s.log, &slog.HandlerOptions{Level: slog.LevelDebug})), s.settings)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.addr = l.Addr().String()
	served := make(chan error, 1)
	go func() { served <- s.Serve(l) }()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := s.Shutdown(ctx); err != nil {
			t.Errorf("shutdown: %v", err)
		}
		if err := <-served; err != nil {
			t.Errorf("serve: %v", err)
		}
		if t.Failed() {
			t.Logf("log:\n%s", s.log)
		}
	})
	return s
}

func startZone(t testing.TB, change func(*filter.Settings)) *service {
	t.Helper()
	return start(t, dnstest.MustParse(t, testZone), change)
}

// dial connects as an MTA of that kind; the connection is closed with QUIT at the
// end of the test.
func (s *service) dial(t testing.TB, p miltertest.Profile) *miltertest.Conn {
	t.Helper()
	c, err := miltertest.Dial(s.network, s.addr, p)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// mail returns a message of example.com from its own host.
func mail(fields ...string) miltertest.Message {
	header := "From: a@example.com\r\nTo: b@rcpt.test\r\nSubject: x\r\n"
	for _, f := range fields {
		header += f + "\r\n"
	}
	return miltertest.Message{
		Client: client, ClientName: "out.example.com", Helo: "out.example.com",
		From: "a@example.com", Rcpts: []string{"b@rcpt.test"},
		Raw: []byte(header + "\r\nHello.\r\n"),
	}
}

func deliver(t testing.TB, c *miltertest.Conn, m miltertest.Message) miltertest.Outcome {
	t.Helper()
	out, err := c.Deliver(m)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func quit(t testing.TB, c *miltertest.Conn) {
	t.Helper()
	if err := c.Quit(); err != nil {
		t.Errorf("quit: %v", err)
	}
}

// results returns the one field of ours in an outcome.
func results(t testing.TB, out miltertest.Outcome) string {
	t.Helper()
	var own []string
	for _, value := range out.Fields("Authentication-Results") {
		if strings.HasPrefix(strings.TrimSpace(value), testID) {
			own = append(own, value)
		}
	}
	if len(own) != 1 {
		t.Fatalf("%d results fields of ours: %q", len(own), own)
	}
	if !strings.EqualFold(out.Header[0].Name, "Authentication-Results") {
		t.Errorf("the first field is %s", out.Header[0].Name)
	}
	return strings.Join(strings.Fields(own[0]), " ")
}

func wantIn(t testing.TB, got string, wanted ...string) {
	t.Helper()
	for _, w := range wanted {
		if !strings.Contains(got, w) {
			t.Errorf("got %q, want %q in it", got, w)
		}
	}
}

var profiles = map[string]miltertest.Profile{
	"postfix":  miltertest.Postfix(),
	"sendmail": miltertest.Sendmail(),
	"version2": miltertest.V2(),
}

func TestDeliver(t *testing.T) {
	for name, profile := range profiles {
		t.Run(name, func(t *testing.T) {
			s := startZone(t, nil)
			c := s.dial(t, profile)
			for range 3 { // the second message still knows the client
				out := deliver(t, c, mail())
				wantIn(t, results(t, out), "spf=pass (matched ip4) smtp.mailfrom=example.com", "dkim=none",
					"dmarc=pass", "header.from=example.com", "policy.dmarc=reject")
			}
			quit(t, c)
			if n := s.log.count("msg=message"); n != 3 {
				t.Errorf("%d log lines", n)
			}
		})
	}
}
