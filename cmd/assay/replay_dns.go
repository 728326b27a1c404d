package main

import (
	"context"
	"net"
	"net/netip"
	"sync/atomic"

	"assay/verify/lookup"
)

// watched is a resolver that remembers whether the DNS answers at all.
type watched struct {
	lookup.Resolver
	answered, failed atomic.Int64
}

// deadQuestions is how many questions, all without an answer, mean that there
// is no DNS.
const deadQuestions = 50

// dead reports whether that many questions failed and none was answered. A nil
// watched is never dead.
func (w *watched) dead(questions int64) bool {
	return w != nil && w.answered.Load() == 0 && w.failed.Load() >= questions
}

func (w *watched) count(err error) {
	if lookup.Temporary(err) {
		w.failed.Add(1)
	} else {
		w.answered.Add(1)
	}
}

func (w *watched) TXT(ctx context.Context, name string) (*lookup.TXT, error) {
	answer, err := w.Resolver.TXT(ctx, name)
	w.count(err)
	return answer, err
}

func (w *watched) A(ctx context.Context, name string) ([]netip.Addr, error) {
	answer, err := w.Resolver.A(ctx, name)
	w.count(err)
	return answer, err
}

func (w *watched) AAAA(ctx context.Context, name string) ([]netip.Addr, error) {
	answer, err := w.Resolver.AAAA(ctx, name)
	w.count(err)
	return answer, err
}

func (w *watched) MX(ctx context.Context, name string) ([]*net.MX, error) {
	answer, err := w.Resolver.MX(ctx, name)
	w.count(err)
	return answer, err
}

func (w *watched) PTR(ctx context.Context, addr netip.Addr) ([]string, error) {
	answer, err := w.Resolver.PTR(ctx, addr)
	w.count(err)
	return answer, err
}
