package verify

import (
	"context"
	"net"
	"net/netip"
	"sync/atomic"

	"assay/verify/lookup"
)

// counter counts the questions that one message asks, whether the cache or the
// network answers them.
type counter struct {
	resolver lookup.Resolver
	asked    atomic.Int64
}

func (c *counter) TXT(ctx context.Context, name string) (*lookup.TXT, error) {
	c.asked.Add(1)
	return c.resolver.TXT(ctx, name)
}

func (c *counter) A(ctx context.Context, name string) ([]netip.Addr, error) {
	c.asked.Add(1)
	return c.resolver.A(ctx, name)
}

func (c *counter) AAAA(ctx context.Context, name string) ([]netip.Addr, error) {
	c.asked.Add(1)
	return c.resolver.AAAA(ctx, name)
}

func (c *counter) MX(ctx context.Context, name string) ([]*net.MX, error) {
	c.asked.Add(1)
	return c.resolver.MX(ctx, name)
}

func (c *counter) PTR(ctx context.Context, addr netip.Addr) ([]string, error) {
	c.asked.Add(1)
	return c.resolver.PTR(ctx, addr)
}
