package main

import (
	"context"

	"assay/config"
)

// askWhere has a running milter say where it listens, if it can be asked: systemd
// may have opened sockets that listen.milter does not name.
func (d *doctor) askWhere(ctx context.Context) {
	if d.config.Listen.Status.IsZero() {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, askWait)
	defer cancel()
	s, err := statusClient(d.config.Listen.Status).Status(ctx)
	if err != nil {
		return // checkStatus speaks of it
	}
	var where []config.Address
	for _, text := range s.Milter {
		if a, err := config.ParseAddress(text); err == nil {
			where = append(where, a)
		}
	}
	if len(where) > 0 {
		d.config.Listen.Milter = where
	}
}

// checkStatus asks the running milter what it warns of itself.
func (d *doctor) checkStatus(ctx context.Context) []finding {
	if d.config.Listen.Status.IsZero() {
		return list(found(skipped, "listen.status is off, so that the running milter cannot be asked how it is"))
	}
	ctx, cancel := context.WithTimeout(ctx, askWait)
	defer cancel()
	s, err := statusClient(d.config.Listen.Status).Status(ctx)
	if err != nil {
		return list(found(failing, "%s: %v", d.config.Listen.Status, err).next("start assay; where it runs, restart it: listen.status is read at the start").later())
	}
	var findings []finding
	if s.Config.Hash != d.hash {
		findings = append(findings, found(warned, "the running milter works by another configuration than this").next("make it read the configuration again: systemctl reload assay; where its log then says so, restart it"))
	}
	for _, w := range s.Warnings {
		findings = append(findings, found(warned, "%s: %s", w.Code, w.Text).next("%s", w.Next))
	}
	if s.NotReady != "" && len(findings) == 0 {
		findings = append(findings, found(warned, "not ready: %s", s.NotReady))
	}
	if len(findings) == 0 {
		findings = list(found(good, "%s answers: up %s, no warnings", d.config.Listen.Status, since(s.Started, s.Now)))
	}
	return findings
}
