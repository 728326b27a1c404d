package policy

import (
	"assay/verify"
	"assay/verify/message"
	"assay/verify/spf"
)

// spf is what the site does about SPF where DMARC has nothing to say.
//
// RFC 9989 §7.1: a refusal by SPF hides a DKIM pass from DMARC, so DMARC comes
// first, and by default nothing is done here.
func (r *Rules) spf(f *verify.Findings) (Verdict, bool) {
	if f.Forwarded.Name != "" && f.Forwarded.Intact {
		return Verdict{}, false // a failure is to be expected
	}
	v := Verdict{Step: StepSPF, Reason: "spf " + string(f.SPF.Result) + " for " + f.SPF.Domain.String()}
	switch f.SPF.Result {
	case spf.Fail:
		v.Action, v.Rule = r.OnSPFFail, "on_fail"
	case spf.SoftFail:
		v.Action, v.Rule = r.OnSPFSoftFail, "on_softfail"
	}
	if v.Action == "" || v.Action == Accept {
		return v, false
	}
	if f.Forwarded.Unsure() {
		v.Action, v.Rule = r.OnTempError, "on_temperror"
		v.Reason += ", but the client may be a forwarder: DNS does not say"
	}
	return v, true
}

// Early returns the verdict with which a message is refused when MAIL has been
// seen, and whether it is: its sender's record ends in "-all", which was reached, SPF
// failures are refused anyway, and no exception or rule could decide
// otherwise. The caller makes sure that no DMARC policy covers the domain of
// the sender: where one does, an aligned signature may save the message.
//
// Forwarded mail is lost by this: whoever forwards without rewriting the
// envelope fails SPF, and the signature of the author is never seen.
func (r *Rules) Early(m *message.Message, check spf.Check) (Verdict, bool) {
	f := verify.Findings{Client: m.Connection.Addr, SPF: check}
	if !r.SPFEarly || !r.Enforce || r.Spared > 0 || r.OnSPFFail != Reject ||
		check.Result != spf.Fail || check.Mechanism != "all" || check.NullSender {
		return Verdict{}, false
	}
	s := newSubject(m, &f)
	for _, list := range [][]Rule{r.Exceptions, r.Rules} {
		for i := range list {
			match := list[i].Match
			match.ClientNames = nil // not known yet
			if !list[i].Expired(m.Received) && match.matchesSession(s) {
				return Verdict{}, false
			}
		}
	}
	v, _ := r.spf(&f)
	v.Rule = "early"
	return v.settled(&f), true
}
