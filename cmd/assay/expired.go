package main

import (
	"time"

	"assay/config"
)

// warnExpired speaks of the exceptions that no longer hold: somebody may rely
// on one still, and nobody dares to remove it.
func (s *service) warnExpired(now time.Time) {
	rules := rulesOf(config.Config{Exceptions: s.config.Exceptions})
	for _, e := range rules.Exceptions {
		if e.Expired(now) {
			s.log.Warn("exception has ended: renew or remove it", "rule", e.Name, "until", e.Until.Format(time.DateOnly), "owner", e.Owner, "reason", e.Reason)
		}
	}
}
