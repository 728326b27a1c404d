package config

import "reflect"

// checkRules reports rules and exceptions that are right setting by setting
// and make no sense as a whole.
func (r *reader) checkRules(cfg *Config) {
	rulesNamed, forwardersNamed := map[Name]place{}, map[Name]place{}
	exceptions, rules, forwarders := 0, 0, 0
	for _, in := range r.listed {
		switch in.key {
		case "exception":
			r.checkMatch(in, cfg.Exceptions[exceptions].Match)
			exceptions++
		case "rule":
			rule := cfg.Rules[rules]
			r.checkMatch(in, rule.Match)
			r.checkReply(in, rule)
			r.checkName(in, rule.Name, rulesNamed)
			rules++
		case "forwarder":
			r.checkForwarder(in)
			r.checkName(in, cfg.Forwarders[forwarders].Name, forwardersNamed)
			forwarders++
		}
	}
	if cfg.SPF.Early && cfg.SPF.OnFail != Reject && !r.hasProblem("policy.spf.on_fail", "policy.spf.early") {
		r.report(r.sections["policy.spf"].values["policy.spf.early"], "policy.spf.early",
			faultf("refuses early what policy.spf.on_fail does not refuse").hinted(`write policy.spf.on_fail = "reject", or leave early out`))
	}
}

// checkName reports a name that two sections of a list have; named are those seen
// before.
func (r *reader) checkName(in *section, name Name, named map[Name]place) {
	at := in.values[in.key+".name"]
	if before := named[name]; before > 0 && name != "" {
		r.report(at, in.key+".name", faultf("%s is the name of another %s, on line %d", quoted(string(name)), in.key, r.lineOf(before)))
	}
	named[name] = at
}

// checkMatch reports a rule without any condition. One that is wrong counts.
func (r *reader) checkMatch(in *section, m Match) {
	if !reflect.ValueOf(m).IsZero() {
		return
	}
	for key := range in.values {
		if s := r.known[key]; s.promoted {
			return
		}
	}
	r.report(in.at, in.key, faultf("has no condition: it would match every message").hinted(`add one, such as author_domain = "partner.example"`))
}

// checkForwarder: without a client everybody would be one, and without
// recipients it would be trusted for all of them.
func (r *reader) checkForwarder(in *section) {
	if in.values["forwarder.networks"] == 0 && in.values["forwarder.client_name"] == 0 {
		r.report(in.at, in.key, faultf("has neither networks nor client_name").hinted(`add one, such as client_name = "fwd.example.edu"`))
	}
}

// checkReply: the class of a reply is that of the action (RFC 3463 §3.1).
func (r *reader) checkReply(in *section, rule Rule) {
	at := in.values["rule.reply"]
	if rule.Reply.Code == 0 || rule.Action == "" {
		return
	}
	class := map[Action]int{Reject: 5, Defer: 4}[rule.Action]
	switch {
	case class == 0:
		r.report(at, "rule.reply", faultf("a message that gets %s is not replied to in words", quoted(string(rule.Action))).
			hinted(`write action = "reject" or "defer", or leave the reply out`))
	case rule.Reply.Code/100 != class:
		r.report(at, "rule.reply", faultf("%d is not a code for %s", rule.Reply.Code, quoted(string(rule.Action))).
			hinted("write a code that begins with %d", class))
	}
}
