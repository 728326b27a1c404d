package filter_test

import (
	"bytes"
	"crypto/ed25519"
	"encoding/base64"
	"net/netip"
	"slices"
	"strings"
	"testing"

	msgauth "github.com/emersion/go-msgauth/dkim"

	"assay/dnscache/dnstest"
	"assay/filter"
	"assay/filter/miltertest"
	"assay/policy"
	"assay/verify/network"
)

func netipAddr(text string) netip.AddrPort { return netip.MustParseAddrPort(text) }

// signed returns a message of example.com with that body, signed in
// simple/simple, and the zone with the key.
func signed(t testing.TB, body string) (*dnstest.Zone, []byte) {
	t.Helper()
	return signedFields(t, "From:a@example.com\r\nTo:  b@rcpt.test\r\nSubject:\tx\r\n  y\r\n\r\n"+body)
}

func signedFields(t testing.TB, raw string) (*dnstest.Zone, []byte) {
	t.Helper()
	key := ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize))
	zone := dnstest.MustParse(t, testZone)
	zone.Add("s._domainkey.example.com", "TXT", "v=DKIM1; k=ed25519; p="+base64.StdEncoding.EncodeToString(key.Public().(ed25519.PublicKey)))
	var out bytes.Buffer
	err := msgauth.Sign(&out, strings.NewReader(raw), &msgauth.SignOptions{
		Domain: "example.com", Selector: "s", Signer: key, HeaderKeys: []string{"From", "To", "Subject"},
	})
	if err != nil {
		t.Fatal(err)
	}
	return zone, out.Bytes()
}

// unfold splits a header block into fields, folds kept.
func unfold(block string) []string {
	var fields []string
	for _, line := range strings.Split(block, "\r\n") {
		if line != "" && strings.ContainsRune(" \t", rune(line[0])) {
			fields[len(fields)-1] += "\r\n" + line
		} else {
			fields = append(fields, line)
		}
	}
	return fields
}

// TestForged: fields that claim our authserv-id go, whatever they look like;
// the others stay, in their order.
func TestForged(t *testing.T) {
	fields := []string{
		"Authentication-Results: one.example; spf=pass",
		"Authentication-Results: mx.example.net; dmarc=pass",
		"Authentication-Results: MX.EXAMPLE.NET; dmarc=pass",
		"authentication-results: \"mx.example.net\"; dmarc=pass",
		"Authentication-Results: two.example; spf=fail",
		"Authentication-Results: (a) mx.example.net (b) 1; dmarc=pass",
		"Authentication-Results:\r\n mx.example.net;\r\n dmarc=pass",
		"Authentication-Results: mx.example.net.; dmarc=pass",
		"Authentication-Results: mx.example.net 2; dmarc=pass",
		"Authentication-Results: \"mx.example.net; dmarc=pass",
		"Authentication-Results: three.example; none",
		"X-Assay-Disposition: accept",
		"Authentication-Results:mx.example.net",
	}
	for name, profile := range profiles {
		for _, exempt := range []bool{false, true} {
			s := startZone(t, func(s *filter.Settings) {
				if exempt {
					s.Rules = &policy.Rules{ExemptNetworks: network.NewSet(netip.MustParsePrefix("192.0.2.0/24"))}
				}
			})
			c := s.dial(t, profile)
			for range 2 {
				out := deliver(t, c, mail(fields...))
				var ids []string
				for _, value := range out.Fields("Authentication-Results") {
					id, _, _ := strings.Cut(strings.TrimSpace(value), ";")
					ids = append(ids, id)
				}
				want := []string{"mx.example.net", "one.example", "two.example", "three.example"}
				if !slices.Equal(ids, want) {
					t.Errorf("%s, exempt %v: got %q, want %q", name, exempt, ids, want)
				}
				if left := out.Fields("X-Assay-Disposition"); len(left) != 0 {
					t.Errorf("%s: %q is left", name, left)
				}
				if own := results(t, out); exempt != (own == "mx.example.net; none") {
					t.Errorf("%s, exempt %v: %q", name, exempt, own)
				}
			}
			quit(t, c)
		}
	}
}

// TestActions: what each action looks like to the MTA.
func TestActions(t *testing.T) {
	forged := mail("Authentication-Results: mx.example.net; dmarc=pass")
	forged.From, forged.Client = "100%@example.org", netipAddr("198.51.100.1:25")
	play := func(name string, action policy.Action, change func(*miltertest.Profile)) miltertest.Outcome {
		s := startZone(t, func(s *filter.Settings) { s.Rules = &policy.Rules{Enforce: true, OnReject: action} })
		p := profiles[name]
		if change != nil {
			change(&p)
		}
		c := s.dial(t, p)
		out := deliver(t, c, forged)
		if again := deliver(t, c, forged); again.Action != out.Action || unreferenced(again.SMTP) != unreferenced(out.SMTP) {
			t.Errorf("%s, %s: the same message again: %s %q", name, action, again.Action, again.SMTP)
		}
		quit(t, c)
		return out
	}
	for name := range profiles {
		out := play(name, policy.Accept, nil)
		if out.Action != miltertest.Accept || len(out.Fields("X-Assay-Disposition")) != 0 {
			t.Errorf("%s, accept: %s %q", name, out.Action, out.Fields("X-Assay-Disposition"))
		}
		wantIn(t, results(t, out), "dmarc=fail", "dis=none")

		out = play(name, policy.Tag, nil)
		tags := out.Fields("X-Assay-Disposition")
		if out.Action != miltertest.Accept || len(tags) != 1 || !strings.HasPrefix(strings.TrimSpace(tags[0]), "tag; dmarc=fail requested=reject") {
			t.Errorf("%s, tag: %s %q", name, out.Action, tags)
		}
		wantIn(t, results(t, out), "dis=quarantine")

		out = play(name, policy.Hold, nil)
		if out.Action != miltertest.Quarantine || len(out.Fields("X-Assay-Disposition")) != 1 || !strings.Contains(out.Reason, "example.com asks for reject") {
			t.Errorf("%s, hold: %s %q", name, out.Action, out.Reason)
		}
		results(t, out)

		out = play(name, policy.Hold, func(p *miltertest.Profile) { p.Actions &^= miltertest.ActQuarantine })
		if out.Action != miltertest.Accept || len(out.Fields("X-Assay-Disposition")) != 1 {
			t.Errorf("%s, hold where it is not offered: %s", name, out.Action)
		}

		out = play(name, policy.Reject, nil)
		if out.Action != miltertest.Reject || unreferenced(out.SMTP) != "550 5.7.26 Message failed the DMARC policy of its author domain example.com" {
			t.Errorf("%s, reject: %s %q", name, out.Action, out.SMTP)
		}

		out = play(name, policy.Defer, nil)
		if out.Action != miltertest.Tempfail || !strings.HasPrefix(out.SMTP, "451 4.7.0 ") {
			t.Errorf("%s, defer: %s %q", name, out.Action, out.SMTP)
		}
	}
}

// TestSimpleHeader: the simple canonicalization of header fields depends on
// every blank after the colon, which an MTA that was not asked to keep them
// eats. What then cannot be told apart is "X:v" and "X: v".
func TestSimpleHeader(t *testing.T) {
	zone, raw := signed(t, "Body.\r\n")
	for name, want := range map[string]string{"postfix": "dkim=pass", "sendmail": "dkim=pass", "version2": "dkim=fail"} {
		s := start(t, zone, nil)
		c := s.dial(t, profiles[name])
		m := mail()
		m.Raw = raw
		wantIn(t, results(t, deliver(t, c, m)), want)
		quit(t, c)
	}
	// Where each field has its blank, or a tab, version 2 is enough.
	zone, raw = signedFields(t, "From: a@example.com\r\nSubject:\tx\r\n\ty\r\nTo:  b@rcpt.test\r\n\r\nBody.\r\n")
	s := start(t, zone, nil)
	c := s.dial(t, profiles["version2"])
	m := mail()
	m.Raw = raw
	wantIn(t, results(t, deliver(t, c, m)), "dkim=pass")
	quit(t, c)
}
