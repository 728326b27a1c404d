package web

import (
	"cmp"
	"slices"
	"time"
)

const (
	// heavyNames is how many names one generation counts at most.
	heavyNames = 128
	// heavyAge is how long a generation counts; the one before it still counts.
	heavyAge = 12 * time.Hour
)

// heavy finds the names that occur most often in a stream of any number of
// names, in bounded memory: the "space saving" sketch of Metwally and others. A
// name that is new takes the place of the rarest, with its count, which it may
// then exceed its own by. It covers the last 12 to 24 hours.
type heavy struct {
	began    time.Time
	now, was map[string]*tallied
}

// tallied is a count that may be too large by over.
type tallied struct {
	count, over uint64
}

// Frequent is a name that occurs often.
type Frequent struct {
	Domain   string `json:"domain"`
	Messages uint64 `json:"messages"`
	// AtLeast is how many are certain; the sketch may have counted others' too.
	AtLeast uint64 `json:"at_least"`
}

// add counts a name.
func (h *heavy) add(now time.Time, name string) {
	h.turn(now)
	if t := h.now[name]; t != nil {
		t.count++
		return
	}
	fresh := &tallied{count: 1}
	if len(h.now) >= heavyNames {
		rarest, least := "", fresh
		for name, t := range h.now {
			if rarest == "" || t.count < least.count {
				rarest, least = name, t
			}
		}
		fresh = &tallied{count: least.count + 1, over: least.count}
		delete(h.now, rarest)
	}
	h.now[name] = fresh
}

// turn begins another generation when it is time.
func (h *heavy) turn(now time.Time) {
	switch age := now.Sub(h.began); {
	case h.now == nil || age >= 2*heavyAge || age < 0:
		h.began, h.now, h.was = now, map[string]*tallied{}, nil
	case age >= heavyAge:
		h.began, h.now, h.was = now, map[string]*tallied{}, h.now
	}
}

// top returns the names that occur most often, the first first.
func (h *heavy) top(now time.Time, most int) []Frequent {
	h.turn(now)
	sums := map[string]tallied{}
	for _, generation := range []map[string]*tallied{h.was, h.now} {
		for name, t := range generation {
			sum := sums[name]
			sums[name] = tallied{sum.count + t.count, sum.over + t.over}
		}
	}
	all := make([]Frequent, 0, len(sums))
	for name, t := range sums {
		all = append(all, Frequent{name, t.count, t.count - t.over})
	}
	slices.SortFunc(all, func(a, b Frequent) int {
		return cmp.Or(cmp.Compare(b.Messages, a.Messages), cmp.Compare(b.AtLeast, a.AtLeast), cmp.Compare(a.Domain, b.Domain))
	})
	return all[:min(len(all), most)]
}
