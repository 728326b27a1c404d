package policy

import (
	"fmt"
	"strings"

	"assay/verify"
	"assay/verify/dmarc"
	"assay/verify/message"
)

// Step is a step of the chain that a message goes through until one decides.
type Step string

// The steps, in their order.
const (
	StepExempt        Step = "exempt"         // passed through unexamined
	StepInvalidAuthor Step = "invalid-author" // From does not name one author domain
	StepException     Step = "exception"
	StepRule          Step = "rule"
	StepDMARC         Step = "dmarc"  // what the author domain asks for, or a trusted sealer says
	StepSPF           Step = "spf"    // where DMARC has nothing to say
	StepAccept        Step = "accept" // nothing speaks against it
)

// Disposition is what was done about the author domain's request, in the
// words of RFC 9990 §3.1.
type Disposition string

// The dispositions.
const (
	DispositionNone       Disposition = "none"       // nothing was done
	DispositionPass       Disposition = "pass"       // DMARC passed under a policy that asks for something
	DispositionQuarantine Disposition = "quarantine" // tagged or held
	DispositionReject     Disposition = "reject"     // refused
)

// Chain returns the steps in the order in which a message goes through them.
func Chain() []Step {
	return []Step{StepExempt, StepInvalidAuthor, StepException, StepRule, StepDMARC, StepSPF, StepAccept}
}

// Override says why what was done differs from what the author domain asks
// for, in the words of RFC 9990 §3.1; "" when it does not differ.
type Override string

// The overrides.
const (
	OverrideLocal    Override = "local_policy"
	OverrideTestMode Override = "policy_test_mode"
)

// Verdict is what is done with one message, and why.
type Verdict struct {
	Action      Action
	Step        Step   // which step decided
	Rule        string // which exception, rule or setting of that step; "" where the step says all
	Disposition Disposition
	Override    Override
	Reason      string        // in words, for log and operator; may quote the configuration
	Note        string        // what overrode the author domain's policy, for the result field; "" for nothing
	Reply       Reply         // set when Action is Reject or Defer
	Header      message.Field // to be added to a delivered message; no name: none

	// Evidence is what speaks for indirect mail, where Careful asked for it.
	Evidence []Evidence
	// Would is what would have been done if all were enforced; the zero
	// Decision where that is no different.
	Would Decision
	// Asked are the recipients for whom more would have been done: the MTA takes
	// one answer for all, and gets the mildest.
	Asked []Asked
	// Matched are the exceptions and rules that decided for some recipient.
	Matched []Decision
}

// Decision is an action and who decided on it.
type Decision struct {
	Action Action
	Step   Step
	Rule   string
}

// Asked is what would have been done with a message to this recipient alone.
type Asked struct {
	Recipient string
	Decision
}

// String is the recipient and the action that was asked for.
func (a Asked) String() string { return a.Recipient + "=" + string(a.Action) }

func (v *Verdict) decision() Decision { return Decision{v.Action, v.Step, v.Rule} }

// Reply is an SMTP reply. Its text is generic and stable, or the operator's.
type Reply struct {
	Code     int    // 450, 451, 550, …
	Enhanced string // RFC 3463 status code
	Text     string // lines are parted by LF
}

// String is the reply on one line.
func (r Reply) String() string {
	return fmt.Sprintf("%d %s %s", r.Code, r.Enhanced, strings.ReplaceAll(r.Text, "\n", " "))
}

// settled fills in what follows from the action: disposition, override and, but
// for a rule that brings its own, the reply.
func (v Verdict) settled(f *verify.Findings) Verdict {
	d := f.DMARC
	v.Disposition = disposition(v.Action, d)
	v.Override = override(v.Action, d)
	switch {
	case v.Action != Reject && v.Action != Defer:
		v.Reply = Reply{}
	case v.Reply.Code != 0:
	case v.Action == Reject:
		v.Reply = rejection(v.Step, f)
	case v.Step == StepDMARC:
		// RFC 9989 §5.3.6: a message whose policy cannot be told may be deferred.
		v.Reply = Reply{451, "4.7.0", "DMARC policy of the author domain is not available, try again later"}
	default:
		v.Reply = Reply{451, "4.7.1", "Message deferred by local policy, try again later"}
	}
	return v
}

func disposition(action Action, d dmarc.Evaluation) Disposition {
	switch action {
	case Reject:
		return DispositionReject
	case Tag, Hold:
		return DispositionQuarantine
	}
	asks := d.Requested == dmarc.PolicyReject || d.Requested == dmarc.PolicyQuarantine
	if d.Result == dmarc.Pass && asks {
		return DispositionPass
	}
	return DispositionNone
}

// override: RFC 9990 §3.1: a reason is due where alignment failed and what was
// done differs from the published policy.
func override(action Action, d dmarc.Evaluation) Override {
	if d.Result != dmarc.Fail {
		return ""
	}
	done := map[Action]dmarc.Policy{
		Accept: dmarc.PolicyNone, Tag: dmarc.PolicyQuarantine, Hold: dmarc.PolicyQuarantine, Reject: dmarc.PolicyReject,
	}[action]
	switch {
	case done != d.Requested:
		return OverrideLocal
	case d.TestMode:
		return OverrideTestMode
	}
	return ""
}

// rejection returns the words of a refusal. Without one author domain there is
// none to name.
func rejection(step Step, f *verify.Findings) Reply {
	d := f.DMARC
	switch {
	case step == StepSPF:
		// RFC 7372 §3.2: 5.7.23 is a failure of SPF.
		return Reply{550, "5.7.23", "Message refused: this client may not send mail for " + f.SPF.Domain.String() + " (SPF)"}
	case d.AuthorDomain.IsZero():
		return Reply{550, "5.7.1", "Message refused: it does not name one author domain"}
	case step == StepDMARC && d.Result == dmarc.Fail:
		// RFC 7372 §3.3: 5.7.26 says that several checks failed, which is what a
		// DMARC failure is.
		return Reply{550, "5.7.26", "Message failed the DMARC policy of its author domain " + d.AuthorDomain.String()}
	}
	return Reply{550, "5.7.1", "Message refused by local policy for " + d.AuthorDomain.String()}
}
