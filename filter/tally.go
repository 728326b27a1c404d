package filter

import (
	"sync/atomic"

	"assay/policy"
)

// Hit is how often an exception or rule has decided.
type Hit struct {
	Step   policy.Step
	Rule   string
	Reason string
	Owner  string
	Count  int64
}

// Trial is what the policy to try would have done.
type Trial struct {
	Judged  int64 // messages that both policies have judged
	Differs int64 // of these, those with another action
}

// tally counts what exceptions, rules and the policy to try do. A rule that a
// reload leaves as it is keeps its count.
type tally struct {
	rules   map[ruleKey]*counter
	judged  atomic.Int64
	differs atomic.Int64
}

type ruleKey struct {
	step policy.Step
	name string
}

type counter struct {
	step policy.Step
	rule *policy.Rule
	hits *atomic.Int64
}

// newTally counts for rules; before, which may be nil, did so until now.
func newTally(rules *policy.Rules, before *tally) *tally {
	t := &tally{rules: map[ruleKey]*counter{}}
	add := func(step policy.Step, list []policy.Rule) {
		for i := range list {
			rule := &list[i]
			c := &counter{step, rule, &atomic.Int64{}}
			key := ruleKey{step, rule.Name}
			if before != nil {
				if old := before.rules[key]; old != nil && old.rule.Reason == rule.Reason && old.rule.Action == rule.Action {
					c.hits = old.hits
				}
			}
			t.rules[key] = c
		}
	}
	add(policy.StepException, rules.Exceptions)
	add(policy.StepRule, rules.Rules)
	return t
}

func (t *tally) count(matched []policy.Decision) {
	for _, d := range matched {
		if c := t.rules[ruleKey{d.Step, d.Rule}]; c != nil {
			c.hits.Add(1)
		}
	}
}

// Hits returns how often each exception and rule in force has decided, for a
// message or some of its recipients, since it was first read as it is now:
// exceptions first, in their order.
func (s *Server) Hits() []Hit {
	settings := s.settings.Load()
	var all []Hit
	add := func(step policy.Step, list []policy.Rule) {
		for _, r := range list {
			c := settings.tally.rules[ruleKey{step, r.Name}]
			all = append(all, Hit{step, r.Name, r.Reason, r.Owner, c.hits.Load()})
		}
	}
	add(policy.StepException, settings.Rules.Exceptions)
	add(policy.StepRule, settings.Rules.Rules)
	return all
}

// Trial returns what the policy to try has done since the last reload.
func (s *Server) Trial() Trial {
	t := s.settings.Load().tally
	return Trial{t.judged.Load(), t.differs.Load()}
}
