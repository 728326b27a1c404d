package main

import (
	"bytes"
	"context"
	"log/slog"
	"strings"

	"github.com/coreos/go-systemd/v22/journal"
)

// journalHandler writes to the journal: the line is the message, and each of its
// keys a field, such as ASSAY_QID. What the journal does not take goes to another
// handler.
type journalHandler struct {
	send      func(message string, priority journal.Priority, fields map[string]string) error
	otherwise slog.Handler
	attrs     []slog.Attr
}

func newJournalHandler(send func(string, journal.Priority, map[string]string) error, otherwise slog.Handler) *journalHandler {
	return &journalHandler{send: send, otherwise: otherwise}
}

// Enabled implements slog.Handler.
func (h *journalHandler) Enabled(context.Context, slog.Level) bool { return true }

// WithAttrs implements slog.Handler.
func (h *journalHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	with := *h
	with.attrs = append(h.attrs[:len(h.attrs):len(h.attrs)], attrs...)
	with.otherwise = h.otherwise.WithAttrs(attrs)
	return &with
}

// WithGroup implements slog.Handler. Nothing here logs in groups; the keys of one
// stand beside the others.
func (h *journalHandler) WithGroup(string) slog.Handler { return h }

// Handle implements slog.Handler.
func (h *journalHandler) Handle(ctx context.Context, r slog.Record) error {
	fields := map[string]string{}
	add := func(a slog.Attr) bool {
		if value := a.Value.Resolve().String(); value != "" {
			fields["ASSAY_"+strings.ToUpper(a.Key)] = value
		}
		return true
	}
	for _, a := range h.attrs {
		add(a)
	}
	r.Attrs(add)
	if h.send(h.text(ctx, r), priorityOf(r.Level), fields) != nil {
		return h.otherwise.Handle(ctx, r)
	}
	return nil
}

// text is the line as the text form has it, but for what the journal itself
// keeps: the time and the level.
func (h *journalHandler) text(ctx context.Context, r slog.Record) string {
	var line bytes.Buffer
	handler := slog.NewTextHandler(&line, &slog.HandlerOptions{Level: slog.LevelDebug, ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey || a.Key == slog.LevelKey {
			return slog.Attr{}
		}
		return a
	}})
	_ = handler.WithAttrs(h.attrs).Handle(ctx, r) // a buffer takes everything
	return strings.TrimSuffix(line.String(), "\n")
}

func priorityOf(level slog.Level) journal.Priority {
	switch {
	case level >= slog.LevelError:
		return journal.PriErr
	case level >= slog.LevelWarn:
		return journal.PriWarning
	case level >= slog.LevelInfo:
		return journal.PriInfo
	}
	return journal.PriDebug
}
