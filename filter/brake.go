package filter

import (
	"sync"
	"time"
)

// RejectWindow is the time over which the share of refused messages is taken.
const RejectWindow = 10 * time.Minute

const (
	// brakeSlots is into how many parts the window is cut; the oldest leaves
	// it as a whole.
	brakeSlots = 60
	// brakeLeast is how many messages there must be before their share says
	// anything.
	brakeLeast = 100
	// remindEvery is how often a stop is spoken of again.
	remindEvery = time.Minute
)

// brake stops refusing when too large a share of the messages is refused: then
// it is rather the policy that is wrong. It stays so for as long as the
// settings are in force. It is safe for concurrent use.
type brake struct {
	limit int // per cent; 0 and 100 never stop

	mu       sync.Mutex
	slots    [brakeSlots]slot
	stopped  bool
	reminded time.Time
}

// slot is a part of the window.
type slot struct {
	number            int64 // of slots since the epoch
	messages, refused int
}

func (b *brake) hasStopped() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.stopped
}

// count takes a message that is judged at now and, by its verdict, refused or
// not. It reports whether refusing is stopped, and whether it is time to say
// so.
func (b *brake) count(now time.Time, refused bool) (stopped, say bool) {
	if b.limit <= 0 || b.limit >= 100 {
		return false, false
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	number := now.UnixNano() / int64(RejectWindow/brakeSlots)
	at := &b.slots[uint64(number)%brakeSlots] // a clock may be before the epoch
	if at.number != number {
		*at = slot{number: number}
	}
	at.messages++
	if refused {
		at.refused++
	}
	if !b.stopped {
		messages, all := 0, 0
		for _, s := range b.slots {
			if s.number > number-brakeSlots && s.number <= number {
				messages, all = messages+s.messages, all+s.refused
			}
		}
		b.stopped = messages >= brakeLeast && all*100 > b.limit*messages
	}
	if b.stopped && refused && now.Sub(b.reminded) >= remindEvery {
		b.reminded, say = now, true
	}
	return b.stopped, say
}
