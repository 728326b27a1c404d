package web

import (
	"time"

	"assay/filter"
	"assay/policy"
	"assay/verify/dmarc"
)

// dayMinutes is how many minutes are remembered one by one.
const dayMinutes = 24 * 60

// recent counts the messages of the last minute second by second, and those of
// the last day minute by minute.
type recent struct {
	minute, day ring
}

func newRecent() recent {
	return recent{minute: ring{1, make([]slot, 60)}, day: ring{60, make([]slot, dayMinutes)}}
}

// count counts a message at the given time.
func (r *recent) count(now time.Time, o *filter.Outcome) {
	r.minute.at(now).count(o)
	r.day.at(now).count(o)
}

// last returns what came within the last minutes, the second or minute that has
// begun included.
func (r *recent) last(now time.Time, minutes int64) counts {
	if minutes == 1 {
		return r.minute.last(now, 60)
	}
	return r.day.last(now, minutes)
}

// ring counts in slots of equal length, the newest in the place of the oldest.
type ring struct {
	length int64 // of a slot, in seconds
	slots  []slot
}

// slot is what came within one of them.
type slot struct {
	number int64 // of such slots since the epoch
	counts
}

// at returns the slot of that time.
func (r *ring) at(now time.Time) *slot {
	number := now.Unix() / r.length
	at := &r.slots[uint64(number)%uint64(len(r.slots))]
	if at.number != number {
		*at = slot{number: number}
	}
	return at
}

// last returns the sum of the last n slots.
func (r *ring) last(now time.Time, n int64) (sum counts) {
	number := now.Unix() / r.length
	for i := range r.slots {
		if s := &r.slots[i]; s.number > number-n && s.number <= number {
			sum.add(&s.counts)
		}
	}
	return sum
}

// counts are numbers of messages. They have a fixed place for every word, so that
// a day of minutes costs little.
type counts struct {
	actions   [5]uint32
	dmarc     [5]uint32
	exempt    uint32
	unable    uint32
	submitted uint32 // examined, although the client had logged in
}

// The places in counts.
var (
	actionPlaces = []policy.Action{policy.Accept, policy.Tag, policy.Hold, policy.Defer, policy.Reject}
	dmarcPlaces  = []dmarc.Result{dmarc.Pass, dmarc.Fail, dmarc.None, dmarc.TempError, dmarc.PermError}
)

func (c *counts) count(o *filter.Outcome) {
	for i, action := range actionPlaces {
		if o.Verdict.Action == action {
			c.actions[i]++
		}
	}
	switch {
	case o.Unable != nil:
		c.unable++
	case o.Findings == nil:
		c.exempt++
	default:
		for i, result := range dmarcPlaces {
			if o.Findings.DMARC.Result == result {
				c.dmarc[i]++
			}
		}
		if o.Message.Envelope.Authenticated != "" {
			c.submitted++
		}
	}
}

func (c *counts) add(other *counts) {
	for i := range c.actions {
		c.actions[i] += other.actions[i]
	}
	for i := range c.dmarc {
		c.dmarc[i] += other.dmarc[i]
	}
	c.exempt += other.exempt
	c.unable += other.unable
	c.submitted += other.submitted
}

// messages is how many there were.
func (c *counts) messages() (n uint32) {
	for _, of := range c.actions {
		n += of
	}
	return n
}
