package main

import (
	"context"
	"runtime/debug"
	"time"
)

// clock is what is known about the clock of this host.
type clock struct {
	now   time.Time
	built time.Time // when the program's source was committed; zero where that is not known
	// synchronized tells what the kernel has been told by a time service.
	synchronized bool
	unknown      error // why it does not tell
}

func readClock() clock {
	c := clock{now: time.Now()}
	c.synchronized, c.unknown = synchronized()
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			if s.Key == "vcs.time" {
				c.built, _ = time.Parse(time.RFC3339, s.Value) // zero where it cannot be read
			}
		}
	}
	return c
}

// farFuture is how much older than the program the clock may make it look.
const farFuture = 20 * 365 * 24 * time.Hour

// checkClock: signatures have a beginning and an end, and so have answers of the DNS.
func (d *doctor) checkClock(context.Context) []finding {
	c := d.clock()
	const hint = "set it, and run a time service such as chrony or systemd-timesyncd"
	now := c.now.UTC().Format(time.DateTime) + " UTC"
	switch {
	case c.now.Before(c.built):
		return list(found(failing, "it says %s, when this program was not made yet (%s)", now, c.built.UTC().Format(time.DateOnly)).next(hint))
	case !c.built.IsZero() && c.now.Sub(c.built) > farFuture:
		return list(found(failing, "it says %s, long after this program was made (%s)", now, c.built.UTC().Format(time.DateOnly)).next(hint))
	case c.unknown != nil:
		return list(found(skipped, "it says %s; whether that is right is not known here: %v", now, c.unknown))
	case !c.synchronized:
		return list(found(warned, "it says %s, and no time service keeps it right", now).next("run one, such as chrony or systemd-timesyncd; DKIM signatures expire by this clock"))
	}
	return list(found(good, "it says %s, and a time service keeps it right", now))
}
