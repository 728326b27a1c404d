package policy

import (
	"slices"
	"time"

	"assay/verify/message"
)

// Rule is a site's own decision about the messages that it matches. An
// exception is a rule with an owner and an end.
type Rule struct {
	Name   string // number or name, for log and operator
	Match  Match
	Action Action
	Reply  Reply         // in place of our words; the zero Reply where there is none
	Header message.Field // added to a message that is delivered; no name: none
	Reason string
	Spared int // per cent of the author domains for which the rule is only observed

	Owner string    // whom to ask; only of exceptions
	Until time.Time // when it stops to hold; the zero Time is never
}

// Expired reports whether the rule no longer holds at the given time.
func (r *Rule) Expired(at time.Time) bool { return !r.Until.IsZero() && !at.Before(r.Until) }

// candidate is a rule that matches a message, whoever receives it.
type candidate struct {
	step   Step
	rule   *Rule
	spared bool // it does not decide, but would
}

// candidates returns the exceptions and rules that match but for recipients,
// in the order in which they decide.
func (r *Rules) candidates(s *subject) []candidate {
	var found []candidate
	add := func(step Step, list []Rule) {
		for i := range list {
			rule := &list[i]
			if !rule.Expired(s.message.Received) && rule.Match.matches(s) {
				found = append(found, candidate{step, rule, r.spared(rule.Spared, s.key())})
			}
		}
	}
	add(StepException, r.Exceptions)
	add(StepRule, r.Rules)
	return found
}

// enforced returns the candidates as if none were spared, and whether one is.
func enforced(candidates []candidate) (all []candidate, spared bool) {
	for _, c := range candidates {
		spared = spared || c.spared
		c.spared = false
		all = append(all, c)
	}
	return all, spared
}

// none is in place of the index of a candidate where none decides.
const none = -1

// choose returns the index of the candidate that decides for a recipient.
func choose(candidates []candidate, recipient string) int {
	return slices.IndexFunc(candidates, func(c candidate) bool {
		return !c.spared && c.rule.Match.Recipients.matches(recipient)
	})
}

// verdict is what the rule says.
func (c candidate) verdict() Verdict {
	return Verdict{
		Action: c.rule.Action, Step: c.step, Rule: c.rule.Name,
		Reason: string(c.step) + ": " + c.rule.Reason,
		Note:   string(c.step) + " " + c.rule.Name,
		Reply:  c.rule.Reply,
		Header: c.rule.Header,
	}
}
