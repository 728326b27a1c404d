package config

// checkMissing reports what every [[section]] must say and one does not.
func (r *reader) checkMissing() {
	for _, in := range r.listed {
		for _, s := range settingsOf(in.value.Type(), in.key) {
			if _, said := in.lines[s.key]; s.required && !said {
				r.report(in.line, s.key, faultf("is missing").hinted(`add %s = "…": %s`, s.name, s.says))
			}
		}
	}
}

// checkRelations reports settings that are right alone and wrong together.
func (r *reader) checkRelations(cfg *Config) {
	r.checkRules(cfg)
	if dns := r.sections["dns"]; dns != nil && !r.hasProblem("dns.timeout", "dns.message_budget") && cfg.DNS.MessageBudget < cfg.DNS.Timeout {
		line := max(dns.lines["dns.message_budget"], dns.lines["dns.timeout"])
		r.report(line, "dns.message_budget", faultf("%s is less than dns.timeout, %s",
			quoted(formatDuration(cfg.DNS.MessageBudget)), quoted(formatDuration(cfg.DNS.Timeout))).
			hinted("one query must fit into what a message may take"))
	}
	for _, milter := range cfg.Listen.Milter {
		if Address(cfg.Listen.Status) == milter {
			r.report(r.sections["listen"].lines["listen.status"], "listen.status", faultf("%s is the address of listen.milter", quoted(cfg.Listen.Status.String())).
				hinted("each needs a port or socket of its own"))
		}
	}
	if _, cfg.IDStated = r.top.lines["authserv_id"]; cfg.IDStated {
		return
	}
	if _, err := ParseAuthservID(string(cfg.AuthservID)); err != nil {
		r.report(0, "authserv_id", faultf("this host's name, %s, cannot be one", quoted(string(cfg.AuthservID))).
			hinted(`write authserv_id = "mx.example.org"`))
	}
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
