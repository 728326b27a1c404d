package web

import (
	"time"

	"assay/filter"
	"assay/policy"
	"assay/verify/dmarc"
)

// slots is how many minutes are remembered one by one.
const slots = 24 * 60

// recent counts the messages of the last day, minute by minute.
type recent struct {
	minutes [slots]minute
}

// minute is what came within one minute.
type minute struct {
	number int64 // of minutes since the epoch
	counts
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

// count counts a message at the given time.
func (r *recent) count(now time.Time, o *filter.Outcome) {
	number := now.Unix() / 60
	at := &r.minutes[uint64(number)%slots]
	if at.number != number {
		*at = minute{number: number}
	}
	for i, action := range actionPlaces {
		if o.Verdict.Action == action {
			at.actions[i]++
		}
	}
	switch {
	case o.Unable != nil:
		at.unable++
	case o.Findings == nil:
		at.exempt++
	default:
		for i, result := range dmarcPlaces {
			if o.Findings.DMARC.Result == result {
				at.dmarc[i]++
			}
		}
		if o.Message.Envelope.Authenticated != "" {
			at.submitted++
		}
	}
}

// last returns what came within the last minutes, the one that has begun
// included.
func (r *recent) last(now time.Time, minutes int64) (sum counts) {
	number := now.Unix() / 60
	for i := range r.minutes {
		if m := &r.minutes[i]; m.number > number-minutes && m.number <= number {
			sum.add(&m.counts)
		}
	}
	return sum
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
