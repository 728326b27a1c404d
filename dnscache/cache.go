package dnscache

import (
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"assay/verify/lookup"
	lru "github.com/hashicorp/golang-lru/v2"
)

const (
	// minTTL is how long every answer is kept, whatever its TTL.
	minTTL = 5 * time.Second
	// maxNegativeTTL limits how long an NXDOMAIN or NODATA is kept: RFC 2308 §5
	// recommends one to three hours, and DNS records of mail get added in haste.
	maxNegativeTTL = time.Hour
	// failureTTL is how long a failure is kept. RFC 9520 §3.2: at least 1 s, at
	// most 5 min.
	failureTTL = 5 * time.Second
	// maxBytes limits what all entries weigh, keys and overhead included.
	maxBytes = 64 << 20
	// overhead is what an entry weighs besides its name and its size, about.
	overhead = 400
	// recordOverhead is what a record weighs besides its text, about.
	recordOverhead = 40
)

// entry is one answer: records of the type asked for, none, or an error. It
// does not change once it is in the cache.
type entry struct {
	txt   *lookup.TXT // not nil where the question was TXT and err is nil
	addrs []netip.Addr
	mxs   []net.MX
	hosts []string
	err   *net.DNSError

	ttl     time.Duration // as the answer has it
	expires time.Time
	count   int // records
	size    int // octets of text and names
}

// result returns e, or its error.
func (e *entry) result() (*entry, error) {
	if e.err != nil {
		return nil, e.err
	}
	return e, nil
}

func (e *entry) weight(q question) int64 {
	return int64(overhead + len(q.name) + e.size + e.count*recordOverhead)
}

// cache keeps entries, the most recently used ones, until they expire.
type cache struct {
	entries *lru.Cache[question, *entry]
	maxTTL  time.Duration
	writing sync.Mutex   // held while entries come and go
	bytes   atomic.Int64 // the weight of all entries
}

func newCache(size int, maxTTL time.Duration) *cache {
	c := &cache{maxTTL: maxTTL}
	// The one error is for a size below 1, which New rules out.
	c.entries, _ = lru.NewWithEvict(size, func(q question, e *entry) { c.bytes.Add(-e.weight(q)) })
	return c
}

// get returns the entry for q, nil where there is none that is still good.
func (c *cache) get(q question, now time.Time) *entry {
	e, ok := c.entries.Get(q)
	if !ok || !now.Before(e.expires) {
		return nil
	}
	return e
}

// put keeps e, and sets when it expires.
func (c *cache) put(q question, e *entry, now time.Time) {
	e.expires = now.Add(min(max(e.ttl, minTTL), c.maxTTL))
	c.writing.Lock()
	defer c.writing.Unlock()
	if old, ok := c.entries.Peek(q); ok {
		c.bytes.Add(-old.weight(q)) // the library does not call it an eviction
	}
	c.entries.Add(q, e)
	c.bytes.Add(e.weight(q))
	for c.bytes.Load() > maxBytes {
		c.entries.RemoveOldest()
	}
}
