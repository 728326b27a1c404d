package config

import "slices"

// checkMissing reports what every [[section]] must say and one does not.
func (r *reader) checkMissing() {
	for _, in := range r.listed {
		for _, s := range r.known[in.key].inner {
			if _, said := in.values[s.key]; s.required && !said {
				r.report(in.at, s.key, faultf("is missing").hinted(`add %s = "…": %s`, s.name, s.says))
			}
		}
	}
}

// checkRelations reports settings that are right alone and wrong together.
func (r *reader) checkRelations(cfg *Config) {
	r.checkRules(cfg)
	r.checkBudget(cfg.DNS)
	r.checkStatus(cfg.Listen)
	if _, cfg.IDStated = r.top.values["authserv_id"]; cfg.IDStated {
		return
	}
	if _, err := ParseAuthservID(string(cfg.AuthservID)); err != nil {
		r.report(0, "authserv_id", faultf("this host's name, %s, cannot be one", quoted(string(cfg.AuthservID))).
			hinted(`write authserv_id = "mx.example.org"`))
	}
}

// checkBudget: one query must fit into what a message may take.
func (r *reader) checkBudget(dns DNS) {
	in := r.sections["dns"]
	if in == nil || r.hasProblem("dns.timeout", "dns.message_budget") || dns.MessageBudget >= dns.Timeout {
		return
	}
	const hint = "one query must fit into what a message may take"
	timeout, budget := quoted(formatDuration(dns.Timeout)), quoted(formatDuration(dns.MessageBudget))
	if at, said := in.values["dns.message_budget"]; said {
		r.report(at, "dns.message_budget", faultf("%s is less than dns.timeout, %s", budget, timeout).hinted(hint))
	} else {
		r.report(in.values["dns.timeout"], "dns.timeout", faultf("%s is more than dns.message_budget, %s", timeout, budget).hinted(hint))
	}
}

// checkStatus: two cannot listen at one address.
func (r *reader) checkStatus(listen Listen) {
	if listen.Status.IsZero() || !slices.Contains(listen.Milter, Address(listen.Status)) {
		return
	}
	r.report(r.sections["listen"].values["listen.status"], "listen.status", faultf("%s is the address of listen.milter", quoted(listen.Status.String())).
		hinted("each needs a port or socket of its own"))
}

func (r *reader) hasProblem(keys ...string) bool {
	for _, p := range r.problems {
		for _, key := range keys {
			if p.Key == key {
				return true
			}
		}
	}
	return false
}
