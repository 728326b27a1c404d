package dnscache

import (
	"math/bits"
	"sync"
	"time"
)

const (
	// healthUnit is the latency, as a moving average, up to which servers are
	// equally good; each doubling is one grade worse.
	healthUnit = 16 * time.Millisecond
	// healthWeight is the part that the newest observation has in the average:
	// one of so many.
	healthWeight = 4
	// probeInterval is how often a server that is not the best is asked too,
	// so that it is noticed when it has recovered.
	probeInterval = 5 * time.Second
)

// LatencyBounds are the upper ends of the classes of a latency histogram; one
// more class has what is above.
var LatencyBounds = [...]time.Duration{
	time.Millisecond, 2 * time.Millisecond, 5 * time.Millisecond,
	10 * time.Millisecond, 20 * time.Millisecond, 50 * time.Millisecond,
	100 * time.Millisecond, 200 * time.Millisecond, 500 * time.Millisecond,
	time.Second, 2 * time.Second, 5 * time.Second,
}

// UpstreamStats are counts of one server since we know it.
type UpstreamStats struct {
	Server  string
	Queries uint64 // queries sent
	Replies uint64 // answers to them, whatever they said
	Lost    uint64 // queries not answered within Config.RetryAfter, late answers included
	// Average is the moving average of the time it takes to answer; one that is
	// lost counts as Config.Timeout.
	Average time.Duration
	// Latency counts the replies by the time they took, see LatencyBounds.
	Latency [len(LatencyBounds) + 1]uint64
	Took    time.Duration // all replies together
	// NoTCP counts the answers since the last success that were to be had over
	// TCP only, and were not.
	NoTCP uint64
}

// health is what we observed of a server.
type health struct {
	mu     sync.Mutex
	stats  UpstreamStats
	probed time.Time
}

func (h *health) sent() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.stats.Queries++
}

func (h *health) replied(took time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.stats.Replies++
	class := 0
	for class < len(LatencyBounds) && took > LatencyBounds[class] {
		class++
	}
	h.stats.Latency[class]++
	h.stats.Took += took
	h.stats.Average += (took - h.stats.Average) / healthWeight
}

func (h *health) lost(cost time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.stats.Lost++
	h.stats.Average += (cost - h.stats.Average) / healthWeight
}

// overTCP notes what came of asking again over TCP.
func (h *health) overTCP(err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if err == nil {
		h.stats.NoTCP = 0
	} else {
		h.stats.NoTCP++
	}
}

// grade is how good the server is, 0 being best.
func (h *health) grade() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return bits.Len64(uint64(h.stats.Average / healthUnit))
}

// probe reports whether it is time to ask a server that is not the best.
func (h *health) probe(now time.Time) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if now.Sub(h.probed) < probeInterval {
		return false
	}
	h.probed = now
	return true
}

func (h *health) read() UpstreamStats {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.stats
}
