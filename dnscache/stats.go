package dnscache

import "sync/atomic"

// Stats are counts since the start, read at one moment.
type Stats struct {
	Hits       uint64 // look-ups answered from the cache
	Misses     uint64 // look-ups that were not, those that joined a flight included
	Stale      uint64 // look-ups answered with what was past its time
	Prefetches uint64 // answers asked for anew before their end

	Queries uint64 // queries sent to servers
	// What came of the questions put to servers, each of which may take several
	// queries.
	Answers  uint64 // records
	NoData   uint64 // none of that type
	Absent   uint64 // no such name (NXDOMAIN)
	Failures uint64 // no server answered

	InFlight int   // queries that are out now
	Entries  int   // answers in the cache now, expired ones included
	Bytes    int64 // what these weigh, about

	Upstreams []UpstreamStats // in the order of the configuration
}

type counters struct {
	hits, misses, stale, prefetches, queries atomic.Uint64

	answers, noData, absent, failures atomic.Uint64

	answered atomic.Int64 // when a server last said something of use, in nanoseconds since the epoch
}

// count counts what came of a question.
func (c *counters) count(e *entry) {
	switch {
	case e.failed():
		c.failures.Add(1)
	case e.err != nil:
		c.absent.Add(1)
	case e.count == 0:
		c.noData.Add(1)
	default:
		c.answers.Add(1)
	}
}

// Stats returns the counts. They are read one after the other, so that a
// look-up in between may show in one and not in another.
func (r *Resolver) Stats() Stats {
	s := Stats{
		Hits:       r.hits.Load(),
		Misses:     r.misses.Load(),
		Stale:      r.stale.Load(),
		Prefetches: r.prefetches.Load(),
		Queries:    r.queries.Load(),
		Answers:    r.answers.Load(),
		NoData:     r.noData.Load(),
		Absent:     r.absent.Load(),
		Failures:   r.failures.Load(),
		InFlight:   len(r.sockets),
		Entries:    r.cache.entries.Len(),
		Bytes:      r.cache.bytes.Load(),
	}
	for _, u := range r.pool.all(r.now()) {
		one := u.read()
		one.Server = u.name
		s.Upstreams = append(s.Upstreams, one)
	}
	return s
}
