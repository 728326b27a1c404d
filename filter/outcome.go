package filter

import (
	"fmt"
	"runtime/debug"
	"time"

	"assay/policy"
	"assay/verify"
	"assay/verify/message"
)

// Outcome is what became of one message: the log line and the numbers are made
// of it. It belongs to the filter; a Recorder that keeps something of it longer
// than its call copies what it keeps.
type Outcome struct {
	Ref     string // our reference, also in every refusal
	Message *message.Message
	// Findings are nil where the message was not examined: it was exempt, or we were
	// unable to.
	Findings *verify.Findings
	Verdict  policy.Verdict
	Trial    *policy.Verdict // of the policy to try, where its action differs; else nil
	Exempt   string          // why it was not examined; "" when it was
	Unable   error           // our own failure to examine it
	Waits    Waits
}

// Waits is how long the MTA waited for us at the stages of one message.
type Waits struct {
	Mail   time.Duration
	Header time.Duration // the end of the header section; fields are only kept
	Body   time.Duration // all chunks
	End    time.Duration // the end of the message: what is left of DNS, verdict and edits
}

// Recorder is told what became of every message. Record is called after the
// verdict and before the MTA is answered, by many goroutines: it must neither
// block nor wait. A panic in it costs the record, not the message.
type Recorder interface {
	Record(*Outcome)
}

// conclude logs and records a message, once.
func (t *transaction) conclude(o *Outcome) {
	s := t.session.server
	o.Ref, o.Message, o.Waits = t.ref, &t.message, t.waits
	defer func() {
		if value := recover(); value != nil {
			s.panics.Add(1)
			s.log.Error("panic", "stage", "record", "panic", fmt.Sprint(value), "stack", string(debug.Stack()))
		}
	}()
	s.logOutcome(o, t.session.settings.Privacy)
	if r := t.session.settings.Recorder; r != nil {
		r.Record(o)
	}
}
