package filter

import (
	"sync/atomic"
	"time"
)

// fault counts what should not happen, and knows when it last did.
type fault struct {
	count atomic.Uint64
	last  atomic.Int64 // in nanoseconds since the epoch; 0: never
}

func (f *fault) Add(n uint64) {
	f.count.Add(n)
	f.last.Store(time.Now().UnixNano())
}

func (f *fault) Load() uint64 { return f.count.Load() }

// when returns the last time; the zero one where it never happened.
func (f *fault) when() time.Time {
	if last := f.last.Load(); last != 0 {
		return time.Unix(0, last)
	}
	return time.Time{}
}
