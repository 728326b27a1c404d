package main

import (
	"context"
	"fmt"
	"net"
	"time"

	"assay/config"
	"assay/web"
)

// stuckFactor is how many times dns.message_budget one command of an MTA may
// take: of all that we do only waiting for DNS takes long.
const stuckFactor = 3

// facts is what the monitor tells about the configuration in force.
func (s *service) facts() web.Facts {
	exceptions := rulesOf(config.Config{Exceptions: s.config.Exceptions}).Exceptions
	return web.Facts{
		Filter:     s.server,
		Resolver:   s.resolver,
		File:       s.file,
		Hash:       s.config.Hash(),
		AuthservID: string(s.config.AuthservID),
		IDStated:   s.config.IDStated,
		Mode:       string(s.config.Policy.Mode),
		SlowAfter:  s.config.DNS.RetryAfter,
		StuckAfter: stuckFactor * s.config.DNS.MessageBudget,
		Pprof:      s.config.Listen.Pprof,
		Ended: func(now time.Time) (names []string) {
			for _, e := range ended(exceptions, now) {
				names = append(names, e.Name)
			}
			return names
		},
	}
}

// listenStatus opens the address at which we tell how we are; nil where there is
// none. Of a unix socket the group may ask too.
func listenStatus(a config.StatusAddress) (net.Listener, error) {
	if a.IsZero() {
		return nil, nil
	}
	l, err := listenOn(config.Address(a), 0o660)
	if err != nil {
		return nil, fmt.Errorf("listen.status: %w", err)
	}
	return l, nil
}

// tell answers those who ask how we are until ctx ends. When that fails, mail goes
// on.
func (s *service) tell(ctx context.Context, l net.Listener) {
	if l == nil {
		return
	}
	s.log.Info("listening", "status", s.config.Listen.Status.String())
	if err := s.monitor.Serve(ctx, l); err != nil {
		s.log.Error("the status is no longer told", "error", err)
	}
}
