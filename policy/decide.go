package policy

import (
	"fmt"
	"slices"
	"strings"

	"assay/verify"
	"assay/verify/dmarc"
	"assay/verify/message"
)

// Decide returns the verdict on a message that is not exempt. It depends on
// nothing but its arguments; the time is that at which the message was received.
func (r *Rules) Decide(m *message.Message, f verify.Findings) Verdict {
	s := newSubject(m, &f)
	v := r.walk(s)
	if !r.Enforce || r.spared(r.Spared, s.key()) {
		v = v.observed()
	}
	return v.settled(&f)
}

// observed is the verdict where nothing is done about it.
func (v Verdict) observed() Verdict {
	v.Reason = "observing: " + v.Reason
	would := v.Would
	if would.Action == "" {
		would = v.decision()
	}
	v.Would = Decision{}
	if would.Action != Accept {
		v.Would, v.Asked = would, nil
	}
	v.Action, v.Note, v.Header = Accept, "", message.Field{}
	return v
}

// walk goes through the chain until a step decides.
func (r *Rules) walk(s *subject) Verdict {
	if v, ok := r.invalidAuthor(s.findings); ok {
		return v
	}
	candidates := r.candidates(s)
	if len(candidates) == 0 {
		return r.rest(s)
	}
	return r.byRecipient(s, candidates)
}

// rest is the chain behind the rules: DMARC, SPF, accept.
func (r *Rules) rest(s *subject) Verdict {
	if v, ok := r.dmarc(s); ok {
		return v
	}
	if v, ok := r.spf(s.findings); ok {
		return v
	}
	return Verdict{Action: Accept, Step: StepAccept, Reason: reasonOf(s.findings)}
}

// byRecipient judges the message for each recipient, and says what would be done
// if no rule were spared.
func (r *Rules) byRecipient(s *subject, candidates []candidate) Verdict {
	v := r.mildest(s, candidates)
	if all, spared := enforced(candidates); spared {
		if full := r.mildest(s, all); full.Action != v.Action {
			v.Would = full.decision()
		}
	}
	return v
}

// mildest judges the message for each recipient and returns the mildest verdict,
// of equals the first.
func (r *Rules) mildest(s *subject, candidates []candidate) Verdict {
	recipients := s.message.Envelope.Recipients
	if len(recipients) == 0 {
		recipients = []string{""} // nobody's rule
	}
	verdicts := map[int]Verdict{} // by choice
	choices := make([]int, len(recipients))
	mildest := none
	var matched []Decision
	for i, recipient := range recipients {
		choice := choose(candidates, recipient)
		choices[i] = choice
		if _, known := verdicts[choice]; known {
			continue
		}
		v := r.verdictOf(s, candidates, choice)
		if choice != none {
			matched = append(matched, v.decision())
		}
		verdicts[choice] = v
		if i == 0 || v.Action.milderThan(verdicts[mildest].Action) {
			mildest = choice
		}
	}
	v := verdicts[mildest]
	v.Matched = matched
	for i, choice := range choices {
		if more := verdicts[choice]; v.Action.milderThan(more.Action) {
			v.Asked = append(v.Asked, Asked{recipients[i], more.decision()})
		}
	}
	return v
}

// verdictOf is the verdict of a candidate, or of the steps behind the rules.
func (r *Rules) verdictOf(s *subject, candidates []candidate, choice int) Verdict {
	if choice == none {
		return r.rest(s)
	}
	return candidates[choice].verdict()
}

// invalidAuthor: RFC 9989 §11.5: a message without one author is a threat.
func (r *Rules) invalidAuthor(f *verify.Findings) (Verdict, bool) {
	if !invalid(f) || r.OnInvalidAuthor == Accept {
		return Verdict{}, false
	}
	return Verdict{Action: r.OnInvalidAuthor, Step: StepInvalidAuthor, Rule: "on_invalid_author", Reason: reasonOf(f)}, true
}

// invalid reports whether the author domain cannot be told.
func invalid(f *verify.Findings) bool {
	return f.DMARC.Result == dmarc.PermError && f.Author.Kind != message.AuthorValid
}

// dmarc is what the site does about the DMARC result; false where DMARC asks
// for nothing and the message is left to the later steps.
func (r *Rules) dmarc(s *subject) (Verdict, bool) {
	d := s.findings.DMARC
	reason := reasonOf(s.findings)
	asks := d.Requested == dmarc.PolicyQuarantine || d.Requested == dmarc.PolicyReject
	switch {
	case d.Result == dmarc.Pass:
		return Verdict{Action: Accept, Step: StepDMARC, Reason: reason}, true
	case d.Result == dmarc.TempError:
		return Verdict{Action: r.OnTempError, Step: StepDMARC, Rule: "on_temperror", Reason: reason}, true
	case d.Result != dmarc.Fail || !asks:
		return Verdict{}, false // RFC 9989 §5.4: p=none changes nothing.
	}
	if v, ok := r.trusted(s.findings); ok {
		return v, true
	}
	switch {
	case d.Requested == dmarc.PolicyQuarantine:
		return Verdict{Action: r.OnQuarantine, Step: StepDMARC, Rule: "on_quarantine", Reason: reason}, true
	case r.OnReject == Careful:
		return r.careful(s, reason), true
	}
	return Verdict{Action: r.OnReject, Step: StepDMARC, Rule: "on_reject", Reason: reason}, true
}

func reasonOf(f *verify.Findings) string {
	switch {
	case f.DMARC.Result == dmarc.Fail:
		return fmt.Sprintf("dmarc fail, %s asks for %s", f.DMARC.PolicyDomain, f.DMARC.Requested)
	case invalid(f):
		return "author " + string(f.Author.Kind)
	}
	return "dmarc " + string(f.DMARC.Result)
}

// trusted accepts a DMARC failure where a trusted sealer says that the author was
// authenticated when the message reached him (RFC 8617 §7.2.1).
func (r *Rules) trusted(f *verify.Findings) (Verdict, bool) {
	set, ok := f.ARC.TrustedFor(f.DMARC.AuthorDomain, r.TrustedSealers)
	if !ok {
		return Verdict{}, false
	}
	note := fmt.Sprintf("arc=pass as[%d].d=%s", set.Instance, set.Sealer)
	return Verdict{Action: Accept, Step: StepDMARC, Rule: "trusted_sealers", Reason: "trusted sealer: " + note, Note: note}, true
}

// careful refuses a DMARC failure where nothing says that the message came by
// way of a list or forwarder, and tags it otherwise. Where only an outage hides
// what may say so it may be deferred: for that anybody can name a domain whose DNS
// is down.
//
// RFC 9989 §7.4: mail must not be refused on p=reject alone.
func (r *Rules) careful(s *subject, reason string) Verdict {
	v := Verdict{Action: Reject, Step: StepDMARC, Rule: "on_reject", Reason: reason + ", nothing speaks for indirect mail"}
	if v.Evidence = evidence(s, r.TrustedSealers); len(v.Evidence) > 0 {
		v.Action = Tag
		v.Reason = reason + ", but " + listed(v.Evidence)
		v.Note = "careful"
	}
	known := func(e Evidence) bool { return e.Signal != SignalUnchecked }
	if r.OnTempError == Defer && v.Action == Tag && !slices.ContainsFunc(v.Evidence, known) {
		v.Action, v.Rule = Defer, "on_temperror"
		v.Reply = Reply{451, "4.7.0", "Message fails DMARC, and DNS does not tell whether a list has passed it on, try again later"}
	}
	return v
}

func listed(all []Evidence) string {
	words := make([]string, len(all))
	for i, e := range all {
		words[i] = e.String()
	}
	return strings.Join(words, ",")
}
