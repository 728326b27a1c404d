package dnscache

import (
	"context"
	"net"
	"net/netip"
	"slices"
	"time"

	"assay/verify/lookup"
	"github.com/miekg/dns"
	"golang.org/x/sync/singleflight"
)

// Defaults of Config.
const (
	DefaultTimeout = 3 * time.Second
	DefaultEntries = 50_000
	DefaultMaxTTL  = 24 * time.Hour
)

// Config says whom to ask and what to keep. Zero fields have their defaults.
type Config struct {
	// Servers are asked in this order, the next one when one fails. Without
	// any, every look-up is a temporary failure.
	Servers []netip.AddrPort
	// Timeout is how long one server may take for one question, TCP included.
	// Default: 3s.
	Timeout time.Duration
	// Entries is the number of answers kept, the least recently used going
	// first. Default: 50000. All together are kept below 64 MiB too.
	Entries int
	// MaxTTL limits how long an answer is kept, even to less than the 5 s that
	// every answer is kept otherwise. Default: 24h.
	MaxTTL time.Duration

	now func() time.Time // for tests
}

// Resolver is a caching lookup.Resolver. It is safe for concurrent use and
// needs no closing: it runs nothing but the questions that are out, and these
// end within 20 s. The zero value is not usable, see New.
type Resolver struct {
	servers []netip.AddrPort
	timeout time.Duration
	cache   *cache
	flights singleflight.Group
	sockets chan struct{} // one element per question that is out
	now     func() time.Time
	counters
}

var _ lookup.Resolver = (*Resolver)(nil)

// New returns a Resolver with an empty cache.
func New(c Config) *Resolver {
	if c.Timeout <= 0 {
		c.Timeout = DefaultTimeout
	}
	if c.Entries <= 0 {
		c.Entries = DefaultEntries
	}
	if c.MaxTTL <= 0 {
		c.MaxTTL = DefaultMaxTTL
	}
	if c.now == nil {
		c.now = time.Now
	}
	return &Resolver{
		servers: slices.Clone(c.Servers),
		timeout: c.Timeout,
		cache:   newCache(c.Entries, c.MaxTTL),
		sockets: make(chan struct{}, maxSockets),
		now:     c.now,
	}
}

// TXT implements lookup.Resolver. As long as the answer is kept it is the same
// one. An answer from the cache costs no allocation.
func (r *Resolver) TXT(ctx context.Context, name string) (*lookup.TXT, error) {
	e, err := r.find(ctx, name, dns.TypeTXT)
	if err != nil {
		return nil, err
	}
	return e.txt, nil
}

// A implements lookup.Resolver; the answer belongs to the caller.
func (r *Resolver) A(ctx context.Context, name string) ([]netip.Addr, error) {
	e, err := r.find(ctx, name, dns.TypeA)
	if err != nil {
		return nil, err
	}
	return slices.Clone(e.addrs), nil
}

// AAAA implements lookup.Resolver; the answer belongs to the caller.
func (r *Resolver) AAAA(ctx context.Context, name string) ([]netip.Addr, error) {
	e, err := r.find(ctx, name, dns.TypeAAAA)
	if err != nil {
		return nil, err
	}
	return slices.Clone(e.addrs), nil
}

// MX implements lookup.Resolver; the answer belongs to the caller. The host of
// a null MX (RFC 7505) is "". An octet that is unusual in a host name stands
// escaped, as in zone text.
func (r *Resolver) MX(ctx context.Context, name string) ([]*net.MX, error) {
	e, err := r.find(ctx, name, dns.TypeMX)
	if err != nil {
		return nil, err
	}
	mxs := make([]*net.MX, len(e.mxs))
	for i, mx := range e.mxs {
		mxs[i] = &net.MX{Host: mx.Host, Pref: mx.Pref}
	}
	return mxs, nil
}

// PTR implements lookup.Resolver; the answer belongs to the caller and is
// written as that of MX. An IPv4-mapped address is looked up as IPv4.
func (r *Resolver) PTR(ctx context.Context, addr netip.Addr) ([]string, error) {
	name, err := dns.ReverseAddr(addr.Unmap().WithZone("").String())
	if err != nil {
		return nil, absent(addr.String())
	}
	e, err := r.find(ctx, name, dns.TypePTR)
	if err != nil {
		return nil, err
	}
	return slices.Clone(e.hosts), nil
}
