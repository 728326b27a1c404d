package main

import (
	"errors"
	"slices"
	"strings"
	"time"

	"assay/config"
)

// readAgain makes the file's present content the configuration of later
// sessions, or leaves everything as it is.
func (s *service) readAgain() {
	fresh, err := loadConfig(s.file)
	if err == nil {
		err = s.renewResolver(fresh)
	}
	if err != nil {
		s.refuse(err)
		return
	}
	s.keep(&fresh)
	s.config = fresh
	s.patience = max(s.patience, patienceWith(fresh)) // sessions keep what they began with
	s.server.Use(s.settings())
	s.monitor.Use(s.facts())
	s.warnExpired(time.Now())
	s.log.Info("configuration read again", "file", s.file)
}

// keep lets what takes a restart stay as it is, and says so.
func (s *service) keep(fresh *config.Config) {
	restart := func(changed bool, setting string) {
		if changed {
			s.log.Warn(setting + " changed: this takes a restart")
		}
	}
	old := s.config
	restart(!s.passed && !slices.Equal(fresh.Listen.Milter, old.Listen.Milter), "listen.milter")
	restart(fresh.Listen.Status != old.Listen.Status, "listen.status")
	restart(fresh.Log.Format != old.Log.Format, "log.format")
	fresh.Listen.Milter, fresh.Listen.Status, fresh.Log.Format = old.Listen.Milter, old.Listen.Status, old.Log.Format
}

// refuse says why a configuration does not come into force.
func (s *service) refuse(err error) {
	s.monitor.Refused(strings.ReplaceAll(err.Error(), "\n", "; "))
	var problems config.Problems
	if errors.As(err, &problems) {
		for _, p := range problems {
			s.log.Error("configuration refused", "problem", p.Error(), "hint", p.Hint)
		}
	} else {
		s.log.Error("configuration refused", "problem", err.Error())
	}
	s.log.Error("the configuration read before stays in force")
}

// renewResolver makes the resolver that the fresh configuration asks for. Where
// that is the one we have, it stays, with what it knows.
func (s *service) renewResolver(fresh config.Config) error {
	if sameResolver(fresh.DNS, s.config.DNS) {
		return nil
	}
	resolver, err := resolverOf(fresh)
	if err != nil {
		return err
	}
	s.resolver.Close() // messages in flight still use it
	s.resolver = resolver
	return nil
}
