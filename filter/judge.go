package filter

import (
	"strings"
	"time"

	"assay/policy"
	"assay/verify"
	"assay/verify/message"
)

// judge returns the verdict on the message, counts it, and says what the policy
// to try would do where that is another action.
func (t *transaction) judge(f verify.Findings) (v policy.Verdict, trial *policy.Verdict) {
	s := t.session.settings
	v = s.Rules.Decide(&t.message, f)
	s.tally.count(v.Matched)
	trial = t.try(f, v)
	if t.stopped(v) {
		v = v.FallBack(f)
	}
	return v, trial
}

// try judges the message by the policy to try, and returns its verdict where
// the action differs.
func (t *transaction) try(f verify.Findings, v policy.Verdict) *policy.Verdict {
	s := t.session.settings
	if s.Shadow == nil {
		return nil
	}
	other := policy.Verdict{Action: policy.Accept, Step: policy.StepExempt}
	if s.Shadow.Exempt(&t.message.Connection, &t.message.Envelope) == "" {
		other = s.Shadow.Decide(&t.message, f)
	}
	s.tally.judged.Add(1)
	if other.Action == v.Action {
		return nil
	}
	s.tally.differs.Add(1)
	return &other
}

// stopped reports whether too many messages are refused for this one to be.
func (t *transaction) stopped(v policy.Verdict) bool {
	s := t.session.settings
	stopped, say := s.brake.count(s.Verifier.Now(), v.Action == policy.Reject)
	if say {
		t.session.server.log.Error("REFUSING HAS STOPPED: too many messages would be refused; they are tagged until the configuration is read again",
			"max_reject_share", s.MaxRejects, "window", RejectWindow)
	}
	return stopped && v.Action == policy.Reject
}

// earlyWait bounds each of the two waits before MAIL is answered: Sendmail gives
// up after ten seconds.
const earlyWait = MaxMailWait / 2

// MaxMailWait is how long the MTA waits for the answer to MAIL at most, where
// Rules.SPFEarly is set. Otherwise the answer comes at once.
const MaxMailWait = 8 * time.Second

// Early returns the verdict by which rules refuse a message when MAIL has been
// seen, with what it is founded on, and whether they do. It may be called until run
// is finished, and waits for DNS.
func Early(rules *policy.Rules, run *verify.Run, m *message.Message) (v policy.Verdict, f verify.Findings, refuse bool) {
	if !rules.SPFEarly {
		return v, f, false
	}
	check, ok := run.MailFrom(earlyWait)
	if !ok {
		return v, f, false
	}
	if v, refuse = rules.Early(m, check); !refuse || run.Covered(check.Domain, earlyWait) {
		return policy.Verdict{}, f, false
	}
	return v, verify.Findings{Client: m.Connection.Addr, SPF: check}, true
}

// refuseEarly returns the answer to MAIL where the message is refused at once,
// and "" where it is to come in.
func (t *transaction) refuseEarly() string {
	s := t.session.settings
	if t.unable != nil {
		return t.turnAway()
	}
	if t.run == nil {
		return ""
	}
	v, f, refuse := Early(s.Rules, t.run, &t.message)
	if !refuse || t.stopped(v) {
		return ""
	}
	t.waits.End = time.Since(t.began)
	t.conclude(&Outcome{Findings: &f, Verdict: v})
	return t.reply(v.Reply)
}

// turnAway returns the answer to MAIL where there are too many sessions or
// messages, and "" where the message is to be accepted unexamined.
func (t *transaction) turnAway() string {
	t.session.server.turnedAway.Add(1)
	if t.session.settings.WhenUnable != policy.Defer {
		return ""
	}
	t.conclude(&Outcome{Unable: t.unable, Verdict: policy.Verdict{Action: policy.Defer}})
	return t.defers()
}

// reply is an SMTP reply as the MTA wants it: code and status on each line, and
// per-cent signs doubled: a single one would be lost on the way, or the whole
// text with it. The reference stands at its end.
func (t *transaction) reply(r policy.Reply) string {
	r.Text += " (ref " + t.ref + ")"
	return reply(r)
}

func reply(r policy.Reply) string {
	lines := strings.Split(r.Text, "\n")
	for i, line := range lines {
		one := policy.Reply{Code: r.Code, Enhanced: r.Enhanced, Text: line}
		lines[i] = oneLine(one.String())
		if i < len(lines)-1 {
			lines[i] = lines[i][:3] + "-" + lines[i][4:]
		}
	}
	return strings.ReplaceAll(strings.Join(lines, "\r\n"), "%", "%%")
}
