package policy

import (
	"fmt"

	"assay/verify"
	"assay/verify/dmarc"
	"assay/verify/message"
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
	Disposition Disposition
	Override    Override
	Reason      string // in words, for log and operator; may quote the configuration
	Note        string // what overrode the author domain's policy, for the result field; "" for nothing
	Reply       Reply  // set when Action is Reject or Defer
}

// Reply is an SMTP reply. Its text is generic and stable.
type Reply struct {
	Code     int    // 450, 451, 550, …
	Enhanced string // RFC 3463 status code
	Text     string
}

func (r Reply) String() string { return fmt.Sprintf("%d %s %s", r.Code, r.Enhanced, r.Text) }

// Decide returns the verdict on a message. It depends on nothing but its
// arguments; the time is that at which the message was received.
func (r *Rules) Decide(m *message.Message, f verify.Findings) Verdict {
	v := r.judge(m, f)
	v.Disposition = disposition(v.Action, f.DMARC)
	v.Override = override(v.Action, f.DMARC)
	switch v.Action {
	case Reject:
		v.Reply = rejection(f.DMARC)
	case Defer:
		// RFC 9989 §5.3.6: a message whose policy cannot be told may be deferred.
		v.Reply = Reply{451, "4.7.0", "DMARC policy of the author domain is not available, try again later"}
	}
	return v
}

// judge walks the chain: mode, exceptions, trusted sealers, DMARC.
func (r *Rules) judge(m *message.Message, f verify.Findings) Verdict {
	if !r.Enforce {
		return Verdict{Action: Accept, Reason: "observing"}
	}
	if e, ok := r.exception(f.Author.Domain, m.Received); ok {
		return Verdict{Action: e.Action, Reason: "exception: " + e.Reason, Note: "exception"}
	}
	if v, ok := r.forwarded(f); ok {
		return v
	}
	action, reason := r.action(f)
	return Verdict{Action: action, Reason: reason}
}

// forwarded accepts a DMARC failure where a trusted sealer says that the author was
// authenticated when the message reached him (RFC 8617 §7.2.1).
func (r *Rules) forwarded(f verify.Findings) (Verdict, bool) {
	asks := f.DMARC.Requested == dmarc.PolicyQuarantine || f.DMARC.Requested == dmarc.PolicyReject
	if f.DMARC.Result != dmarc.Fail || !asks {
		return Verdict{}, false
	}
	set, ok := f.ARC.TrustedFor(f.DMARC.AuthorDomain, r.TrustedSealers)
	if !ok {
		return Verdict{}, false
	}
	note := fmt.Sprintf("arc=pass as[%d].d=%s", set.Instance, set.Sealer)
	return Verdict{Action: Accept, Reason: "trusted sealer: " + note, Note: note}, true
}

// action returns what the site does about the DMARC result, and why.
func (r *Rules) action(f verify.Findings) (Action, string) {
	switch d := f.DMARC; d.Result {
	case dmarc.Fail:
		return r.failed(d)
	case dmarc.TempError:
		return r.OnTempError, "dmarc temperror"
	case dmarc.PermError:
		if f.Author.Kind != message.AuthorValid {
			// RFC 9989 §11.5: a message without one author is a threat.
			return r.OnInvalidAuthor, "author " + string(f.Author.Kind)
		}
		return Accept, "dmarc permerror"
	default:
		return Accept, "dmarc " + string(d.Result)
	}
}

// failed returns what the site does where the author domain asks for
// something.
func (r *Rules) failed(d dmarc.Evaluation) (Action, string) {
	reason := fmt.Sprintf("dmarc fail, %s asks for %s", d.PolicyDomain, d.Requested)
	switch d.Requested {
	case dmarc.PolicyReject:
		return r.OnReject, reason
	case dmarc.PolicyQuarantine:
		return r.OnQuarantine, reason
	}
	return Accept, reason // RFC 9989 §5.4: p=none changes nothing.
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

// rejection: RFC 7372 §3.2: 5.7.26 says that several checks failed, which is
// what a DMARC failure is. Without one author domain there is none to name.
func rejection(d dmarc.Evaluation) Reply {
	if d.AuthorDomain.IsZero() {
		return Reply{550, "5.7.1", "Message refused: it does not name one author domain"}
	}
	if d.Result != dmarc.Fail {
		return Reply{550, "5.7.1", "Message refused by local policy for " + d.AuthorDomain.String()}
	}
	return Reply{550, "5.7.26", "Message failed the DMARC policy of its author domain " + d.AuthorDomain.String()}
}
