package dnscache

import "sync/atomic"

// Stats are counts since the start, read at one moment.
type Stats struct {
	Hits     uint64 // look-ups answered from the cache
	Misses   uint64 // look-ups that were not, those that joined a flight included
	Queries  uint64 // questions put to a server
	Failures uint64 // questions that no server answered
	Entries  int    // answers in the cache now, expired ones included
	Bytes    int64  // what these weigh, about
}

type counters struct {
	hits, misses, queries, failures atomic.Uint64
}

// Stats returns the counts. They are read one after the other, so that a
// look-up in between may show in one and not in another.
func (r *Resolver) Stats() Stats {
	return Stats{
		Hits:     r.hits.Load(),
		Misses:   r.misses.Load(),
		Queries:  r.queries.Load(),
		Failures: r.failures.Load(),
		Entries:  r.cache.entries.Len(),
		Bytes:    r.cache.bytes.Load(),
	}
}
