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
	if _, said := r.top.lines["authserv_id"]; said {
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
