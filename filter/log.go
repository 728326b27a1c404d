package filter

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"assay/policy"
	"assay/verify/dkim"
)

// logOutcome writes the one line of a message.
func (s *Server) logOutcome(o *Outcome, p Privacy) {
	switch {
	case o.Unable != nil:
		s.line(slog.LevelError, "message not examined", append(whose(o, p),
			slog.String("action", string(o.Verdict.Action)), slog.Any("error", o.Unable)))
	case o.Findings == nil:
		s.line(slog.LevelInfo, "message", append(whose(o, p),
			slog.String("action", string(o.Verdict.Action)),
			slog.String("reason", o.Verdict.Reason),
			slog.String("step", string(o.Verdict.Step))))
	default:
		s.line(slog.LevelInfo, "message", judged(whose(o, p), o, p))
	}
	if s.details(o) {
		s.logDetails(o, p)
	}
}

// line writes a line without the place in our code that it is from: to find that out
// takes longer than the rest of it.
func (s *Server) line(level slog.Level, what string, attrs []slog.Attr) {
	ctx := context.Background()
	if !s.log.Enabled(ctx, level) {
		return
	}
	record := slog.NewRecord(time.Now(), level, what, 0)
	record.AddAttrs(attrs...)
	_ = s.log.Handler().Handle(ctx, record) // a full disk costs the log, and no mail
}

// whose tells which message a line is about.
func whose(o *Outcome, p Privacy) []slog.Attr {
	m := o.Message
	attrs := make([]slog.Attr, 0, 24)
	return append(attrs,
		slog.String("qid", m.Envelope.QueueID),
		slog.String("ref", o.Ref),
		slog.String("ip", p.client(m.Connection.Addr)),
		slog.String("helo", p.host(m.Connection.Helo)),
		slog.String("envelope_sender", p.mailbox(m.Envelope.Sender)),
	)
}

// judged tells what was found and done, the keys always in this order.
func judged(attrs []slog.Attr, o *Outcome, p Privacy) []slog.Attr {
	f, v := o.Findings, &o.Verdict
	attrs = append(attrs,
		slog.String("author_domain", f.AuthorDomain().String()),
		slog.String("spf", string(f.SPF.Result)),
		slog.String("dkim", signatures(f.DKIM)),
		slog.String("arc", string(f.ARC.Result)),
		slog.String("dmarc", string(f.DMARC.Result)),
		slog.String("requested", string(f.DMARC.Requested)),
		slog.String("disposition", string(v.Disposition)),
		slog.String("action", string(v.Action)),
		slog.String("reason", v.Reason),
		slog.Int("lookups", f.Lookups),
		slog.Duration("took", o.Waits.End.Round(time.Microsecond)),
		slog.String("step", string(v.Step)),
		slog.String("rule", v.Rule),
	)
	if fw := f.Forwarded; fw.Name != "" {
		attrs = append(attrs, slog.String("forwarder", fw.Name))
		if fw.Client.IsValid() {
			attrs = append(attrs, slog.String("spf_for", p.client(fw.Client)))
		}
	}
	if f.Stale > 0 {
		attrs = append(attrs, slog.Int("stale", f.Stale))
	}
	attrs = append(attrs, further(v, o.Trial, p)...)
	if psl := f.DMARC.Disagreement(); !psl.IsZero() {
		// Receivers that still follow RFC 7489 judge this message differently.
		attrs = append(attrs, slog.String("org_domain", f.DMARC.OrgDomain.String()), slog.String("psl_org_domain", psl.String()))
	}
	return attrs
}

// further returns what only some verdicts have.
func further(v *policy.Verdict, trial *policy.Verdict, p Privacy) (attrs []slog.Attr) {
	if len(v.Evidence) > 0 {
		attrs = append(attrs, slog.String("evidence", listed(v.Evidence, policy.Evidence.String)))
	}
	if v.Would.Action != "" {
		attrs = append(attrs, slog.String("would_action", string(v.Would.Action)),
			slog.String("would_step", string(v.Would.Step)), slog.String("would_rule", v.Would.Rule))
	}
	if len(v.Asked) > 0 {
		attrs = append(attrs, slog.String("asked_more", listed(v.Asked, func(a policy.Asked) string {
			a.Recipient = p.mailbox(a.Recipient)
			return a.String()
		})))
	}
	if trial != nil {
		attrs = append(attrs, slog.String("shadow_action", string(trial.Action)),
			slog.String("shadow_step", string(trial.Step)), slog.String("shadow_rule", trial.Rule))
	}
	return attrs
}

// listed is a list for the log, cut off where it is long.
func listed[T any](all []T, word func(T) string) string {
	const most = 20
	var words []string
	for _, one := range all[:min(len(all), most)] {
		words = append(words, word(one))
	}
	if len(all) > most {
		words = append(words, fmt.Sprintf("and %d more", len(all)-most))
	}
	return strings.Join(words, ",")
}

// signatures lists the results of DKIM, each once, as pass:example.com.
func signatures(all []dkim.Signature) string {
	if len(all) == 0 {
		return string(dkim.None)
	}
	const most = 5
	var words []string
	for _, s := range all[:min(len(all), most)] {
		words = append(words, string(s.Result)+":"+s.SDID.String())
	}
	if len(all) > most {
		words = append(words, "…")
	}
	return strings.Join(words, ",")
}
