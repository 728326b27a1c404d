package main

import (
	"fmt"
	"runtime/debug"
	"strings"
	"time"

	sd "github.com/coreos/go-systemd/v22/daemon"

	"assay/config"
)

// notify tells systemd in which state we are (sd_notify(3)), one assignment a line.
// Without systemd nobody is told.
func (s *service) notify(lines ...string) {
	if _, err := sd.SdNotify(false, strings.Join(lines, "\n")); err != nil {
		s.log.Warn("systemd cannot be told", "state", lines[0], "error", err)
	}
}

func (s *service) notifyReady() {
	s.notify(sd.SdNotifyReady, "STATUS=mode "+string(s.config.Policy.Mode)+", results stated under "+string(s.config.AuthservID))
}

func (s *service) notifyReloading() {
	s.notify(sd.SdNotifyReloading)
}

// notifyStopping asks for the time that listen.drain gives to messages in flight,
// whatever the unit's TimeoutStopSec= is, and a bit to end in.
func (s *service) notifyStopping() {
	limit := s.config.Listen.Drain + 10*time.Second
	s.notify(sd.SdNotifyStopping, fmt.Sprintf("EXTEND_TIMEOUT_USEC=%d", limit.Microseconds()), "STATUS=messages in flight finish")
}

// watchdogBeat returns when systemd's watchdog (WatchdogSec=) wants to be fed, twice
// in its time. The channel is nil where there is none.
func watchdogBeat() (beat <-chan time.Time, stop func(), err error) {
	every, err := sd.SdWatchdogEnabled(false)
	if err != nil || every == 0 {
		return nil, func() {}, err
	}
	ticker := time.NewTicker(every / 2)
	return ticker.C, ticker.Stop, nil
}

// patienceWith is how long a session may be at one command: the look-ups of a
// message take dns.message_budget at most, and then the MTA may take limits.stage to
// accept the answer. The rest of our work is milliseconds; who takes them for
// longer is given WatchdogSec= besides.
func patienceWith(c config.Config) time.Duration {
	return c.DNS.MessageBudget + c.Limits.Stage
}

// feed keeps systemd from starting us anew, as long as no session is stuck: that is
// a fault of ours which nothing but a new start mends.
func (s *service) feed(now time.Time) {
	if stuck := s.server.Stuck(now, s.patience); stuck > 0 {
		s.log.Error("sessions are stuck: the watchdog is not fed", "sessions", stuck, "longer_than", s.patience)
		s.notify("STATUS=stuck: " + plural(stuck, "session"))
		return
	}
	stats := s.server.Stats()
	s.notify(sd.SdNotifyWatchdog, fmt.Sprintf("STATUS=%s, %s in flight, mode %s", plural(stats.Sessions, "session"), plural(stats.Busy, "message"), s.config.Policy.Mode))
}

// crashBySignal makes a crash, and the watchdog's SIGABRT, end the process by that
// signal. Go would print the stacks all the same and exit with 2, which is exitUsage:
// the one status after which systemd does not start us again.
func crashBySignal() {
	debug.SetTraceback("crash")
}
