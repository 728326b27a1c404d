package spf

import (
	"context"
	"errors"
	"io"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"assay/dnscache/dnstest"
	"gopkg.in/yaml.v3"
)

// TestOpenSPF runs every case of the suite for RFC 7208: no disagreement.
func TestOpenSPF(t *testing.T) {
	runSuite(t, readSuite(t, "rfc7208-tests.yml"), 203, nil)
}

// TestPySPF runs the cases of pyspf.
func TestPySPF(t *testing.T) {
	runSuite(t, readSuite(t, "pyspf-tests.yml"), 16, map[string]disagreement{
		"default-modifier":       {Neutral, "default= is of a draft; RFC 7208 §6 ignores unknown modifiers"},
		"default-modifier-harsh": {Neutral, "as above; the wanted word is no result at all"},
	})
}

// TestBlitiri runs the cases of the library.
func TestBlitiri(t *testing.T) {
	const (
		label  = "RFC 7208 §4.3: a domain of one label gives none"
		syntax = "RFC 7208 §12: include:d11 is no domain-spec"
	)
	runSuite(t, readSuite(t, "blitirispf-tests.yml"), 83, map[string]disagreement{
		"lookup-limit-at-10":         {None, label},
		"lookup-limit-at-10-matches": {None, label},
		"lookup-limit-over-a":        {None, label},
		"lookup-limit-over-mx":       {None, label},
		"lookup-limit-over-exists":   {None, label},
		"lookup-limit-over-ptr":      {None, label},
		"lookup-limit-over-no-match": {None, label},
		"void-limit-at-2":            {None, label},
		"void-limit-over-a":          {None, label},
		"void-limit-over-mx":         {None, label},
		"void-limit-over-exists":     {None, label},
		"void-limit-over-ptr":        {None, label},
		"void-limit-over-in-include": {None, label},
		"mx-resolution-10-terms":     {None, label},
		"mx-resolution-11-terms":     {None, label},
		"ptr-resolution-10-terms":    {None, label},
		"ptr-resolution-11-terms":    {None, label},
		"ptr-resolution-mixed-terms": {None, label},
		"one-mx-not-found":           {None, label},
		"all-mx-not-found":           {None, label},
		"include-not-found":          {None, label},
		"redirect-not-found":         {None, label},
		"resolution-with-10-lookups": {PermError, syntax},
	})
}

// TestBlitiriQualified runs them again with ".example" behind every name of one
// label, so that they show what they were written for: no disagreement.
func TestBlitiriQualified(t *testing.T) {
	scenarios := readSuite(t, "blitirispf-tests.yml")
	for i := range scenarios {
		scenarios[i].suffix = ".example"
	}
	runSuite(t, scenarios, 83, nil)
}

// disagreement is a case whose wanted result we do not give.
type disagreement struct {
	ours   Result
	reason string
}

// scenario is one document of a suite: a zone and the cases that use it.
type scenario struct {
	Description string
	Tests       map[string]struct {
		Helo     string
		Host     string
		MailFrom string `yaml:"mailfrom"`
		Result   oneOrMore
	}
	ZoneData map[string][]map[string]yaml.Node `yaml:"zonedata"`

	suffix string // put behind names of one label
}

// oneOrMore is a string or a list of them.
type oneOrMore []string

func (list *oneOrMore) UnmarshalYAML(node *yaml.Node) error {
	var one string
	if node.Kind == yaml.ScalarNode {
		err := node.Decode(&one)
		*list = oneOrMore{one}
		return err
	}
	return node.Decode((*[]string)(list))
}

// runSuite runs the cases of a suite. count is how many there are, so that none
// gets lost; apart lists the disagreements by name of the case.
func runSuite(t *testing.T, scenarios []scenario, count int, apart map[string]disagreement) {
	ran := 0
	for _, s := range scenarios {
		zone := s.zone(t)
		for name, test := range s.Tests {
			ran++
			t.Run(name, func(t *testing.T) {
				ip := netip.MustParseAddr(test.Host)
				sender := s.qualify(asReversePath(test.MailFrom))
				got := Verifier{Resolver: zone}.MailFrom(context.Background(), ip, test.Helo, sender)
				accepted := slices.Contains(test.Result, string(got.Result))
				known, ok := apart[name]
				switch {
				case ok && accepted:
					t.Errorf("%s agrees with the suite: %s; strike it off the list", name, got.Result)
				case ok && got.Result != known.ours:
					t.Errorf("%s: got %s (%v), want our own %s: %s", name, got.Result, got.Err, known.ours, known.reason)
				case !ok && !accepted:
					t.Errorf("%s: client %s, helo %q, sender %q: got %s (%v), want one of %q",
						s.Description, ip, test.Helo, sender, got.Result, got.Err, test.Result)
				}
				checkReason(t, got)
			})
		}
	}
	if ran != count {
		t.Errorf("%d cases ran, want %d", ran, count)
	}
}

// checkReason holds for every Check: there is a reason exactly where there is
// no verdict, and it is one of ours.
func checkReason(t *testing.T, c Check) {
	t.Helper()
	verdict := c.Result == Pass || c.Result == Fail || c.Result == SoftFail || c.Result == Neutral
	known := slices.ContainsFunc(causes, func(cause error) bool { return errors.Is(c.Err, cause) })
	if known == verdict || verdict && c.Err != nil {
		t.Errorf("%s with error %v", c.Result, c.Err)
	}
	if c.Lookups < 0 || c.Lookups > 10 {
		t.Errorf("%d look-ups", c.Lookups)
	}
	// The library says what kind of term matched; the trail must end in one.
	kind := ""
	if len(c.Trail) > 0 {
		matched, err := parseTerm(c.Trail[len(c.Trail)-1].Term)
		if err != nil {
			t.Errorf("trail %q: %v", c.Trail, err)
		}
		kind = string(matched.mechanism)
	}
	if kind != c.Mechanism {
		t.Errorf("matched %q, trail %q", c.Mechanism, c.Trail)
	}
}

func readSuite(t *testing.T, file string) []scenario {
	f, err := os.Open(filepath.Join("..", "..", "testdata", "openspf", file))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var scenarios []scenario
	for decoder := yaml.NewDecoder(f); ; {
		var s scenario
		switch err := decoder.Decode(&s); err {
		case nil:
			scenarios = append(scenarios, s)
		case io.EOF:
			return scenarios
		default:
			t.Fatalf("%s: %v", file, err)
		}
	}
}

// asReversePath turns a sender, as the suites give it to check_host, into what
// an SMTP client would have sent: a local part that is no Dot-string quoted.
func asReversePath(sender string) string {
	at := strings.LastIndexByte(sender, '@')
	if at <= 0 || isDotString(sender[:at]) {
		return sender
	}
	return `"` + sender[:at] + `"` + sender[at:]
}

// zone returns the zone data. Records of type SPF stand for TXT, unless the
// name has a TXT record; TXT "NONE" says that it has none. A failure is the
// answer for the types that the name has no records of.
func (s scenario) zone(t *testing.T) *dnstest.Zone {
	zone := dnstest.New()
	for name, records := range s.ZoneData {
		name = s.qualify(name)
		data, failing := map[string][]oneOrMore{}, false
		for _, record := range records {
			for rrtype, node := range record {
				switch rrtype {
				case "TIMEOUT", "SERVFAIL":
					failing = true
				case "CNAMELOOP":
					zone.Add(name, "CNAME", name)
				default:
					var words oneOrMore
					if err := node.Decode(&words); err != nil {
						t.Fatalf("%s %s: %v", name, rrtype, err)
					}
					data[rrtype] = append(data[rrtype], words)
				}
			}
		}
		if data["TXT"] == nil {
			data["TXT"] = data["SPF"]
		}
		for _, rrtype := range []string{"TXT", "A", "AAAA", "MX", "PTR", "CNAME"} {
			added := false
			for _, words := range data[rrtype] {
				if rrtype == "TXT" && slices.Equal(words, oneOrMore{"NONE"}) {
					continue
				}
				zone.Add(name, rrtype, s.qualifyAll(rrtype, words)...)
				added = true
			}
			if failing && !added {
				zone.Fail(name, rrtype, dnstest.Timeout)
			}
		}
	}
	return zone
}

// qualify puts the suffix behind a name, or address, of one label.
func (s scenario) qualify(name string) string {
	if name == "" || strings.Contains(name, ".") {
		return name
	}
	return name + s.suffix
}

// qualifyAll does it in the words of a record.
func (s scenario) qualifyAll(rrtype string, words []string) []string {
	words = slices.Clone(words)
	switch rrtype {
	case "MX":
		words[1] = s.qualify(words[1])
	case "TXT":
		for i, text := range words {
			terms := strings.Split(text, " ")
			for j, term := range terms {
				name, target, ok := strings.Cut(term, ":")
				if ok && name != "ip4" && name != "ip6" {
					terms[j] = name + ":" + s.qualify(target)
				}
				if target, ok := strings.CutPrefix(term, "redirect="); ok {
					terms[j] = "redirect=" + s.qualify(target)
				}
			}
			words[i] = strings.Join(terms, " ")
		}
	}
	return words
}
