package filter

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"assay/policy"
	"assay/verify"
	"assay/verify/dkim"
)

// logMessage writes the one line of a message, its keys always in this order.
func (s *Server) logMessage(t *transaction, f verify.Findings, v policy.Verdict, trial *policy.Verdict, took time.Duration) {
	m := &t.message
	attrs := []slog.Attr{
		slog.String("qid", m.Envelope.QueueID),
		slog.String("ip", address(t)),
		slog.String("helo", m.Connection.Helo),
		slog.String("envelope_sender", m.Envelope.Sender),
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
		slog.Duration("took", took.Round(time.Microsecond)),
		slog.String("step", string(v.Step)),
		slog.String("rule", v.Rule),
	}
	if fw := f.Forwarded; fw.Name != "" {
		attrs = append(attrs, slog.String("forwarder", fw.Name))
		if fw.Client.IsValid() {
			attrs = append(attrs, slog.String("spf_for", fw.Client.String()))
		}
	}
	if f.Stale > 0 {
		attrs = append(attrs, slog.Int("stale", f.Stale))
	}
	attrs = append(attrs, further(v, trial)...)
	if psl := f.DMARC.Disagreement(); !psl.IsZero() {
		// Receivers that still follow RFC 7489 judge this message differently.
		attrs = append(attrs, slog.String("org_domain", f.DMARC.OrgDomain.String()), slog.String("psl_org_domain", psl.String()))
	}
	s.log.LogAttrs(context.Background(), slog.LevelInfo, "message", attrs...)
}

// further returns what only some verdicts have.
func further(v policy.Verdict, trial *policy.Verdict) (attrs []slog.Attr) {
	if len(v.Evidence) > 0 {
		attrs = append(attrs, slog.String("evidence", listed(v.Evidence)))
	}
	if v.Would.Action != "" {
		attrs = append(attrs, slog.String("would_action", string(v.Would.Action)),
			slog.String("would_step", string(v.Would.Step)), slog.String("would_rule", v.Would.Rule))
	}
	if len(v.Asked) > 0 {
		attrs = append(attrs, slog.String("asked_more", listed(v.Asked)))
	}
	if trial != nil {
		attrs = append(attrs, slog.String("shadow_action", string(trial.Action)),
			slog.String("shadow_step", string(trial.Step)), slog.String("shadow_rule", trial.Rule))
	}
	return attrs
}

// listed is a list for the log, cut off where it is long.
func listed[T fmt.Stringer](all []T) string {
	const most = 20
	var words []string
	for _, one := range all[:min(len(all), most)] {
		words = append(words, one.String())
	}
	if len(all) > most {
		words = append(words, fmt.Sprintf("and %d more", len(all)-most))
	}
	return strings.Join(words, ",")
}

// logExempt writes the line of a message that was not examined.
func (s *Server) logExempt(t *transaction) {
	m := &t.message
	s.log.LogAttrs(context.Background(), slog.LevelInfo, "message",
		slog.String("qid", m.Envelope.QueueID),
		slog.String("ip", address(t)),
		slog.String("helo", m.Connection.Helo),
		slog.String("envelope_sender", m.Envelope.Sender),
		slog.String("action", string(policy.Accept)),
		slog.String("reason", "exempt: "+t.exempt),
		slog.String("step", string(policy.StepExempt)),
	)
}

func address(t *transaction) string {
	if addr := t.message.Connection.Addr; addr.IsValid() {
		return addr.String()
	}
	return ""
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
