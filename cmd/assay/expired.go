package main

import (
	"time"

	"assay/config"
	"assay/policy"
)

// exceptionsOf returns the exceptions of a configuration as rules of the policy.
func exceptionsOf(c config.Config) []policy.Rule {
	return rulesOf(config.Config{Exceptions: c.Exceptions}).Exceptions
}

// ended returns the exceptions that no longer hold.
func ended(exceptions []policy.Rule, now time.Time) (ended []policy.Rule) {
	for _, e := range exceptions {
		if e.Expired(now) {
			ended = append(ended, e)
		}
	}
	return ended
}

// warnExpired speaks of the exceptions that no longer hold: somebody may rely
// on one still, and nobody dares to remove it.
func (s *service) warnExpired(now time.Time) {
	for _, e := range ended(exceptionsOf(s.config), now) {
		s.log.Warn("exception has ended: renew or remove it", "rule", e.Name, "until", e.Until.Format(time.DateOnly), "owner", e.Owner, "reason", e.Reason)
	}
}
