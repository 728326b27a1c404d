package dnscache

import (
	"errors"
	"sync"
	"time"

	"assay/verify/lookup"
)

// errUnkept is what a question gets in Try that the cache cannot answer. Nobody is
// shown it.
var errUnkept = errors.New("not kept")

// trial is what is asked in one Try. It counts where it was enough: otherwise it is
// asked again.
type trial struct {
	mu     sync.Mutex
	unkept bool // something was asked that is not kept
	hits   []hit
}

// hit is an answer that was in the cache.
type hit struct {
	question
	*entry
	at time.Time
}

// Try implements lookup.Keeper.
func (r *Resolver) Try(work func(kept lookup.Resolver)) bool {
	t := &trial{}
	work(&Resolver{core: r.core, trial: t})
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.unkept {
		return false
	}
	for _, h := range t.hits {
		r.hit(h.question, h.entry, h.at)
	}
	return true
}

func (t *trial) hit(q question, e *entry, now time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.hits = append(t.hits, hit{q, e, now})
}

func (t *trial) miss() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.unkept = true
}
