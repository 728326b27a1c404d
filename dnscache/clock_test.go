package dnscache

import (
	"testing"
	"time"

	"assay/dnscache/dnstest"
)

// TestClockJumps: whatever the clock does, answers come, and what it has outlived is asked
// for again.
func TestClockJumps(t *testing.T) {
	z := dnstest.MustParse(t, "x. 100 TXT a")
	now := newClock()
	r := New(Config{Servers: servers(z.Serve(t)), now: now.Now, Stale: time.Hour})
	defer r.Close()
	want := resolve(z, t.Context(), "TXT", "x")
	z.Reset()
	for _, jump := range []struct {
		by    time.Duration
		asked int // so far
	}{{0, 1}, {-time.Hour, 1}, {2 * time.Hour, 2}, {-100 * 365 * 24 * time.Hour, 2}, {200 * 365 * 24 * time.Hour, 3}} {
		now.Advance(jump.by)
		if got := resolve(r, t.Context(), "TXT", "x"); got != want {
			t.Errorf("after %v: got %s", jump.by, got)
		}
		if n := len(z.Questions()); n != jump.asked {
			t.Errorf("after %v: asked %d times, want %d", jump.by, n, jump.asked)
		}
	}
}
