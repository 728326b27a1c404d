package config

import (
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"assay/verify/domain"
)

const host = "mx.example.org"

func mustParse(t *testing.T, text string) Config {
	t.Helper()
	cfg, err := Parse("test.toml", []byte(text), host)
	if err != nil {
		t.Fatalf("Parse of\n%s\ngot error\n%v", text, err)
	}
	return cfg
}

// only is the condition on that one domain.
func only(name string) []domain.Pattern {
	return []domain.Pattern{{Name: domain.MustParse(name)}}
}

func checkConfig(t *testing.T, from string, got, want Config) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%s:\ngot  %+v\nwant %+v", from, got, want)
	}
}

func TestEmptyFileIsDefaults(t *testing.T) {
	checkConfig(t, "empty file", mustParse(t, ""), Default(host))
	checkConfig(t, "empty sections", mustParse(t, "[dns]\n[listen]\n"), Default(host))
	checkConfig(t, "empty inline", mustParse(t, "dns = {}\nexception = []\n"), Default(host))
}

// The same settings in every form of TOML give the same configuration.
func TestGoodFiles(t *testing.T) {
	next := Default(host)
	next.Policy.Mode = Enforce
	want := Config{
		AuthservID: "Mail.Example.ORG",
		IDStated:   true,
		Listen: Listen{
			Milter: []Address{{"unix", "/run/assay/milter.sock"}, {"tcp6", "[::1]:8891"}, {"tcp", "localhost:8892"}},
			Status: StatusAddress{"unix", "/run/assay/status.sock"},
			Pprof:  true,
			Drain:  90 * time.Second,
		},
		Log:    Log{Format: LogJSON, Privacy: "domains", DebugClients: []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}, DebugAuthors: []domain.Pattern{{Below: true, Name: domain.MustParse("example.net")}}},
		Limits: Limits{Sessions: 100, SessionsPerHost: 50, Messages: 20, HeaderFields: 1000, HeaderBytes: 100000, FrameBytes: 80000, Stage: 10 * time.Second, Idle: time.Hour},
		Exempt: Exempt{Networks: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("2001:db8::/32")}},
		DNS: DNS{
			Servers: []Server{
				{Network: "udp", Addr: netip.MustParseAddrPort("192.0.2.53:53")},
				{Network: "udp", Addr: netip.MustParseAddrPort("192.0.2.54:5353")},
				{Network: "tcp", Addr: netip.MustParseAddrPort("[2001:db8::53]:5353")},
				{Network: "tls", Name: domain.MustParse("dns.example.net"), Addr: netip.MustParseAddrPort("[2001:db8::54]:853")},
			},
			SPFReadahead:   true,
			ZoneFile:       "/etc/assay/demo.zone",
			Timeout:        500 * time.Millisecond,
			RetryAfter:     100 * time.Millisecond,
			MessageBudget:  time.Minute,
			MessageQueries: 100,
			InFlight:       64,
			RequireAD:      true,
			CacheEntries:   1000,
			MinTTL:         10 * time.Second,
			MaxTTL:         36 * time.Hour,
			FailureTTL:     2 * time.Second,
			Stale:          24 * time.Hour,
		},
		Policy:     Policy{Mode: Enforce, OnReject: Reject, OnQuarantine: Hold, OnInvalidAuthor: Tag, OnTemperror: Defer, EnforcePercent: 50, MaxRejectShare: 20},
		SPF:        SPF{OnFail: Reject, OnSoftfail: Tag, Early: true},
		Shadow:     Shadow{File: "testdata/good/next.toml"},
		Next:       &next,
		Rules:      []Rule{exampleRule()},
		Forwarders: []Forwarder{exampleForwarder()},
		Exceptions: []Exception{{
			Match: Match{AuthorDomain: only("partner.example")}, Action: Accept,
			Reason: `their "gateway" breaks signatures, ticket 4711`, Owner: "ops@example.org",
			Until: time.Date(2027, 3, 1, 0, 0, 0, 0, time.UTC),
		}, {
			Match: Match{AuthorDomain: only("xn--bcher-kva.example")}, Action: Tag,
			Reason: `until the 1st, \o/`,
			Until:  time.Date(2027, 3, 1, 8, 0, 0, 0, time.UTC),
		}},
		DMARC:   DMARC{EvaluateAllAuthors: true},
		ARC:     ARC{TrustedSealers: []domain.Name{domain.MustParse("lists.example.net")}},
		Failure: Failure{WhenUnable: Defer},
	}
	for _, file := range []string{"testdata/good/full.toml", "testdata/good/dotted.toml"} {
		got, err := Load(file, host)
		if err != nil {
			t.Fatal(err)
		}
		checkConfig(t, file, got, want)
	}
}

// Dates and spellings that the good files have no room for.
func TestUntil(t *testing.T) {
	until := func(text string, want time.Time) {
		t.Helper()
		cfg := mustParse(t, "[[exception]]\nauthor_domain = \"a.example\"\naction = \"tag\"\nreason = \"x\"\nuntil = "+text)
		if got := cfg.Exceptions[0].Until; got != want {
			t.Errorf("until = %s: got %v, want %v", text, got, want)
		}
	}
	until("2000-01-01", time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC))
	until("9999-12-31", time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC))
	until("2027-03-01T10:00", time.Date(2027, 3, 1, 10, 0, 0, 0, time.UTC))
	until("2027-03-01 10:00-02:00", time.Date(2027, 3, 1, 12, 0, 0, 0, time.UTC))
	until("2027-03-01t10:00:00.5z", time.Date(2027, 3, 1, 10, 0, 0, 5e8, time.UTC))
	until("2027-03-01T02:00:00+02:00", time.Date(2027, 3, 1, 0, 0, 0, 0, time.UTC))
}

func TestLoadErrors(t *testing.T) {
	if _, err := Load(filepath.Join(t.TempDir(), "absent.toml"), host); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Load of an absent file: got %v, want fs.ErrNotExist", err)
	}
	var problems Problems
	if _, err := Load(t.TempDir(), host); err == nil || errors.As(err, &problems) {
		t.Errorf("Load of a folder: got %v, want the error of the system", err)
	}
	file := filepath.Join(t.TempDir(), "assay.toml")
	if err := os.WriteFile(file, []byte("[dns]\ntimeout = \"3\"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	want := file + `:2:11: dns.timeout: "3" has no unit`
	if _, err := Load(file, host); err == nil || err.Error() != want {
		t.Errorf("Load of a broken file: got %v, want %s", err, want)
	}
}

// A host whose name cannot be an authserv-id must say another one.
func TestHostname(t *testing.T) {
	const text = "[dns]\n"
	hostname := func(name, want string) {
		t.Helper()
		cfg, err := Parse("f", []byte(text), name)
		if got := fmt.Sprintf("%s %v", cfg.AuthservID, err); got != want {
			t.Errorf("host name %q: got %s, want %s", name, got, want)
		}
	}
	hostname("MX.example.org.", "MX.example.org <nil>")
	hostname("mx", "mx <nil>")
	hostname("bücher.example", "xn--bcher-kva.example <nil>")
	hostname("", ` f: authserv_id: this host's name, "", cannot be one`)
	hostname("my host", ` f: authserv_id: this host's name, "my host", cannot be one`)
	hostname(strings.Repeat("a", MaxAuthservID), strings.Repeat("a", MaxAuthservID)+" <nil>")
	hostname(strings.Repeat("a", MaxAuthservID+1), ` f: authserv_id: this host's name, "`+strings.Repeat("a", 60)+`"…, cannot be one`)

	cfg, err := Parse("f", []byte(`authserv_id = "mx.example.org"`), "my host")
	if err != nil || cfg.AuthservID != "mx.example.org" {
		t.Errorf("authserv_id over a bad host name: got %q, %v", cfg.AuthservID, err)
	}
}

// Whoever changes what they got does not change what the next one gets.
func TestDefaultIsFresh(t *testing.T) {
	changed := Default(host)
	changed.Listen.Milter[0] = Address{}
	changed.Exempt.Networks[0] = netip.Prefix{}
	checkConfig(t, "second Default", mustParse(t, ""), Default(host))
	if Default(host).Listen.Milter[0] == (Address{}) {
		t.Error("Default shares its lists")
	}
}
