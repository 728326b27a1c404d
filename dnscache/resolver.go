package dnscache

import (
	"context"
	"crypto/tls"
	"net"
	"net/netip"
	"slices"
	"sync/atomic"
	"time"

	"assay/dnscache/zone"
	"assay/verify/lookup"
	"github.com/miekg/dns"
	"golang.org/x/sync/singleflight"
)

// Defaults of Config.
const (
	DefaultTimeout    = 3 * time.Second
	DefaultRetryAfter = 400 * time.Millisecond
	DefaultInFlight   = 512
	DefaultEntries    = 50_000
	DefaultMinTTL     = 5 * time.Second
	DefaultMaxTTL     = 24 * time.Hour
	DefaultFailureTTL = 5 * time.Second
)

// Config says whom to ask and what to keep. Zero fields have their defaults.
type Config struct {
	// Servers are asked in this order, as long as they are equally good: the one
	// that answers best goes first. Without any, every look-up is a temporary
	// failure.
	Servers []Server
	// ResolvConf is the file that Servers are from. Within 30 s after it changes,
	// its servers take their place. Default: none.
	ResolvConf string
	// Zone answers in the place of servers, none of which is asked then.
	Zone *zone.Zone

	// Timeout is how long one server may take for one query, TCP included; all
	// servers together may take the sum, and 20 s. Default: 3s.
	Timeout time.Duration
	// RetryAfter is how long a query may be out before another is sent, to the
	// next server where there is one. Default: 400ms.
	RetryAfter time.Duration
	// InFlight is the number of queries that may be out, over all messages; more
	// wait, up to 8192. Default: 512.
	InFlight int
	// MixCase sends names over UDP with their letters in random case, and believes
	// only an answer that repeats it.
	MixCase bool
	// RequireAD says that the servers, and the way to them, can be trusted to know
	// what DNSSEC vouches for: their AD bit becomes lookup.TXT.Authenticated.
	RequireAD bool

	// Entries is the number of answers kept, the least recently used going
	// first. Default: 50000. All together are kept below 64 MiB too.
	Entries int
	// MinTTL is how long every answer is kept at least. Default: 5s.
	MinTTL time.Duration
	// MaxTTL limits how long an answer is kept, even to less than MinTTL.
	// Default: 24h.
	MaxTTL time.Duration
	// FailureTTL is how long a failure is kept; it doubles with each that follows,
	// up to 60 s. Default: 5s.
	FailureTTL time.Duration
	// Stale is how long after its end an answer is still used where servers
	// fail. Default: not at all.
	Stale time.Duration

	now func() time.Time // for tests
	tls *tls.Config      // for tests
}

func (c Config) withDefaults() Config {
	duration := func(d *time.Duration, standard time.Duration) {
		if *d <= 0 {
			*d = standard
		}
	}
	duration(&c.Timeout, DefaultTimeout)
	duration(&c.RetryAfter, DefaultRetryAfter)
	duration(&c.MinTTL, DefaultMinTTL)
	duration(&c.MaxTTL, DefaultMaxTTL)
	duration(&c.FailureTTL, DefaultFailureTTL)
	if c.Entries <= 0 {
		c.Entries = DefaultEntries
	}
	if c.InFlight <= 0 {
		c.InFlight = DefaultInFlight
	}
	if c.now == nil {
		c.now = time.Now
	}
	return c
}

// Resolver is a caching lookup.Resolver. It is safe for concurrent use. The
// zero value is not usable, see New.
type Resolver struct {
	*core
	trial *trial // nil where a question is put to the servers that is not answered from the cache
}

// core is what a Resolver and those that it lends out in Try have in common.
type core struct {
	config  Config
	pool    *pool
	zone    *zone.Zone
	cache   *cache
	flights singleflight.Group
	sockets chan struct{} // one element per query that is out
	waiting atomic.Int64  // questions that wait for their turn
	now     func() time.Time
	counters
}

var _ lookup.Keeper = (*Resolver)(nil)

// New returns a Resolver with an empty cache.
func New(c Config) *Resolver {
	c = c.withDefaults()
	return &Resolver{core: &core{
		config:  c,
		pool:    newPool(c, c.now()),
		zone:    c.Zone,
		cache:   newCache(c.Entries, lifetimes{min: c.MinTTL, max: c.MaxTTL, failure: c.FailureTTL, stale: c.Stale}),
		sockets: make(chan struct{}, c.InFlight),
		now:     c.now,
	}}
}

// Close closes the connections to servers that are kept open. The Resolver stays
// usable, for those who still have it, and opens them again when it must. Without
// Close they end after 30 s without questions. Everything else that a Resolver
// runs are the questions that are out, and these end by themselves, within 40 s.
func (r *Resolver) Close() { r.pool.close() }

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
