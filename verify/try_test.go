package verify

import (
	"context"
	"net"
	"net/netip"
	"testing"

	"assay/verify/lookup"
)

// keeper has every answer at hand.
type keeper struct{}

func (keeper) TXT(context.Context, string) (*lookup.TXT, error)   { return &lookup.TXT{}, nil }
func (keeper) A(context.Context, string) ([]netip.Addr, error)    { return nil, nil }
func (keeper) AAAA(context.Context, string) ([]netip.Addr, error) { return nil, nil }
func (keeper) MX(context.Context, string) ([]*net.MX, error)      { return nil, nil }
func (keeper) PTR(context.Context, netip.Addr) ([]string, error)  { return nil, nil }
func (k keeper) Try(work func(kept lookup.Resolver)) bool         { work(k); return true }

// TestTryCounts: what is asked at once of what is kept counts as everything else
// does, in the share and in the total.
func TestTryCounts(t *testing.T) {
	ctx := context.Background()
	s := &shares{resolver: keeper{}, total: DefaultQueries}
	ask := func(r lookup.Resolver, n int) (refused int) {
		lookup.Try(r, func(kept lookup.Resolver) {
			for range n {
				if _, err := kept.TXT(ctx, "x"); err != nil {
					refused++
				}
			}
		})
		return refused
	}
	want := func(got, want int, what string) {
		t.Helper()
		if got != want {
			t.Errorf("%s: %d refused, want %d", what, got, want)
		}
	}
	dkim := s.of(shareDKIM)
	want(ask(dkim, shareDKIM), 0, "a whole share")
	want(ask(dkim, 1), 1, "one more")
	others := DefaultQueries - shareDMARC - shareDKIM
	for range 3 {
		want(ask(s.of(shareEarly), shareEarly), 0, "others' shares")
		others -= shareEarly
	}
	want(ask(s.of(shareSPF), shareSPF), shareSPF-others, "what is left for all but DMARC")
	want(ask(s.of(shareDMARC), shareDMARC), 0, "DMARC's own")
	if got := s.refused.Load(); got != int64(1+shareSPF-others) {
		t.Errorf("%d are counted as refused", got)
	}
}
