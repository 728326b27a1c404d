package web

import (
	"fmt"
	"strings"
	"time"

	"assay/filter"
)

// Warning is something an operator should see to.
type Warning struct {
	Code string `json:"code"` // stable, for programs
	Text string `json:"text"` // what is wrong
	Next string `json:"next"` // what to do about it
}

const (
	// quietAfter is how long there may be no mail before that is strange, where
	// none has come yet, or so much that at night there is some too.
	quietAfter = time.Hour
	busyDay    = 1000 // messages

	// mindFault is for how long a fault is spoken of that does not come again.
	mindFault = 24 * time.Hour
)

// warnings returns what an operator should see to, the worst first. day are the
// counts of the last day.
func warnings(s *Status, f *Facts, stats filter.Stats, day counts) (all []Warning) {
	warn := func(when bool, code, text, next string) {
		if when {
			all = append(all, Warning{code, text, next})
		}
	}
	warn(s.Unhealthy != "", "stuck", "sessions make no progress, by a fault of ours", "restart assay, and report it with the log")
	lately := func(last time.Time) bool { return !last.IsZero() && s.Now.Sub(last) < mindFault }
	warn(lately(stats.LastPanic), "panic", fmt.Sprintf("%d messages met a fault of ours since the start, the last %s ago", stats.Panics, s.Now.Sub(stats.LastPanic).Round(time.Second)), "report it with the lines of the log that say msg=panic")
	warn(stats.Stopped, "refusing-stopped", "policy.max_reject_share has stopped refusing: what would be refused is tagged", "look at the log for why so much is refused, then reload")
	warn(s.Config.Refused != "", "config-refused", "the configuration read last was refused: "+s.Config.Refused, "mend it, ask \"assay config check\", reload")
	warn(lately(stats.LastCannotEdit), "no-header-changes", fmt.Sprintf("%d connections since the start, the last %s ago, of an MTA that does not allow header changes: its messages are deferred", stats.CannotEdit, s.Now.Sub(stats.LastCannotEdit).Round(time.Second)), "let the MTA allow its milters to add and change header fields")
	warn(s.Recent[1].Unable > 0, "not-examined", fmt.Sprintf("%d messages of the last hour were not examined", s.Recent[1].Unable), "the log says why: msg=\"message not examined\"; see limits")
	all = append(all, s.dnsWarnings(f)...)
	warn(day.submitted > 0 && !f.Submitted, "submission-examined", fmt.Sprintf("%d messages of the last day came from users who had logged in, and were examined", day.submitted), "set exempt.authenticated = true; where it is meant, a rule with authenticated = true says what is done")
	quiet := s.Now.Sub(s.Started) >= quietAfter && s.Recent[1].Messages == 0 && (day.messages() == 0 || day.messages() >= busyDay)
	warn(quiet, "no-traffic", fmt.Sprintf("no message in the last hour, %d in the last day", day.messages()), "does the MTA name listen.milter? \"assay doctor\" looks")
	warn(!f.IDStated, "authserv-id-not-stated", fmt.Sprintf("authserv_id is not in the configuration: results are stated as %s, this host's name", f.AuthservID), "write authserv_id = \"…\", so that it stays when the host's name changes")
	ended := f.Ended(s.Now)
	warn(len(ended) > 0, "exceptions-ended", "exceptions that have ended: "+strings.Join(ended, ", "), "renew or remove them")
	return all
}

func (s *Status) dnsWarnings(f *Facts) (all []Warning) {
	for _, server := range s.DNS.Servers {
		if server.NoTCP > 0 {
			all = append(all, Warning{"dns-without-tcp", fmt.Sprintf("DNS server %s does not answer over TCP, which long answers need", server.Server), "open TCP port 53 to it, or ask another"})
		}
		if average := time.Duration(server.Average * float64(time.Second)); average > f.SlowAfter && s.NotReady != noServer {
			all = append(all, Warning{"dns-slow", fmt.Sprintf("DNS server %s answers late or not at all: %d of %d queries are lost", server.Server, server.Lost, server.Queries), "put a resolver on this host or network, and name it in dns.servers"})
		}
	}
	if s.NotReady == noServer {
		all = append(all, Warning{"dns-dead", noServer, "look at dns.servers or /etc/resolv.conf, and whether queries get out"})
	}
	return all
}
