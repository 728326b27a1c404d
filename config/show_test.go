package config

import (
	"fmt"
	"math"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"
)

func lines(settings []Setting) string {
	var b strings.Builder
	for _, s := range settings {
		b.WriteString(s.String() + "\n")
	}
	return b.String()
}

func TestShow(t *testing.T) {
	cfg, err := Load("testdata/good/full.toml", host)
	if err != nil {
		t.Fatal(err)
	}
	const want = `authserv_id = "Mail.Example.ORG"
listen.milter = ["unix:/run/assay/milter.sock", "inet:[::1]:8891", "inet:localhost:8892"]
listen.status = "unix:/run/assay/status.sock"
listen.pprof = true
listen.drain = "1m30s"
log.format = "json"
log.privacy = "domains"
log.debug_clients = ["192.0.2.0/24"]
log.debug_authors = [".example.net"]
exempt.networks = ["10.0.0.0/8", "2001:db8::/32"]
exempt.authenticated = false
dns.servers = ["192.0.2.53:53", "192.0.2.54:5353", "tcp://[2001:db8::53]:5353", "tls://dns.example.net@[2001:db8::54]:853"]
dns.spf_readahead = true
dns.zone_file = "/etc/assay/demo.zone"
dns.timeout = "500ms"
dns.retry_after = "100ms"
dns.message_budget = "1m"
dns.message_queries = 100
dns.in_flight = 64
dns.mix_case = false
dns.require_ad = true
dns.cache_entries = 1000
dns.min_ttl = "10s"
dns.max_ttl = "1d12h"
dns.failure_ttl = "2s"
dns.stale = "1d"
policy.mode = "enforce"
policy.on_reject = "reject"
policy.on_quarantine = "hold"
policy.on_invalid_author = "tag"
policy.on_temperror = "defer"
policy.enforce_percent = 50
policy.max_reject_share = 20
policy.spf.on_fail = "reject"
policy.spf.on_softfail = "tag"
policy.spf.early = true
policy.shadow.file = "testdata/good/next.toml"
exception = [{ author_domain = "partner.example", action = "accept", reason = "their \"gateway\" breaks signatures, ticket 4711", owner = "ops@example.org", until = 2027-03-01 }, { author_domain = "xn--bcher-kva.example", action = "tag", reason = "until the 1st, \\o/", until = 2027-03-01T08:00:00Z }]
rule = [{ name = "unsigned-bank", networks = "198.51.100.0/24", client_name = ".dynamic.example.net", helo = ["example.net", ".example.net"], envelope_sender = ["example.net", ".example.net"], author_domain = ["bank.example", ".bank.example"], recipient = ["boss@example.org", "example.com"], spf = ["fail", "softfail"], dkim = ["none", "fail"], arc = ["none", "fail"], dmarc = ["none", "fail"], requested = "none", sdid = "bulk.example", author = "valid", tls = false, authenticated = false, action = "reject", reply = "550 5.7.20 This bank signs all of its mail", header = "X-Suspect: bank", percent = 10, reason = "phishing wave, ticket 4712" }]
forwarder = [{ name = "alumni", networks = "203.0.113.0/28", client_name = "fwd.example.edu", recipient_domain = "example.org", received_from = true }]
dmarc.evaluate_all_authors = true
arc.enable = false
arc.trusted_sealers = ["lists.example.net"]
limits.sessions = 100
limits.sessions_per_host = 50
limits.messages = 20
limits.header_fields = 1000
limits.header_bytes = 100000
limits.frame_bytes = 80000
limits.stage = "10s"
limits.idle = "1h"
failure.when_unable = "defer"
`
	if got := lines(cfg.Show()); got != want {
		t.Errorf("Show:\ngot\n%s\nwant\n%s", got, want)
	}
	cfg.Next = nil // is not read by Parse
	checkConfig(t, "Show read back", mustParse(t, want), cfg)
}

func TestDifferences(t *testing.T) {
	differences := func(text, want string) {
		t.Helper()
		if got := lines(mustParse(t, text).Differences(host)); got != want {
			t.Errorf("Differences of\n%s\ngot\n%s\nwant\n%s", text, got, want)
		}
	}
	differences("", "")
	differences("dns.timeout = \"3000ms\"\nauthserv_id = \"mx.example.org\"\n", "")
	differences("dns.timeout = \"4s\"\n[exempt]\nnetworks = []\n", "exempt.networks = []\ndns.timeout = \"4s\"\n")
	if got := lines(Default("other.example").Differences(host)); got != "authserv_id = \"other.example\"\n" {
		t.Errorf("Differences of another host: got %s", got)
	}
}

// contrib/assay.toml is what Describe says; -update rewrites it.
func TestReferenceFile(t *testing.T) {
	checkGolden(t, "../contrib/assay.toml", Describe())
}

var commented = regexp.MustCompile(`(?m)^# (\[\[?[a-z_]+\]\]?|[a-z_]+ = )`)

// The reference file says nothing but the defaults, and everything it has
// commented out is true as well: nothing changes but the one exception that it
// gives as an example.
func TestReferenceFileIsDefaults(t *testing.T) {
	checkConfig(t, "reference file", mustParse(t, Describe()), Default(host))

	want := Default(host)
	want.IDStated = true
	want.Exceptions, want.Rules, want.Forwarders = []Exception{exampleException()}, []Rule{exampleRule()}, []Forwarder{exampleForwarder()}
	open := commented.ReplaceAllString(Describe(), "$1")
	checkConfig(t, "reference file with all lines in force", mustParse(t, open), want)
	for key, s := range allSettings(reflect.TypeFor[Config]()) {
		if line := regexp.MustCompile(`(?m)^(` + regexp.QuoteMeta(s.name) + ` = |` + regexp.QuoteMeta(s.header()) + ` )`); !line.MatchString(open) {
			t.Errorf("the reference file does not have %s", key)
		}
	}
}

// Each field of Config is described, has sound limits, and its default is one
// that it accepts.
func TestTags(t *testing.T) {
	top := reflect.ValueOf(Default(host))
	check := func(s setting, value reflect.Value) {
		if s.name == "" || s.says == "" {
			t.Errorf("setting %q says %q: it needs a key and a sentence", s.key, s.says)
		}
		if s.low != "" && s.bound(s.low) >= s.bound(s.high) {
			t.Errorf("%s: range from %s to %s", s.key, s.low, s.high)
		}
		if strings.HasPrefix(s.key, "exception") || strings.HasPrefix(s.key, "rule") || strings.HasPrefix(s.key, "forwarder") {
			return // has no default
		}
		if err := s.check(value); err != nil {
			t.Errorf("%s: default refused: %v", s.key, err)
		}
	}
	for _, s := range settingsOf(top.Type(), "") {
		check(s, top.FieldByIndex(s.field))
		if inner := s.section(); inner != nil {
			for _, in := range settingsOf(inner, s.key) {
				value := reflect.Zero(in.typ)
				if !s.isList() {
					value = top.FieldByIndex(s.field).FieldByIndex(in.field)
				}
				check(in, value)
			}
		}
	}
}

func TestDurations(t *testing.T) {
	duration := func(text string, want time.Duration, written string) {
		t.Helper()
		got, err := parseDuration(text)
		if err != nil || got != want {
			t.Errorf("parseDuration(%q): got %v, %v; want %v", text, got, err, want)
		}
		if got := formatDuration(want); got != written {
			t.Errorf("formatDuration(%v): got %s, want %s", want, got, written)
		}
	}
	duration("0s", 0, "0s")
	duration("0d", 0, "0s")
	duration("3s", 3*time.Second, "3s")
	duration("500ms", 500*time.Millisecond, "500ms")
	duration("1.5s", 1500*time.Millisecond, "1.5s")
	duration("60s", time.Minute, "1m")
	duration("600s", 10*time.Minute, "10m")
	duration("100s", 100*time.Second, "1m40s")
	duration("60m", time.Hour, "1h")
	duration("3610s", time.Hour+10*time.Second, "1h0m10s")
	duration("1d", day, "1d")
	duration("10d", 10*day, "10d")
	duration("1d12h", 36*time.Hour, "1d12h")
	duration("1d30s", day+30*time.Second, "1d30s")
	duration("65535d", 65535*day, "65535d")

	refused := func(text string) {
		t.Helper()
		if got, err := parseDuration(text); err == nil {
			t.Errorf("parseDuration(%q): got %v, want an error", text, got)
		}
	}
	refused("")
	refused("0")
	refused("3")
	refused("d")
	refused("1h1d")
	refused("1d1")
	refused("1d2d")
	refused("-1s")
	refused("+1s")
	refused("65536d")
	refused("65535d1000000h")
	refused(fmt.Sprint(math.MaxInt64, "s"))
}

func TestNearest(t *testing.T) {
	names := []string{"dns.timeout", "dns.max_ttl", "listen.milter", "policy.on_reject"}
	near := func(word, want string) {
		t.Helper()
		if got := nearest(word, names); got != want {
			t.Errorf("nearest(%q): got %q, want %q", word, got, want)
		}
	}
	near("dns.timeot", "dns.timeout")
	near("dns.max-ttl", "dns.max_ttl")
	near("DNS.Timeout", "dns.timeout")
	near("milter", "listen.milter")
	near("policy.milter", "listen.milter")
	near("policy.on_rejct", "policy.on_reject")
	near("x", "")
	near("", "")
	near(strings.Repeat("x", maxNearest)+".milter", "")
}
