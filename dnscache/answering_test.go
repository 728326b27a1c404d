package dnscache

import (
	"context"
	"net/netip"
	"sync"
	"testing"
	"time"

	"assay/dnscache/dnstest"
	"assay/dnscache/zone"
)

func resolverAt(t *testing.T, addr string, now func() time.Time) *Resolver {
	t.Helper()
	r := New(Config{
		Servers: []Server{{Network: UDP, Addr: netip.MustParseAddrPort(addr)}},
		Timeout: 200 * time.Millisecond, RetryAfter: 50 * time.Millisecond, now: now,
	})
	t.Cleanup(r.Close)
	return r
}

func TestAnswering(t *testing.T) {
	ctx := context.Background()
	for _, c := range []struct {
		zone string
		want bool
	}{
		{"a.root-servers.net. A 198.51.100.4", true},
		{"", true}, // the name does not exist: somebody knows that
		{"a.root-servers.net. SERVFAIL", false},
		{"a.root-servers.net. REFUSED", false},
		{"a.root-servers.net. TIMEOUT", false},
	} {
		z := dnstest.MustParse(t, c.zone)
		if got := resolverAt(t, z.Serve(t), nil).Answering(ctx); got != c.want {
			t.Errorf("%q: %v, want %v", c.zone, got, c.want)
		}
	}
	if !New(Config{Zone: &zone.Zone{}}).Answering(ctx) {
		t.Error("a zone file does not answer")
	}
	if New(Config{}).Answering(ctx) {
		t.Error("no server, and yet it answers")
	}
}

// TestAnsweringAsksSeldom: what messages ask is enough to know; otherwise one
// question serves all who want to know at the same time.
func TestAnsweringAsksSeldom(t *testing.T) {
	ctx, now := context.Background(), time.Now()
	var mu sync.Mutex
	clock := func() time.Time {
		mu.Lock()
		defer mu.Unlock()
		return now
	}
	z := dnstest.MustParse(t, "example.com. A 192.0.2.1\na.root-servers.net. A 198.51.100.4")
	r := resolverAt(t, z.Serve(t), clock)
	if _, err := r.A(ctx, "example.com"); err != nil {
		t.Fatal(err)
	}
	if !r.Answering(ctx) || len(z.Questions()) != 1 {
		t.Errorf("it asked again: %q", z.Questions())
	}
	mu.Lock()
	now = now.Add(answerAge)
	mu.Unlock()
	first, second := r.Answering(ctx), r.Answering(ctx)
	if !first || !second || len(z.Questions()) != 2 {
		t.Errorf("after %s: %q, want one more question", answerAge, z.Questions())
	}
}

// TestAnsweringClockSetBack: an answer from what is now the future says nothing of the
// last seconds.
func TestAnsweringClockSetBack(t *testing.T) {
	z := dnstest.MustParse(t, "a.root-servers.net. A 198.51.100.4")
	now := newClock()
	r := resolverAt(t, z.Serve(t), now.Now)
	if !r.Answering(t.Context()) {
		t.Fatal("it does not answer")
	}
	z.Fail("a.root-servers.net", "", dnstest.ServFail)
	now.Advance(-time.Hour)
	if r.Answering(t.Context()) {
		t.Error("the answer of an hour ahead counts")
	}
}

// TestAnsweringWaitsNoLonger than it is told to.
func TestAnsweringWaitsNoLonger(t *testing.T) {
	z := dnstest.MustParse(t, "a.root-servers.net. TIMEOUT")
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if resolverAt(t, z.Serve(t), nil).Answering(ctx) {
		t.Error("it answers")
	}
}
