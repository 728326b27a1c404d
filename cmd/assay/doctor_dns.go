package main

import (
	"context"
	"crypto/rand"
	"slices"
	"strings"
	"time"

	"assay/config"
	"assay/dnscache"
	"assay/verify/lookup"
)

// longNames are domains whose TXT records together have had more than longTXT
// octets for years; the first that still has is taken.
var longNames = []string{"microsoft.com", "google.com", "apple.com", "amazon.com"}

// signedName has TXT records that DNSSEC vouches for.
const signedName = "ietf.org"

// longTXT is what a UDP answer without EDNS holds (RFC 1035 §4.2.1), in octets.
const longTXT = 512

// missingName is one that cannot exist: nobody has registered it, and .com has
// no wildcard. It is another one each time, so that no cache knows it.
func missingName() string { return "assay-doctor-" + strings.ToLower(rand.Text()) + ".com" }

// checkDNS asks every server by itself.
func (d *doctor) checkDNS(ctx context.Context) []finding {
	if d.config.DNS.ZoneFile != "" {
		return list(found(skipped, "dns.zone_file answers, no server is asked"))
	}
	servers, err := serversOf(d.config.DNS)
	if err != nil {
		return list(found(failing, "%v", err).later())
	}
	var findings []finding
	for _, s := range servers {
		t := &serverTest{config: d.config.DNS, server: s, byHand: "assay dns"}
		if d.flags.config != "" {
			t.byHand += " -c " + d.flags.config
		}
		findings = append(findings, t.run(ctx)...)
	}
	return findings
}

// serverTest is what is being found out about one server.
type serverTest struct {
	config   config.DNS
	server   dnscache.Server
	byHand   string // the command that asks the same servers
	findings []finding
	queries  int
	slowest  time.Duration
}

func (t *serverTest) run(ctx context.Context) []finding {
	if !t.missing(ctx) {
		return t.findings
	}
	tests := []string{"names that do not exist"}
	if t.long(ctx) {
		tests = append(tests, "long answers")
	}
	if t.server.Network == dnscache.UDP && t.tcp(ctx) {
		tests = append(tests, "TCP")
	}
	if t.config.RequireAD && t.authenticated(ctx) {
		tests = append(tests, "DNSSEC")
	}
	if !slices.ContainsFunc(t.findings, func(f finding) bool { return f.State != skipped }) {
		t.say(found(good, "passes: %s; slowest of %d queries %v", strings.Join(tests, ", "), t.queries, t.slowest.Round(10*time.Microsecond)))
	}
	return t.findings
}

func (t *serverTest) say(f finding) {
	f.Text = t.server.String() + " " + f.Text
	t.findings = append(t.findings, f)
}

// ask puts one question to the server, by a resolver that knows nothing yet.
func (t *serverTest) ask(ctx context.Context, s dnscache.Server, name, rrtype string) (dnscache.Explanation, error) {
	resolver := dnscache.New(dnscache.Config{
		Servers: []dnscache.Server{s}, Timeout: t.config.Timeout, RetryAfter: t.config.RetryAfter,
		MixCase: t.config.MixCase, RequireAD: t.config.RequireAD,
	})
	defer resolver.Close()
	x, err := resolver.Explain(ctx, name, rrtype)
	if err == nil {
		err = x.Err
	}
	t.queries++
	t.slowest = max(t.slowest, x.Took)
	return x, err
}

// missing asks for a name that does not exist, and reports whether the server
// answers at all. RFC 9989 and SPF both decide by what does not exist.
func (t *serverTest) missing(ctx context.Context) bool {
	x, err := t.ask(ctx, t.server, missingName(), "A")
	switch {
	case lookup.Temporary(err):
		t.say(found(failing, "does not answer: %s", problem(err)).later().
			next("ask by hand: %s example.com TXT; or name another in dns.servers", t.byHand))
		return false
	case err == nil && len(x.Records) > 0:
		t.say(found(failing, "invents an address for a name that does not exist: %s", x.Records[0]).
			next("name a resolver in dns.servers that does not, best one of your own: Unbound on this host"))
	case err == nil:
		t.say(found(failing, "says of a name that does not exist that it only has no address").
			next("name a resolver in dns.servers that answers NXDOMAIN, best one of your own: Unbound on this host"))
	}
	return true
}

// long asks for more text than a plain UDP answer holds, and reports whether it
// came.
func (t *serverTest) long(ctx context.Context) bool {
	for _, name := range longNames {
		x, err := t.ask(ctx, t.server, name, "TXT")
		if lookup.Temporary(err) {
			t.say(found(failing, "does not give the TXT records of %s, which are long: %s", name, problem(err)).
				next("let answers of more than %d octets through: EDNS, and TCP port %d", longTXT, t.server.Addr.Port()))
			return false
		}
		octets := 0
		for _, record := range x.Records {
			octets += len(record) - len(`""`)
		}
		if octets > longTXT {
			return true
		}
	}
	t.say(found(skipped, "was not tried with a long answer: none of %s has one", strings.Join(longNames, ", ")))
	return false
}

// tcp asks over TCP what may be asked over UDP as well, and reports whether there
// is an answer.
func (t *serverTest) tcp(ctx context.Context) bool {
	s := t.server
	s.Network = dnscache.TCP
	if _, err := t.ask(ctx, s, missingName(), "A"); lookup.Temporary(err) {
		t.say(found(failing, "does not answer over TCP: %s", problem(err)).
			next("let TCP port %d through: long keys and records come that way", s.Addr.Port()))
		return false
	}
	return true
}

// authenticated reports whether the server vouches for a name that is signed.
func (t *serverTest) authenticated(ctx context.Context) bool {
	x, err := t.ask(ctx, t.server, signedName, "TXT")
	if lookup.Temporary(err) {
		t.say(found(failing, "does not give the TXT records of %s: %s", signedName, problem(err)))
		return false
	}
	if !x.Authenticated {
		t.say(found(failing, "does not check DNSSEC: no AD bit for %s", signedName).
			next("name a validating resolver in dns.servers, or leave out dns.require_ad"))
		return false
	}
	return true
}
