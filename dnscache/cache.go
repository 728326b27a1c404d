package dnscache

import (
	"strings"
	"sync"
	"sync/atomic"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
	"github.com/miekg/dns"
)

const (
	// maxNegativeTTL limits how long an NXDOMAIN or NODATA is kept: RFC 2308 §5
	// recommends one to three hours, and DNS records of mail get added in haste.
	maxNegativeTTL = time.Hour
	// maxFailureTTL limits how long a failure is kept as it goes on. RFC 9520
	// §3.2: at least 1 s, at most 5 min.
	maxFailureTTL = time.Minute
	// maxBytes limits what all entries weigh, keys and overhead included.
	maxBytes = 64 << 20
	// overhead is what an entry weighs besides its name and its size, about.
	overhead = 600
	// recordOverhead is what a record weighs besides its text, about.
	recordOverhead = 40
	// soonPart is the last part of its life in which an entry that is in use
	// gets refreshed: one tenth.
	soonPart = 10
)

// nothing is the type under which it is kept that a name does not exist, which
// is true for every type.
const nothing = dns.TypeNone

// lifetimes says how long entries are kept.
type lifetimes struct {
	min, max time.Duration // of an answer
	failure  time.Duration // of the first failure in a row
	stale    time.Duration // how long an answer may serve after its end
}

// cache keeps entries, the most recently used ones, until they expire, and a
// while longer for the case that the servers fail then.
type cache struct {
	entries *lru.Cache[question, *entry]
	lifetimes
	writing sync.Mutex   // held while entries come and go
	bytes   atomic.Int64 // the weight of all entries
}

func newCache(size int, l lifetimes) *cache {
	c := &cache{lifetimes: l}
	// The one error is for a size below 1, which New rules out.
	c.entries, _ = lru.NewWithEvict(size, func(q question, e *entry) { c.bytes.Add(-e.weight(q)) })
	return c
}

// get returns the entry that answers q and whether it is fresh. One that is
// not can still serve when the servers fail. It is nil where there is neither.
func (c *cache) get(q question, now time.Time) (e *entry, fresh bool) {
	e, _ = c.entries.Get(q)
	if e != nil && e.fresh(now) {
		return e, true
	}
	for name, more := q.name, true; more; _, name, more = strings.Cut(name, ".") {
		above, ok := c.entries.Get(question{name, nothing})
		own := len(name) == len(q.name)
		if !ok || above.stale && !own {
			continue // that it did not exist before the outage is no proof for others
		}
		// RFC 8020 §2: below a name that does not exist is nothing.
		if above.fresh(now) {
			return above, true
		}
		if own && (e == nil || above.stored.After(e.stored)) {
			e = above
		}
	}
	if e != nil && e.lingers(now) {
		return e, false
	}
	return nil, false
}

// keep takes what a flight brought for q into the cache and returns what q is
// to be answered with: where the servers failed, the answer of before as long
// as it may serve.
func (c *cache) keep(q question, e *entry, now time.Time) *entry {
	c.writing.Lock()
	defer c.writing.Unlock()
	if e.failed() {
		return c.keepFailure(q, e, now)
	}
	e.stored = now
	life := min(max(e.ttl, c.min), c.max)
	e.expires = now.Add(life)
	e.soon = e.expires.Add(-life / soonPart)
	e.dies = e.expires.Add(c.stale)
	other := question{q.name, nothing}
	if e.nowhere {
		q, other = other, q
	}
	c.entries.Remove(other) // it says something else
	c.put(q, e)
	return e
}

func (c *cache) keepFailure(q question, e *entry, now time.Time) *entry {
	last, fresh := c.peek(q, now)
	if fresh {
		return last // it was to be refreshed early; there is time yet
	}
	streak := 1
	if last != nil && last.recent(now) {
		streak = last.streak + 1
	}
	until := now.Add(c.failureTTL(streak))
	if last != nil && last.lingers(now) {
		e = last.asStale()
		if e.dies.Before(until) {
			until = e.dies
		}
		if last.nowhere {
			q.qtype = nothing
		}
	} else {
		e.stored, e.dies = now, now
	}
	e.streak = streak
	e.soon, e.expires = until, until
	c.put(q, e)
	return e
}

// peek is get for an entry of q's own name, failures included.
func (c *cache) peek(q question, now time.Time) (e *entry, fresh bool) {
	e, _ = c.entries.Peek(q)
	if above, ok := c.entries.Peek(question{q.name, nothing}); ok && (e == nil || !e.fresh(now) && above.stored.After(e.stored)) {
		e = above
	}
	return e, e != nil && e.fresh(now)
}

// failureTTL is how long the failure number streak in a row is kept.
func (c *cache) failureTTL(streak int) time.Duration {
	ttl := c.failure
	for range streak - 1 {
		if ttl *= 2; ttl >= maxFailureTTL {
			return maxFailureTTL
		}
	}
	return ttl
}

// put puts e in the place of q. c is locked for writing.
func (c *cache) put(q question, e *entry) {
	if old, ok := c.entries.Peek(q); ok {
		c.bytes.Add(-old.weight(q)) // the library does not call it an eviction
	}
	c.entries.Add(q, e)
	c.bytes.Add(e.weight(q))
	for c.bytes.Load() > maxBytes {
		c.entries.RemoveOldest()
	}
}
