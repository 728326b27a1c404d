package verify

import (
	"context"
	"testing"

	"assay/dnscache/dnstest"
	"assay/verify/dmarc"
	"assay/verify/lookup"
)

// TestReserve: what comes on top of the shares takes nothing from DMARC, so that no one
// who forges a domain can keep its policy from being found; nor is more asked in all.
func TestReserve(t *testing.T) {
	ask := func(r lookup.Resolver, times int) (answered int) {
		for range times {
			if _, err := r.TXT(context.Background(), "x.example"); !lookup.IsExhausted(err) {
				answered++
			}
		}
		return answered
	}
	for total, most := range map[int]int{36: 9, DefaultQueries: shareDMARC, 1000: 250} {
		s := &shares{resolver: dnstest.New(), total: total}
		for _, n := range []int{shareSPF, shareHelo, shareIPRev, shareEarly, shareSPF, shareDKIM, shareARC} {
			ask(s.of(n), total)
		}
		if got := ask(s.of(shareDMARC), total); got != most || got <= dmarc.MaxQueries {
			t.Errorf("of %d: DMARC has %d, want %d", total, got, most)
		}
		if asked := int(s.asked.Load()); asked > total {
			t.Errorf("of %d: %d were asked", total, asked)
		}
	}
}
