package verify

import (
	"context"
	"net"
	"net/netip"
	"sync/atomic"

	"assay/verify/lookup"
)

// DefaultQueries is how many DNS questions one message may cause.
const DefaultQueries = 64

// How DefaultQueries are shared out; another total is shared out alike. Each method has its own
// share, so that a hostile block of signatures cannot starve DMARC. DMARC's
// holds the longest walk and more; SPF's holds a record with ten includes and some mail
// exchangers.
const (
	shareSPF   = 20
	shareHelo  = 4
	shareIPRev = 4
	shareDKIM  = 10
	shareARC   = 10
	shareDMARC = 16
	// shareEarly is on top of the others, and asked only where messages are
	// refused at MAIL: a walk up the tree.
	shareEarly = 8
)

// shares hands out resolvers for the methods of one message, and counts what
// they ask, whether the cache or the network answers it.
type shares struct {
	resolver lookup.Resolver
	total    int
	asked    atomic.Int64
	others   atomic.Int64 // those that are not DMARC's
	stale    atomic.Int64 // answers past their time that were used all the same
	refused  atomic.Int64 // questions beyond a share
}

// of returns the resolver of a method that has n of DefaultQueries.
func (s *shares) of(n int) lookup.Resolver {
	r := &share{shares: s, dmarc: n == shareDMARC}
	r.left.Store(int64(s.part(n)))
	return r
}

// part is how many questions n of DefaultQueries are.
func (s *shares) part(n int) int { return max(1, n*s.total/DefaultQueries) }

var _ lookup.Keeper = (*share)(nil)

// share is the resolver of one method.
type share struct {
	*shares
	left  atomic.Int64
	dmarc bool // what it asks for is always there
}

// Try implements lookup.Keeper. What is asked counts where it was enough: otherwise
// it is asked again. What is asked at the same time elsewhere does not count against
// work, so that all may together ask for more than there is; what is kept costs nobody
// anything.
func (s *share) Try(work func(kept lookup.Resolver)) bool {
	left, others := s.left.Load(), s.others.Load()
	var tried *share
	enough := lookup.Try(s.resolver, func(kept lookup.Resolver) {
		tried = &share{shares: &shares{resolver: kept, total: s.total}, dmarc: s.dmarc}
		tried.left.Store(left)
		tried.others.Store(others)
		work(tried)
	})
	if enough {
		s.left.Add(tried.left.Load() - left)
		s.others.Add(tried.others.Load() - others)
		s.asked.Add(tried.asked.Load())
		s.stale.Add(tried.stale.Load())
		s.refused.Add(tried.refused.Load())
	}
	return enough
}

// take counts a question about name; it fails when there have been enough.
func (s *share) take(name string) error {
	// A share that only some messages need may have come on top. It takes from the
	// others, but not from DMARC: whoever forges a domain must not keep its policy from
	// being found.
	if s.left.Add(-1) < 0 || !s.dmarc && s.others.Add(1) > int64(s.total-s.part(shareDMARC)) {
		s.refused.Add(1)
		return lookup.Exhausted(name)
	}
	s.asked.Add(1)
	return nil
}

func (s *share) TXT(ctx context.Context, name string) (*lookup.TXT, error) {
	if err := s.take(name); err != nil {
		return nil, err
	}
	txt, err := s.resolver.TXT(ctx, name)
	if err == nil && txt.Stale {
		s.stale.Add(1)
	}
	return txt, err
}

func (s *share) A(ctx context.Context, name string) ([]netip.Addr, error) {
	if err := s.take(name); err != nil {
		return nil, err
	}
	return s.resolver.A(ctx, name)
}

func (s *share) AAAA(ctx context.Context, name string) ([]netip.Addr, error) {
	if err := s.take(name); err != nil {
		return nil, err
	}
	return s.resolver.AAAA(ctx, name)
}

func (s *share) MX(ctx context.Context, name string) ([]*net.MX, error) {
	if err := s.take(name); err != nil {
		return nil, err
	}
	return s.resolver.MX(ctx, name)
}

func (s *share) PTR(ctx context.Context, addr netip.Addr) ([]string, error) {
	if err := s.take(addr.String()); err != nil {
		return nil, err
	}
	return s.resolver.PTR(ctx, addr)
}
