package config

import (
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
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

func TestLimits(t *testing.T) {
	problems := func(text string) Problems {
		_, err := Parse("f", []byte(text), host)
		var ps Problems
		errors.As(err, &ps)
		return ps
	}
	accepted := func(what, text string, want bool) {
		t.Helper()
		if ps := problems(text); (len(ps) == 0) != want {
			t.Errorf("%s: got problems %.200v, want accepted %v", what, ps, want)
		}
	}
	accepted("file at limit", strings.Repeat("#", MaxFileBytes), true)
	accepted("file over limit", strings.Repeat("#", MaxFileBytes+1), false)
	owner := "[[exception]]\nauthor_domain = \"a.example\"\naction = \"tag\"\nreason = \"x\"\nowner = \"%s\"\n"
	accepted("text at limit", fmt.Sprintf(owner, strings.Repeat("o", MaxText)), true)
	accepted("text over limit", fmt.Sprintf(owner, strings.Repeat("o", MaxText+1)), false)
	rule := "[[rule]]\nauthor_domain = \"a.example\"\naction = \"reject\"\nreason = \"x\"\n"
	reply := func(lines, length int) string {
		texts := []string{`"550 5.7.1 ` + strings.Repeat("x", length-len("550 5.7.1 ")) + `"`}
		for range lines - 1 {
			texts = append(texts, `"x"`)
		}
		return rule + "reply = [" + strings.Join(texts, ", ") + "]\n"
	}
	accepted("reply at its limits", reply(MaxReplyLines, MaxReplyLine), true)
	accepted("reply of too many lines", reply(MaxReplyLines+1, 20), false)
	accepted("reply with a long line", reply(1, MaxReplyLine+1), false)
	accepted("name at limit", rule+"name = \""+strings.Repeat("n", 40)+"\"", true)
	accepted("name over limit", rule+"name = \""+strings.Repeat("n", 41)+"\"", false)
	accepted("field at limit", rule+"header = \"X-"+strings.Repeat("n", 60)+": "+strings.Repeat("v", 200)+"\"", true)
	accepted("field name over limit", rule+"header = \"X-"+strings.Repeat("n", 61)+": v\"", false)
	accepted("field value over limit", rule+"header = \"X-n: "+strings.Repeat("v", 201)+"\"", false)
	accepted("lowest", "[listen]\ndrain = \"0s\"\n[dns]\ntimeout = \"10ms\"\nmessage_budget = \"1s\"\ncache_entries = 100\nmax_ttl = \"1m\"\n", true)
	accepted("highest", "[listen]\ndrain = \"1h\"\n[dns]\ntimeout = \"1m\"\nmessage_budget = \"10m\"\ncache_entries = 10000000\nmax_ttl = \"7d\"\n", true)
	accepted("budget of one query", "[dns]\ntimeout = \"3s\"\nmessage_budget = \"3s\"\n", true)

	accepted("sections at limit", strings.Repeat(rule, MaxSections), true)
	for what, text := range map[string]string{
		"sections":        strings.Repeat("[[rule]]\n", 2*MaxSections),
		"inline sections": "rule = [" + strings.Repeat("{},\n", MaxSections+1) + "]",
		"limit+1":         strings.Repeat("[[rule]]\n", MaxSections) + "[[exception]]",
	} {
		if ps := problems(text); len(ps) != 1 || ps[0].Line != MaxSections+1 || ps[0].Text != "more than 10000 sections" {
			t.Errorf("%s over limit: got %.200v", what, ps)
		}
	}

	unknown := func(n int) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, "x%d = 1\n", i)
		}
		return b.String()
	}
	if got := len(problems(unknown(MaxProblems - 1))); got != MaxProblems-1 {
		t.Errorf("below the limit: %d problems, want %d", got, MaxProblems-1)
	}
	for _, n := range []int{MaxProblems, MaxProblems + 1, 90_000} {
		ps := problems(unknown(n))
		if last := ps[len(ps)-1]; len(ps) != MaxProblems+1 || last.Line != MaxProblems || !strings.HasPrefix(last.Text, "too many problems") {
			t.Errorf("%d problems in the file: %d reported, the last %v", n, len(ps), last)
		}
	}
}

// TestHalfWritten: a file that was cut off is refused unless it ends after a
// value; then nobody can tell.
func TestHalfWritten(t *testing.T) {
	text, err := os.ReadFile("testdata/good/full.toml")
	if err != nil {
		t.Fatal(err)
	}
	last, ends := 0, regexp.MustCompile(`(["'\]}\d]|true|false|#[^\n]*|\s|^)$`)
	for n := range text {
		_, err := Parse("f", text[:n], host)
		var problems Problems
		switch {
		case err == nil && !ends.Match(text[:n]):
			t.Fatalf("accepted: %q", text[max(0, n-40):n])
		case err != nil && !errors.As(err, &problems):
			t.Fatalf("got %v, want Problems", err)
		case err != nil:
			last = n
		}
	}
	if last < len(text)*9/10 {
		t.Errorf("what is cut off after byte %d of %d is always accepted", last, len(text))
	}
}

// Values that nest or go on without end are refused, not followed.
func TestHostileShapes(t *testing.T) {
	refused := func(what, text string) {
		t.Helper()
		start := time.Now()
		_, err := Parse("f", []byte(text), host)
		if took := time.Since(start); took > 5*time.Second { // a tenth of a second, on a busy machine with the race detector
			t.Errorf("%s: took %v", what, took)
		}
		var problems Problems
		if !errors.As(err, &problems) {
			t.Errorf("%s: got %v, want Problems", what, err)
		}
		for _, p := range problems {
			if len(p.Error()) > 1000 {
				t.Errorf("%s: a message of %d bytes", what, len(p.Error()))
			}
		}
	}
	const n = MaxFileBytes / 4
	refused("nested lists", "x = "+strings.Repeat("[", n))
	refused("nested known lists", "dns.servers = "+strings.Repeat("[", 5000)+strings.Repeat("]", 5000))
	refused("nested tables", "x = "+strings.Repeat("{a=", n))
	refused("long key", strings.Repeat("k", n)+" = 1")
	refused("long dotted key", strings.Repeat("a.", n)+"a = 1")
	refused("long header", "["+strings.Repeat("a.", n)+"a]")
	refused("long text", `policy.mode = "`+strings.Repeat("m", n)+`"`)
	refused("long number", "dns.timeout = "+strings.Repeat("1", n))
	refused("long fraction", "dns.timeout = 1."+strings.Repeat("1", n))
	refused("long date", "dns.timeout = 2027-03-01T10:00:00."+strings.Repeat("1", n))
	refused("many sections", strings.Repeat("[[rule]]\n", MaxFileBytes/9))
	refused("many inline sections", "rule = ["+strings.Repeat("{},", MaxFileBytes/4)+"]")
	refused("many bad items of one line", "exempt.networks = ["+strings.Repeat(`"::/0",`, n/2)+"]")
	refused("many servers", "dns.servers = ["+strings.Repeat(`"x",`, n/2)+"]")
}
