package filter

import (
	"context"
	"strings"
	"time"

	"github.com/emersion/go-milter"

	"assay/policy"
	"assay/verify"
	"assay/verify/message"
)

// maxRecipients bounds the recipients that are kept for the record.
const maxRecipients = 1000

// transaction is one message.
type transaction struct {
	session *session
	ref     string    // our reference
	began   time.Time // when MAIL came
	waits   Waits
	message message.Message
	exempt  string      // why it is not examined; "" when it is
	run     *verify.Run // nil when it is not examined
	cancel  context.CancelFunc
	unable  error // our own failure to examine it

	counted     bool // it is one of the messages in flight
	headerBytes int
	headed      bool // the header section is over
}

// begin starts what can be known before the message itself.
func (t *transaction) begin(sender, login string) {
	s := t.session
	t.message = message.Message{
		Connection: s.client,
		Envelope:   message.Envelope{Sender: sender, Authenticated: login},
		Received:   s.settings.Verifier.Now(),
	}
	if t.unable = s.server.crowd.begin(s.conn.peer, s.settings.Limits); t.unable != nil {
		return
	}
	t.counted = true
	t.exempt = s.settings.Rules.Exempt(&t.message.Connection, &t.message.Envelope)
	if t.exempt == "" {
		t.run = s.settings.Verifier.Begin(s.server.cut, &t.message.Connection, &t.message.Envelope)
		t.cancel = t.run.Cancel
	}
}

// note keeps the queue id from the macros of the stage at which the MTA tells it.
func (t *transaction) note(m *milter.Modifier) {
	if id := macro(m, "i"); id != "" {
		t.message.Envelope.QueueID = id
	}
}

func (t *transaction) rcpt(rcpt string) {
	if e := &t.message.Envelope; len(e.Recipients) < maxRecipients {
		e.Recipients = append(e.Recipients, rcpt)
	}
}

// field appends one header field as it was received: with its line ends and
// with its leading blank, of which the MTA eats one where that was not agreed
// otherwise.
func (t *transaction) field(name, value string, leadingSpace bool) {
	if !leadingSpace && !strings.HasPrefix(value, "\t") {
		value = " " + value
	}
	limits := &t.session.settings.Limits
	t.headerBytes += len(name) + len(value)
	if len(t.message.Header) >= limits.HeaderFields || t.headerBytes > limits.HeaderBytes {
		t.unable = errHeader
		return
	}
	if t.unable != nil {
		value = "" // the name is enough to remove what may be forged
	}
	t.message.Header = append(t.message.Header, message.Field{Name: name, Value: networkLines(value)})
}

// networkLines turns the LF of an MTA into the CRLF that was on the wire.
func networkLines(value string) string {
	if strings.IndexByte(value, '\n') < 0 {
		return value
	}
	return strings.ReplaceAll(strings.ReplaceAll(value, "\r\n", "\n"), "\n", "\r\n")
}

// endOfHeaders starts what needs the header section. A rude MTA may leave out that
// it is over; then the body says so, or the end of the message.
func (t *transaction) endOfHeaders() {
	if t.headed {
		return
	}
	t.headed = true
	if t.run != nil && t.unable == nil {
		t.run.Headers(t.message.Header)
	}
}

func (t *transaction) chunk(chunk []byte) (more bool) {
	t.endOfHeaders()
	return t.run != nil && t.unable == nil && t.run.Body(chunk)
}

// finish judges the message, makes the edits, and answers. start is when the MTA
// began to wait for it.
func (t *transaction) finish(start time.Time) {
	e := t.edits()
	o := Outcome{Exempt: t.exempt, Verdict: policy.Verdict{Action: policy.Accept, Step: policy.StepExempt, Reason: "exempt: " + t.exempt}}
	if t.run == nil {
		e.write(nil, "", message.Field{})
		e.conn.proceed()
	} else {
		t.endOfHeaders()
		findings := t.run.Finish()
		o.Findings = &findings
		o.Verdict, o.Trial = t.judge(findings)
		t.carryOut(e, &o)
	}
	t.waits.End = time.Since(start)
	t.conclude(&o)
}

// carryOut does what the verdict says. Where the MTA cannot, the verdict becomes
// what it can.
func (t *transaction) carryOut(e edits, o *Outcome) {
	v := &o.Verdict
	switch v.Action {
	case policy.Reject, policy.Defer:
		e.conn.refuse(t.reply(v.Reply))
		return
	case policy.Hold:
		if e.conn.agreed.actions&milter.OptQuarantine == 0 {
			v.Action, v.Reason = policy.Tag, v.Reason+"; the MTA cannot hold"
			break
		}
		e.conn.quarantine(oneLine(v.Reason))
	}
	e.write(o.Findings.Results(done(*v)), e.tag(*v, *o.Findings), v.Header)
	e.conn.proceed()
}

func (t *transaction) edits() edits {
	return edits{settings: t.session.settings, header: t.message.Header, conn: t.session.conn}
}

// giveUp answers for a message that we failed to examine. It goes on without
// results, but never with forged ones.
func (t *transaction) giveUp() {
	s := t.session
	action := s.settings.WhenUnable
	if t.unable == errHeader {
		action = policy.Defer
	}
	t.conclude(&Outcome{Unable: t.unable, Verdict: policy.Verdict{Action: action}})
	if action == policy.Defer {
		s.conn.refuse(t.defers())
		return
	}
	t.edits().removeAll()
	s.conn.proceed()
}

// unavailable defers a message for a reason of ours.
var unavailable = policy.Reply{Code: 451, Enhanced: "4.3.0", Text: "Message cannot be examined now, try again later"}

// defers is the answer to a message that cannot be examined.
func (t *transaction) defers() string {
	r := unavailable
	if overloaded(t.unable) {
		r.Enhanced = "4.3.2" // RFC 3463 §3.4: the system does not accept messages now
	}
	return t.reply(r)
}

// end gives up what the message has taken.
func (t *transaction) end() {
	t.cancel()
	if t.counted {
		t.session.server.crowd.end()
	}
}

// oneLine makes text fit to stand in a reply: printable ASCII on one line.
func oneLine(text string) string {
	const limit = 400
	clean := strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return '?'
		}
		return r
	}, text)
	if len(clean) > limit {
		clean = clean[:limit]
	}
	return clean
}
