package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"assay/config"
	"assay/filter"
	"assay/policy"
	"assay/verify"
	"assay/verify/arc"
	"assay/verify/message"
)

// side is one of the two configurations.
type side struct {
	rules      *policy.Rules
	arc        bool // ARC chains are validated
	allAuthors bool // as verify.Verifier.EvaluateAllAuthors
	forwarders []verify.Forwarder
}

func sideOf(c config.Config) side {
	return side{rulesOf(c), c.ARC.Enable, c.DMARC.EvaluateAllAuthors, forwardersOf(c)}
}

// judgement is what a side does with a message, and on which findings.
type judgement struct {
	findings verify.Findings
	verdict  policy.Verdict
}

// begin reads a message and returns what is left to do: to wait for answers and
// to compare the verdicts. It may be done by another goroutine.
func (r *replay) begin(ctx context.Context, name string, in io.Reader) (finish func() error, err error) {
	defer recovered(&err)
	header, body, err := message.Read(in)
	if err != nil {
		return nil, err
	}
	if len(header) == 0 {
		return nil, errNoHeader
	}
	m, at := r.stored(header)
	switch {
	case r.now.exempts(m) != "" && r.then.exempts(m) != "":
		return func() error {
			f := verify.Findings{Author: header.Author()}
			r.compare(name, judgement{f, r.now.verdict(m, f)}, judgement{f, r.then.verdict(m, f)})
			return nil
		}, nil
	case r.verifiers == nil:
		return func() error { return r.offline(name, m) }, nil
	case !m.Connection.Addr.IsValid():
		return nil, errNoClient // without it SPF says nothing, and everything may follow from that
	}
	runs, err := r.evaluate(ctx, m, at, body)
	if err != nil {
		return nil, err
	}
	return func() (err error) {
		defer recovered(&err)
		now, then := r.judge(m, runs)
		if ctx.Err() == nil {
			r.compare(name, now, then)
		}
		return nil
	}, nil
}

// evaluate begins the evaluations of a message that came in at the given time, and
// reads its body.
func (r *replay) evaluate(ctx context.Context, m *message.Message, at time.Time, body io.Reader) ([]*verify.Run, error) {
	header := asReceived(m.Header)
	var runs []*verify.Run
	for _, v := range r.verifiers {
		then := *v
		then.Now = func() time.Time { return at }
		run := then.Begin(ctx, &m.Connection, &m.Envelope)
		run.Headers(header)
		runs = append(runs, run)
	}
	if err := feed(runs, body); err != nil {
		for _, run := range runs {
			run.Cancel()
		}
		return nil, err
	}
	return runs, nil
}

// feed gives a body to runs, as far as one of them needs it.
func feed(runs []*verify.Run, body io.Reader) error {
	chunk := make([]byte, chunkBytes)
	for {
		n, err := body.Read(chunk)
		more := false
		for _, run := range runs {
			more = run.Body(chunk[:n]) || more
		}
		if !more || err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// judge waits for the evaluations and returns what both sides do.
func (r *replay) judge(m *message.Message, runs []*verify.Run) (now, then judgement) {
	first, last := runs[0], runs[len(runs)-1]
	nowEarly, thenEarly := r.now.early(m, first), r.then.early(m, last)
	now.findings = first.Finish()
	then.findings = now.findings
	if last != first {
		then.findings = last.Finish()
	}
	now.verdict, then.verdict = r.now.verdict(m, now.findings), r.then.verdict(m, then.findings)
	if nowEarly != nil {
		now.verdict = *nowEarly
	}
	if thenEarly != nil {
		then.verdict = *thenEarly
	}
	return now, then
}

// recovered turns a panic into an error: one message must not end a replay.
func recovered(err *error) {
	if value := recover(); value != nil {
		*err = fmt.Errorf("%w: %v", errFault, value)
	}
}

// stored is a message from a mailbox with what its header says about how and
// when it came in. Exceptions are judged by today's date: the question is what
// a policy would do now.
func (r *replay) stored(header message.Header) (m *message.Message, at time.Time) {
	m = &message.Message{Header: withoutLaterHops(header, r.id), Received: r.clock()}
	_ = checkFlags{}.envelope(m, io.Discard) // fails only for flags
	at = arrival(m)
	if at.IsZero() {
		at = m.Received
	}
	return m, at
}

// compare counts a message.
func (r *replay) compare(name string, now, then judgement) {
	r.differences.add(name, now, then)
	r.progress.judged(now.verdict.Action != then.verdict.Action)
}

// exempts returns why a message is not examined, "" when it is.
func (s side) exempts(m *message.Message) string { return s.rules.Exempt(&m.Connection, &m.Envelope) }

// early returns the verdict at MAIL; nil where the message is let in.
func (s side) early(m *message.Message, run *verify.Run) *policy.Verdict {
	if s.exempts(m) != "" {
		return nil
	}
	if v, _, refuse := filter.Early(s.rules, run, m); refuse {
		return &v
	}
	return nil
}

// verdict is what a side does at the end of a message, exempt mail included.
func (s side) verdict(m *message.Message, f verify.Findings) policy.Verdict {
	if reason := s.exempts(m); reason != "" {
		return policy.Verdict{Action: policy.Accept, Step: policy.StepExempt, Reason: "exempt: " + reason}
	}
	if !s.arc {
		f.ARC = arc.Chain{}
	}
	return s.rules.Decide(m, f)
}

func (r *replay) passOver(name string, err error) {
	if errors.Is(err, context.Canceled) {
		return
	}
	r.passedErrors.add(name, err)
}
