package filter

import (
	"context"
	"log/slog"
	"time"

	"assay/verify/domain"
	"assay/verify/network"
)

// Debug says about which messages more is logged than one line: those of a
// client in Networks; of these, those whose author domain is in Authors.
type Debug struct {
	Networks *network.Set // nil: any client
	Authors  *domain.Set  // nil: any author
	Until    time.Time
}

// SetDebug makes details be logged from now on, with level DEBUG; nil ends
// that.
func (s *Server) SetDebug(d *Debug) { s.debug.Store(d) }

// Debug returns what SetDebug was given last; nil where it has come to its
// end.
func (s *Server) Debug(now time.Time) *Debug {
	if d := s.debug.Load(); d != nil && now.Before(d.Until) {
		return d
	}
	return nil
}

// details reports whether more is to be logged about a message.
func (s *Server) details(o *Outcome) bool {
	d := s.Debug(o.Message.Received)
	switch {
	case d == nil, d.Networks != nil && !d.Networks.Has(o.Message.Connection.Addr):
		return false
	case d.Authors == nil:
		return true
	}
	return o.Findings != nil && d.Authors.Has(o.Findings.AuthorDomain())
}

// logDetails writes a line for each result, and one for the time it took. Where
// something of addresses is left out, so is why a result is not pass: names that
// were looked up stand there, and SPF macros put addresses into these.
func (s *Server) logDetails(o *Outcome, p Privacy) {
	detail := func(attrs ...slog.Attr) {
		s.log.LogAttrs(context.Background(), slog.LevelDebug, "detail", append([]slog.Attr{
			slog.String("qid", o.Message.Envelope.QueueID), slog.String("ref", o.Ref),
		}, attrs...)...)
	}
	if f := o.Findings; f != nil {
		for _, r := range f.Results("") {
			detail(slog.String("result", p.result(r).String()))
		}
		why := func(method string, err error) {
			if err != nil && p.full() {
				detail(slog.String("method", method), slog.Any("error", err))
			}
		}
		why("spf", f.SPF.Err)
		why("helo", f.Helo.Err)
		for _, signature := range f.DKIM {
			why("dkim", signature.Err)
		}
		why("arc", f.ARC.Err)
		why("dmarc", f.DMARC.Err)
		why("iprev", f.IPRev.Err)
	}
	detail(slog.Duration("mail", o.Waits.Mail), slog.Duration("header", o.Waits.Header),
		slog.Duration("body", o.Waits.Body), slog.Duration("end", o.Waits.End),
		slog.Int("fields", len(o.Message.Header)), slog.Int("recipients", len(o.Message.Envelope.Recipients)))
}
