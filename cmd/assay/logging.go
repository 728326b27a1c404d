package main

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/coreos/go-systemd/v22/journal"

	"assay/config"
	"assay/filter"
	"assay/verify/domain"
	"assay/verify/network"
)

// newLogger returns the log that the configuration asks for. Details are written
// whenever somebody asks for them: which ones, the filter decides.
func newLogger(format config.Word, talk io.Writer) (*slog.Logger, error) {
	options := &slog.HandlerOptions{Level: slog.LevelDebug}
	switch format {
	case config.LogJSON:
		return slog.New(slog.NewJSONHandler(talk, options)), nil
	case config.LogJournald:
		if !journal.Enabled() {
			return nil, errors.New(`log.format: the journal cannot be reached; write "text", which systemd puts into the journal too`)
		}
		return slog.New(newJournalHandler(journal.Send, slog.NewTextHandler(talk, options))), nil
	}
	return slog.New(slog.NewTextHandler(talk, options)), nil
}

// debugFor is how long SIGUSR1 makes details be logged.
const debugFor = time.Hour

// toggleDebug begins to log details of the messages that log.debug_clients and
// log.debug_authors name, or stops it.
func (s *service) toggleDebug(now time.Time) {
	if s.server.Debug(now) != nil {
		s.server.SetDebug(nil)
		s.log.Info("details are no longer logged")
		return
	}
	d := &filter.Debug{Until: now.Add(debugFor)}
	if list := s.config.Log.DebugClients; len(list) > 0 {
		clients := network.NewSet(list...)
		d.Networks = &clients
	}
	if list := s.config.Log.DebugAuthors; len(list) > 0 {
		authors := domain.NewSet(list...)
		d.Authors = &authors
	}
	s.server.SetDebug(d)
	s.log.Info("details are logged", "for", debugFor, "clients", fmt.Sprint(s.config.Log.DebugClients), "authors", fmt.Sprint(s.config.Log.DebugAuthors))
}
