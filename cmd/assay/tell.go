package main

import (
	"context"
	"net"
	"slices"
	"sync"
	"time"

	"assay/config"
	"assay/policy"
	"assay/web"
)

// facts is what the monitor tells about the configuration in force.
func (s *service) facts() web.Facts {
	rules := rulesOf(s.config)
	var milter []string
	for _, a := range s.addresses {
		milter = append(milter, a.String())
	}
	asksLogin := func(r policy.Rule) bool { return r.Match.Authenticated != nil }
	return web.Facts{
		Filter:     s.server,
		Resolver:   s.resolver,
		Log:        s.log,
		Milter:     milter,
		File:       s.file,
		Hash:       s.config.Hash(),
		AuthservID: string(s.config.AuthservID),
		IDStated:   s.config.IDStated,
		Mode:       string(s.config.Policy.Mode),
		Submitted:  slices.ContainsFunc(rules.Exceptions, asksLogin) || slices.ContainsFunc(rules.Rules, asksLogin),
		SlowAfter:  s.config.DNS.Timeout / 2,
		StuckAfter: s.patience,
		Pprof:      s.config.Listen.Pprof,
		Ended: func(now time.Time) (names []string) {
			for _, e := range ended(rules.Exceptions, now) {
				names = append(names, e.Name)
			}
			return names
		},
	}
}

// tell answers those who ask how we are until ctx ends. When that fails, mail goes
// on.
func (s *service) tell(ctx context.Context, listeners []net.Listener) {
	var all sync.WaitGroup
	for _, l := range listeners {
		s.log.Info("listening", "status", config.StatusAddress{Network: l.Addr().Network(), Addr: l.Addr().String()}.String())
		all.Go(func() {
			if err := s.monitor.Serve(ctx, l); err != nil {
				s.log.Error("the status is no longer told", "error", err)
			}
		})
	}
	all.Wait()
}
