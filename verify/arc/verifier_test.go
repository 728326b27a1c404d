package arc

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"assay/dnscache/dnstest"
	"assay/verify/dkim"
	"assay/verify/lookup"
)

// relayed returns a mail with n sets by a.example, b.example, a.example, ….
func relayed(t testing.TB, n int) *mail {
	m := newMail(t)
	for i := range n {
		m.seal(station{domain: []string{"a.example", "b.example"}[i%2]})
	}
	return m
}

func TestPass(t *testing.T) {
	for _, n := range []int{1, 2, 3, MaxSets} {
		got := relayed(t, n).validate()
		if got.Result != Pass || got.Err != nil || got.Caveat != nil || got.OldestPass != 0 || len(got.Sets) != n {
			t.Errorf("%d sets: got %s (%v), caveat %v, oldest pass %d, %d sets; want pass, nothing, 0", n, got.Result, got.Err, got.Caveat, got.OldestPass, len(got.Sets))
		}
	}
}

func TestSets(t *testing.T) {
	got := newMail(t).seal(station{domain: "a.example", signer: "ams.example"}).seal(station{domain: "b.example", results: " mx.b.example; none"}).validate()
	if got.Result != Pass || len(got.Sets) != 2 {
		t.Fatalf("got %s (%v) with %d sets, want pass with 2", got.Result, got.Err, len(got.Sets))
	}
	for i, want := range []string{
		"1 none a.example s ams.example a.example [dmarc=pass header.from=author.example]",
		"2 pass b.example s b.example mx.b.example []",
	} {
		s := got.Sets[i]
		text := fmt.Sprint(s.Instance, " ", s.CV, " ", s.Sealer, " ", s.Selector, " ", s.Signer, " ", s.Results.AuthservID, " ", s.Results.Results)
		if text != want {
			t.Errorf("set %d:\n got %s\nwant %s", i+1, text, want)
		}
	}
}

func TestCanonicalizations(t *testing.T) {
	for _, canon := range []string{"relaxed/relaxed", "relaxed/simple", "simple/relaxed", "simple/simple"} {
		m := newMail(t).seal(station{domain: "a.example", canon: canon})
		if got := m.validate(); got.Result != Pass {
			t.Errorf("%s: got %s (%v), want pass", canon, got.Result, got.Err)
		}
		m.body = strings.Replace(m.body, "  ", " ", 1)
		want := Fail
		if strings.HasSuffix(canon, "/relaxed") {
			want = Pass
		}
		if got := m.validate(); got.Result != want {
			t.Errorf("%s, blank dropped from the body: got %s (%v), want %s", canon, got.Result, got.Err, want)
		}
	}
}

// TestFail: what is wrong, and why the chain fails. A chain that is broken
// already at its header asks no question.
func TestFail(t *testing.T) {
	const early, late = true, false
	test := func(what string, m *mail, want error, atOnce bool) {
		t.Helper()
		got := m.validate()
		if got.Result != Fail || !errors.Is(got.Err, want) {
			t.Errorf("%s: got %s (%v), want fail (%v)", what, got.Result, got.Err, want)
		}
		r := Verifier{m.zone, clock}.Begin(t.Context(), m.header, new(dkim.Bodies))
		if decided := r.chain.Result == Fail; decided != atOnce {
			t.Errorf("%s: decided by the header: got %v, want %v", what, decided, atOnce)
		}
		if asked := m.zone.Questions(); atOnce && len(asked) > 0 {
			t.Errorf("%s: asked %q, want no question", what, asked)
		}
	}
	one := func() *mail { return relayed(t, 1) }
	two := func() *mail { return relayed(t, 2) }
	with := func(s station) *mail { s.domain = "a.example"; return newMail(t).seal(s) }

	body := two()
	body.body += "more\r\n"
	test("body changed", body, dkim.ErrBodyHash, late)
	test("From changed", two().edit("From", "Ann", "Eve"), dkim.ErrSignature, late)
	test("second To added", two().top("To", " eve@evil.example"), dkim.ErrSignature, late)
	test("results changed", one().edit("ARC-Authentication-Results", "pass", "fail"), dkim.ErrSignature, late)
	test("seal damaged", one().edit("ARC-Seal", "b=", "b=AAAA"), dkim.ErrSignature, late)
	test("first set changed", two().edit("ARC-Seal", "i=1;", "i=01;"), dkim.ErrSignature, late)

	test("cv=fail", with(station{cv: "fail"}), ErrDeclared, early)
	test("cv=fail on top of a broken chain", two().seal(station{domain: "c.example", cv: "fail"}).drop("ARC-Message-Signature"), ErrDeclared, early)
	test("cv=fail further down", with(station{cv: "fail"}).seal(station{domain: "b.example"}), ErrCV, early)
	test("cv=pass first", with(station{cv: "pass"}), ErrCV, early)
	test("cv=none second", one().seal(station{domain: "b.example", cv: "none"}), ErrCV, early)
	test("cv=PASS", one().seal(station{domain: "b.example", cv: "PASS"}), ErrCV, early)
	test("cv= missing", one().edit("ARC-Seal", "cv=none;", ""), ErrCV, early)

	test("no results", two().drop("ARC-Authentication-Results"), ErrStructure, early)
	test("no message signature", two().drop("ARC-Message-Signature"), ErrStructure, early)
	test("no seal", two().drop("ARC-Seal"), ErrStructure, early)
	test("seal twice", two().top("ARC-Seal", two().header[0].Value), ErrStructure, early)
	test("results twice", two().top("arc-authentication-results", " i=01; x; none"), ErrStructure, early)

	test("h= in a seal", with(station{as: "h=from;"}), ErrSealTag, early)
	test("seal covered", with(station{h: "from:Arc-Seal"}), ErrCovers, early)
	test("seal expired", with(station{as: "x=1799999699;"}), dkim.ErrExpired, early)
	test("message signature expired", with(station{ams: "x=1799999699;"}), dkim.ErrExpired, early)
	test("older seal from the future", with(station{as: "t=1800000301;"}).seal(station{domain: "b.example"}), dkim.ErrFuture, early)
	test("unknown query method", with(station{ams: "q=x;"}), dkim.ErrQuery, early)
	test("l= beyond the body", with(station{ams: "l=1000;"}), dkim.ErrLength, late)
	test("rsa-sha1", one().edit("ARC-Seal", "ed25519-sha256", "rsa-sha1"), dkim.ErrSHA1, early)
	test("algorithm of another key", one().edit("ARC-Seal", "ed25519-sha256", "rsa-sha256"), dkim.ErrKeyType, late)
	test("l= no number", one().edit("ARC-Message-Signature", "h=", "l=-1; h="), dkim.ErrSyntax, early)
	test("unknown algorithm", one().edit("ARC-Message-Signature", "ed25519-sha256", "x"), dkim.ErrAlgorithm, early)
	test("canonicalization unknown", one().edit("ARC-Message-Signature", "relaxed/relaxed", "nowsp"), dkim.ErrCanon, early)
	test("bh= missing", one().edit("ARC-Message-Signature", "bh=", "xbh="), dkim.ErrTagMissing, early)
	test("s= missing", one().edit("ARC-Seal", " s=s;", ""), dkim.ErrTagMissing, early)
}

func TestKeys(t *testing.T) {
	test := func(what string, prepare func(m *mail), want error) {
		t.Helper()
		m := newMail(t)
		prepare(m)
		m.seal(station{domain: "a.example"}).seal(station{domain: "b.example"})
		got := m.validate()
		if wanted := map[bool]Result{true: Pass, false: Fail}[want == nil]; got.Result != wanted || !errors.Is(got.Err, want) {
			t.Errorf("%s: got %s (%v), want %s (%v)", what, got.Result, got.Err, wanted, want)
		}
	}
	record := func(text string) func(m *mail) { return func(m *mail) { m.publish("a.example", text) } }
	key := strings.TrimPrefix(published(t, "a.example"), "v=DKIM1; k=ed25519; ")

	test("plain", record("k=ed25519; "+key), nil)
	test("t=s", record("k=ed25519; t=s; "+key), nil)
	test("t=y", record("k=ed25519; t=y; "+key), ErrTestMode)
	test("revoked", record("k=ed25519; p="), dkim.ErrKeyRevoked)
	test("of another kind", record("k=rsa; "+key), dkim.ErrKeySyntax)
	test("not for sha256", record("k=ed25519; h=sha1; "+key), dkim.ErrKeyHash)
	test("not for mail", record("k=ed25519; s=tlsrpt; "+key), dkim.ErrKeyService)
	test("of somebody else", record(published(t, "c.example")), dkim.ErrSignature)
	test("two", func(m *mail) { record("k=ed25519; " + key)(m); m.zone.Add("s._domainkey.a.example", "TXT", "p="+key) }, dkim.ErrKeyCount)
}

// TestDNS: RFC 8617 §5.2.1: every failure is permanent.
func TestDNS(t *testing.T) {
	test := func(what string, prepare func(m *mail), want error) {
		t.Helper()
		m := relayed(t, 2)
		prepare(m)
		if got := m.validate(); got.Result != Fail || !errors.Is(got.Err, want) {
			t.Errorf("%s: got %s (%v), want fail (%v)", what, got.Result, got.Err, want)
		}
	}
	test("time-out", func(m *mail) { m.zone.Fail("s._domainkey.a.example", "TXT", dnstest.Timeout) }, ErrUnavailable)
	test("server failure", func(m *mail) { m.zone.Fail("s._domainkey.b.example", "TXT", dnstest.ServFail) }, ErrUnavailable)
	test("no such name", func(m *mail) { m.zone = dnstest.New() }, dkim.ErrNoKey)
	test("no record", func(m *mail) { m.zone = dnstest.New(); m.zone.Add("s._domainkey.b.example", "A", "192.0.2.1") }, dkim.ErrNoKey)
}

func TestCancelled(t *testing.T) {
	m := relayed(t, 2)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var bodies dkim.Bodies
	r := Verifier{m.zone, clock}.Begin(ctx, m.header, &bodies)
	bodies.Write([]byte(m.body))
	bodies.Close()
	if got := r.Finish(); got.Result != Fail || !errors.Is(got.Err, ErrUnavailable) {
		t.Errorf("got %s (%v), want fail (%v)", got.Result, got.Err, ErrUnavailable)
	}
}

func TestOldestPass(t *testing.T) {
	test := func(what string, m *mail, want int) {
		t.Helper()
		if got := m.validate(); got.Result != Pass || got.OldestPass != want {
			t.Errorf("%s: got %s (%v), oldest pass %d, want pass, %d", what, got.Result, got.Err, got.OldestPass, want)
		}
	}
	changed := func(n int) *mail {
		m := relayed(t, n)
		m.body += "-- \r\nlist footer\r\n"
		return m
	}
	next := station{domain: "c.example"}
	test("nothing changed", relayed(t, 3), 0)
	test("body changed after the first set", changed(1).seal(next).seal(next), 2)
	test("body changed after the second set", changed(2).seal(next), 3)
	test("Subject changed after the first set", relayed(t, 1).edit("Subject", "G", "[list] G").seal(next), 2)
	test("signed with l=, body goes on", func() *mail {
		m := newMail(t).seal(station{domain: "a.example", ams: "l=4;"})
		m.body += "more\r\n"
		return m.seal(next)
	}(), 2)
	test("broken by itself", newMail(t).seal(station{domain: "a.example", ams: "q=x;"}).seal(next), 2)
	test("broken in the middle", relayed(t, 1).seal(station{domain: "b.example", ams: "q=x;"}).seal(next), 3)

	gone := newMail(t).seal(station{domain: "a.example", signer: "gone.example"}).seal(next)
	gone.zone.Fail("s._domainkey.gone.example", "", dnstest.Timeout)
	test("key out of reach", gone, 2)
}

func TestCaveat(t *testing.T) {
	test := func(what string, m *mail, want error) {
		t.Helper()
		if got := m.validate(); got.Result != Pass || !errors.Is(got.Caveat, want) {
			t.Errorf("%s: got %s (%v), caveat %v, want pass, caveat %v", what, got.Result, got.Err, got.Caveat, want)
		}
	}
	with := func(s station) *mail { s.domain = "a.example"; return newMail(t).seal(s) }
	test("none", with(station{}), nil)
	test("h= empty", with(station{h: " "}), dkim.ErrFrom)
	test("h= without From", with(station{h: "to:subject"}), dkim.ErrFrom)
	test("h= with an empty name", with(station{h: "from::to"}), nil)
	test("second From on top", with(station{}).top("From", " eve@evil.example"), dkim.ErrUnsigned)
	test("l= of the whole body", with(station{ams: "l=24;"}), nil)
	test("l= of a part", with(station{ams: "l=5;"}), dkim.ErrBodyLength)
	test("older one with l=", with(station{ams: "l=5;"}).seal(station{domain: "b.example"}), nil)
}

// panicking is a resolver with a defect.
type panicking struct{ lookup.Resolver }

func (panicking) TXT(context.Context, string) (*lookup.TXT, error) { panic("defect") }

func TestPanicIsRaisedAgain(t *testing.T) {
	defer func() {
		if got := recover(); got != "defect" {
			t.Errorf("recovered %v, want defect", got)
		}
	}()
	m := relayed(t, 1)
	run(panicking{}, m.header, m.body)
}

// published returns the key record of a domain.
func published(t *testing.T, domain string) string {
	m := newMail(t)
	m.key(domain)
	txt, err := m.zone.TXT(t.Context(), "s._domainkey."+domain)
	if err != nil {
		t.Fatal(err)
	}
	return txt.Records[0]
}
