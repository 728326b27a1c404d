package filter

import (
	"sync/atomic"
	"time"
)

// Stats are the numbers of a server.
type Stats struct {
	Sessions   int    // open connections
	Busy       int    // of these, those with a message in flight
	Accepted   uint64 // connections accepted
	CannotEdit uint64 // of these, those whose MTA does not allow header changes
	Panics     uint64
	// When the last of these two happened; zero where none did.
	LastCannotEdit, LastPanic time.Time

	TurnedAway uint64 // connections and messages that a limit forbade
	Stopped    bool   // refusing has stopped, see Settings.MaxRejects
}

// counters is what a server counts all its life.
type counters struct {
	accepted   atomic.Uint64
	cannotEdit fault
	panics     fault
	turnedAway atomic.Uint64
}

// Stats returns the numbers as they are now.
func (s *Server) Stats() Stats {
	stats := Stats{
		Accepted: s.accepted.Load(), CannotEdit: s.cannotEdit.Load(), Panics: s.panics.Load(), TurnedAway: s.turnedAway.Load(),
		LastCannotEdit: s.cannotEdit.when(), LastPanic: s.panics.when(),
		Stopped: s.settings.Load().brake.hasStopped(),
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	stats.Sessions = len(s.conns)
	for c := range s.conns {
		if c.state.busy.Load() {
			stats.Busy++
		}
	}
	return stats
}

// Stuck returns how many sessions have been at one command for longer than
// limit: nothing that we do may take longer than the budget of a message, so that
// something is wrong with us.
func (s *Server) Stuck(now time.Time, limit time.Duration) int {
	stuck := 0
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.conns {
		if since := c.state.working.Load(); since != 0 && now.Sub(c.state.began)-time.Duration(since) > limit {
			stuck++
		}
	}
	return stuck
}

// Draining reports whether Shutdown has been called.
func (s *Server) Draining() bool { return s.isClosing() }
