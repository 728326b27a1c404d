package main

import (
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"assay/config"
	"assay/dnscache"
	"assay/dnscache/dnstest"
)

const dnsZone = `
example.com. TXT "v=spf1 -all"
example.com. TXT "a \"quoted\" \027[2J text"
example.com. A 192.0.2.1
example.com. MX 10 mail.example.com.
1.2.0.192.in-addr.arpa. PTR mail.example.com.
down.example.com. SERVFAIL
`

func TestDNSCommand(t *testing.T) {
	server := dnstest.MustParse(t, dnsZone).Serve(t)
	file := filepath.Join(t.TempDir(), "assay.toml")
	if err := os.WriteFile(file, []byte(`dns.servers = ["`+server+`"]`), 0o600); err != nil {
		t.Fatal(err)
	}
	took := regexp.MustCompile(`took [0-9.]+(ns|µs|ms|s)`)
	says := func(args string, wantCode int, want string) {
		t.Helper()
		var out, talk strings.Builder
		code := run(t.Context(), append([]string{"dns", "-c", file}, strings.Fields(args)...), nil, &out, &talk)
		got := took.ReplaceAllString(strings.ReplaceAll(out.String(), server, "SERVER"), "took TIME") + talk.String()
		if code != wantCode || got != want {
			t.Errorf("%s: exit status %d, want %d\n got %s\nwant %s", args, code, wantCode, got, want)
		}
	}
	says("example.com TXT", exitYes, "\"v=spf1 -all\"\n\"a \\\"quoted\\\" \\x1b[2J text\"\n; 2 records; from SERVER; kept for 5m0s; took TIME\n")
	says("Example.com. a -n 2", exitYes, "192.0.2.1\n; 1 record; from SERVER; kept for 5m0s; took TIME\n"+
		"192.0.2.1\n; 1 record; cache, from SERVER; kept for 5m0s; took TIME\n")
	says("example.com MX", exitYes, "10 mail.example.com.\n; 1 record; from SERVER; kept for 5m0s; took TIME\n")
	says("192.0.2.1 PTR", exitYes, "mail.example.com.\n; 1 record; from SERVER; kept for 5m0s; took TIME\n")
	says("example.com AAAA", exitNo, "; no record of this type; from SERVER; kept for 5m0s; took TIME\n")
	says("x.example.com TXT", exitNo, "; no such host; from SERVER; kept for 5m0s; took TIME\n")
	says("a..b TXT", exitNo, "; no such host; took TIME\n")
	says("down.example.com TXT", exitLater, "; the server answers SERVFAIL; from SERVER; kept for 5s; took TIME\n")
	says("example.com SOA", exitUsage, "assay: type \"SOA\" is not one of TXT, A, AAAA, MX, PTR\n")
}

func TestDNSZoneFile(t *testing.T) {
	folder := t.TempDir()
	zone, file := filepath.Join(folder, "demo.zone"), filepath.Join(folder, "assay.toml")
	write := func(path, text string) {
		t.Helper()
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(file, `dns.zone_file = "`+zone+`"`)
	runs := func(wantCode int, want string) {
		t.Helper()
		var out, talk strings.Builder
		code := run(t.Context(), []string{"dns", "-c", file, "example.com", "TXT"}, nil, &out, &talk)
		if got := out.String() + talk.String(); code != wantCode || !strings.Contains(got, want) {
			t.Errorf("exit status %d, want %d, got %s, want in it %s", code, wantCode, got, want)
		}
	}
	runs(exitUsage, "dns.zone_file: open ")
	write(zone, "$ORIGIN example.com.\n@ 60 TXT \"offline\"\n")
	runs(exitYes, "\"offline\"\n; 1 record; from zone file; kept for 1m0s")
	write(zone, "example.com. TXT\n@ nonsense\n")
	runs(exitUsage, "dns.zone_file: "+zone)
}

// TestDNSStale: an answer past its time says so.
func TestDNSStale(t *testing.T) {
	var b strings.Builder
	writeExplanation(&b, dnscache.Explanation{Records: []string{`"x"`}, Source: dnscache.FromStale, Server: "192.0.2.53:53", Authenticated: true})
	if got, want := b.String(), "\"x\"\n; 1 record; stale, from 192.0.2.53:53; authenticated; took 0s\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestDNSReload: what is known of the DNS survives a reload that does not
// concern it.
func TestDNSReload(t *testing.T) {
	zone := filepath.Join(t.TempDir(), "zone")
	if err := os.WriteFile(zone, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	base := config.Default("mx.example.org")
	base.DNS.Servers = []config.Server{{Network: "udp", Addr: netip.MustParseAddrPort("192.0.2.53:53")}}
	keeps := func(what string, want bool, change func(c *config.Config)) {
		t.Helper()
		before, after := base, base
		if what == "zone file" {
			change(&before)
		}
		resolver, err := resolverOf(before)
		if err != nil {
			t.Fatal(err)
		}
		s := service{config: before, resolver: resolver}
		change(&after)
		if err := s.renewResolver(after); err != nil {
			t.Fatal(err)
		}
		if kept := s.resolver == resolver; kept != want {
			t.Errorf("%s: kept %v, want %v", what, kept, want)
		}
	}
	keeps("nothing", true, func(*config.Config) {})
	keeps("policy", true, func(c *config.Config) { c.Policy.Mode = config.Enforce })
	keeps("message budget", true, func(c *config.Config) { c.DNS.MessageBudget++; c.DNS.MessageQueries++ })
	keeps("equal servers", true, func(c *config.Config) { c.DNS.Servers = append([]config.Server(nil), c.DNS.Servers...) })
	keeps("servers", false, func(c *config.Config) { c.DNS.Servers = append(c.DNS.Servers, c.DNS.Servers...) })
	keeps("stale", false, func(c *config.Config) { c.DNS.Stale = 0 })
	keeps("zone file", false, func(c *config.Config) { c.DNS.ZoneFile = config.Path(zone) })

	s := service{config: base}
	if s.resolver, _ = resolverOf(base); s.resolver == nil {
		t.Fatal("no resolver")
	}
	bad := base
	bad.DNS.ZoneFile = config.Path(zone + ".missing")
	if old := s.resolver; s.renewResolver(bad) == nil || s.resolver != old {
		t.Error("a zone file that is not there took the resolver away")
	}
}
