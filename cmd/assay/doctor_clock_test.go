package main

import (
	"errors"
	"testing"
	"time"
)

// TestDoctorClock: what is said of the clock, word for word.
func TestDoctorClock(t *testing.T) {
	says := func(change func(*clock), want finding) {
		t.Helper()
		c := noon
		change(&c)
		d := doctor{clock: func() clock { return c }}
		if got := d.checkClock(t.Context()); len(got) != 1 || got[0] != want {
			t.Errorf("got  %+v\nwant %+v", got, want)
		}
	}
	const hint = "set it, and run a time service such as chrony or systemd-timesyncd"
	says(func(c *clock) { c.now = c.built.Add(-time.Second) },
		found(failing, "it says 2026-10-31 23:59:59 UTC, when this program was not made yet (2026-11-01)").next(hint))
	says(func(c *clock) { c.now = c.built }, found(good, "it says 2026-11-01 00:00:00 UTC, and a time service keeps it right"))
	says(func(c *clock) { c.now = c.built.Add(farFuture) }, found(good, "it says 2046-10-27 00:00:00 UTC, and a time service keeps it right"))
	says(func(c *clock) { c.now = c.built.Add(farFuture + time.Second) },
		found(failing, "it says 2046-10-27 00:00:01 UTC, long after this program was made (2026-11-01)").next(hint))
	says(func(c *clock) { c.synchronized = false },
		found(warned, "it says 2026-11-29 12:00:00 UTC, and no time service keeps it right").
			next("run one, such as chrony or systemd-timesyncd; DKIM signatures expire by this clock"))
	says(func(c *clock) { c.unknown = errors.New("this system does not say") },
		found(skipped, "it says 2026-11-29 12:00:00 UTC; whether that is right is not known here: this system does not say"))
	if c := readClock(); time.Since(c.now) > patience {
		t.Errorf("the clock of this host: %+v", c)
	}
}
