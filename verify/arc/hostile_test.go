package arc

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"assay/dnscache/dnstest"
	"assay/verify/authres"
	"assay/verify/dkim"
	"assay/verify/message"
)

// unsigned returns the three fields of a set without signatures that verify,
// newest first as in a message.
func unsigned(instance string, cv CV) message.Header {
	return message.Header{
		{Name: "ARC-Seal", Value: fmt.Sprintf(" i=%s; a=rsa-sha256; cv=%s; d=a.example; s=s; b=AAAA", instance, cv)},
		{Name: "ARC-Message-Signature", Value: fmt.Sprintf(" i=%s; a=rsa-sha256; d=a.example; s=s; h=from; bh=AAAA; b=AAAA", instance)},
		{Name: "ARC-Authentication-Results", Value: fmt.Sprintf(" i=%s; a.example; none", instance)},
	}
}

// chainOf returns a header with a set for each instance.
func chainOf(instances ...string) message.Header {
	var h message.Header
	for i, instance := range instances {
		cv := CVPass
		if i == 0 {
			cv = CVNone
		}
		h = append(unsigned(instance, cv), h...)
	}
	return h
}

func counting(n int) []string {
	var instances []string
	for i := range n {
		instances = append(instances, fmt.Sprint(i+1))
	}
	return instances
}

// refused checks that a header fails for a reason, without a question, and that
// what is written about it can be read.
func refused(t *testing.T, what string, h message.Header, want error) {
	t.Helper()
	zone := dnstest.New()
	got := run(zone, h, "body\r\n")
	if got.Result != Fail || !errors.Is(got.Err, want) {
		t.Errorf("%s: got %s (%v), want fail (%v)", what, got.Result, got.Err, want)
	}
	if asked := zone.Questions(); len(asked) > 0 {
		t.Errorf("%s: asked %q, want no question", what, asked)
	}
	text := authres.Field{AuthservID: "mx.example", Results: []authres.Result{got.AuthRes(netip.Addr{})}}.Value()
	if f, err := authres.Parse(text); err != nil || len(f.Results) != 1 || len(text) > 300 {
		t.Errorf("%s: wrote %q, which reads as %v, %v", what, text, f, err)
	}
}

func TestInstances(t *testing.T) {
	for _, instance := range []string{"", "0", "00", "51", "99", "001", "100", "99999999999", "-1", "+1", "1.0", "1x", "x", "\u0661", "0x1", "1 1", "1\r\n 1"} {
		refused(t, instance, chainOf(instance), ErrInstance)
	}
	refused(t, "no i= in a seal", message.Header{{Name: "ARC-Seal", Value: " a=b"}}, ErrInstance)
	refused(t, "I= in a seal", message.Header{{Name: "ARC-Seal", Value: " I=1"}}, ErrInstance)
	refused(t, "I= in results", message.Header{{Name: "ARC-Authentication-Results", Value: " I=1; x; none"}}, ErrInstance)
	refused(t, "gap", chainOf("1", "3"), ErrStructure)
	refused(t, "first missing", chainOf("2"), ErrStructure)
	refused(t, "twice", chainOf("1", "1"), ErrStructure)
	refused(t, "twice, written differently", chainOf("1", "01"), ErrStructure)
	refused(t, "only the last of 50", chainOf("50"), ErrStructure)
}

// TestInstanceForms: RFC 8617 §4.1.1, §4.2.1: what may stand around "i=N".
func TestInstanceForms(t *testing.T) {
	for _, head := range []string{"i=1;", " i = 1 ;", "\r\n\ti=1;", "i=01;", " (a;b) i (\\)) = (i=2) 1 (c);"} {
		instance, payload, err := cutInstance(head + " x; none")
		if instance != 1 || payload != " x; none" || err != nil {
			t.Errorf("%q: got %d, %q, %v, want 1, \" x; none\"", head, instance, payload, err)
		}
	}
	for _, head := range []string{"", "i=1", "i=1 x;", "i=(1);", "i=1(c)0;", "i=1(c;", ")i=1;", "\"i\"=1;", "i=\"1\";", "ii=1;", "1;", "=1;"} {
		if instance, _, err := cutInstance(head); err == nil {
			t.Errorf("%q: got %d, want an error", head, instance)
		}
	}
}

func TestSetCount(t *testing.T) {
	if got := relayed(t, MaxSets).validate(); got.Result != Pass {
		t.Errorf("%d sets: got %s (%v), want pass", MaxSets, got.Result, got.Err)
	}
	refused(t, "51 sets", chainOf(counting(MaxSets+1)...), ErrInstance)
	refused(t, "60 sets", chainOf(counting(60)...), ErrInstance)

	fields := make(message.Header, MaxSets*int(kinds))
	for i := range fields {
		fields[i] = message.Field{Name: "ARC-Seal", Value: "i=1"}
	}
	refused(t, "150 fields", fields, ErrStructure)
	refused(t, "151 fields", append(fields, message.Field{Name: "Arc-Seal ", Value: "i=1"}), ErrTooMany)
}

func TestFieldSize(t *testing.T) {
	for _, name := range fieldNames {
		test := func(size int, want error) {
			t.Helper()
			m := relayed(t, 1)
			for i, f := range m.header {
				if f.Is(name) {
					m.header[i].Value += strings.Repeat(" ", size-len(f.Value))
				}
			}
			// A semicolon ends the value, so that it is well formed.
			if got := m.validate(); !errors.Is(got.Err, want) {
				t.Errorf("%s of %d octets: got %s (%v), want %v", name, size, got.Result, got.Err, want)
			}
		}
		test(dkim.MaxFieldBytes, nil) // relaxed drops the blanks
		test(dkim.MaxFieldBytes+1, ErrFieldSize)
	}
}

func TestSignedNames(t *testing.T) {
	names := "from" + strings.Repeat(":x", dkim.MaxNames-1)
	if got := newMail(t).seal(station{domain: "a.example", h: names}).validate(); got.Result != Pass {
		t.Errorf("%d names: got %s (%v), want pass", dkim.MaxNames, got.Result, got.Err)
	}
	refused(t, "257 names", newMail(t).seal(station{domain: "a.example", h: names + ":x"}).header, dkim.ErrNames)
}

// TestUncleanNames: no question is asked for a name that is none.
func TestUncleanNames(t *testing.T) {
	edit := func(name, old, value string) message.Header {
		h := unsigned("1", CVNone)
		for i, f := range h {
			if f.Is(name) {
				h[i].Value = strings.Replace(f.Value, old, value, 1)
			}
		}
		return h
	}
	for _, value := range []string{"d=a.example\x00.evil.example", "d=a.example\x01", "d=a.exa\x7fmple"} {
		refused(t, "control character", edit("ARC-Seal", "d=a.example", value), ErrSyntax)
		refused(t, "control character", edit("ARC-Message-Signature", "d=a.example", value), ErrSyntax)
	}
	for _, value := range []string{"d=", "d=example", "d=a..example", "d=legit.example(.evil.example", `d="a.example"`, "d=a.example x", "d=\u200ba.example", "d=" + strings.Repeat("a.", 150) + "example"} {
		refused(t, value, edit("ARC-Seal", "d=a.example", value), dkim.ErrDomain)
		refused(t, value, edit("ARC-Message-Signature", "d=a.example", value), dkim.ErrDomain)
	}
	refused(t, "NUL in s=", edit("ARC-Seal", " s=s", " s=s._domainkey.evil.example.\x00"), ErrSyntax)
	refused(t, "blank in s=", edit("ARC-Message-Signature", " s=s", " s=s s"), dkim.ErrDomain)
	refused(t, "too many tags", edit("ARC-Seal", "b=", strings.Repeat("x=;", 100)), ErrSyntax)
}

// TestOlderUncleanNames: nor is one asked in the search for the oldest pass.
func TestOlderUncleanNames(t *testing.T) {
	m := newMail(t).seal(station{domain: "a.example"})
	m.header[1].Value = strings.Replace(m.header[1].Value, "d=a.example", "d=a.example(.x", 1)
	m.drop("ARC-Seal").top("ARC-Seal", " i=1; a=ed25519-sha256; cv=none; d=a.example; s=s; b=")
	m.sign("a.example", m.sealed)
	got := m.seal(station{domain: "b.example"}).validate()
	if got.Result != Pass || got.OldestPass != 2 || !got.Sets[0].Signer.IsZero() {
		t.Errorf("got %s (%v), oldest pass %d, signer %q; want pass, 2, none", got.Result, got.Err, got.OldestPass, got.Sets[0].Signer)
	}
	for _, question := range m.zone.Questions() {
		if question != "TXT s._domainkey.a.example" && question != "TXT s._domainkey.b.example" {
			t.Errorf("asked %q", question)
		}
	}
}

// TestLookups: fifty sets with a hundred keys pass, with MaxLookups questions.
func TestLookups(t *testing.T) {
	m := newMail(t)
	for i := range MaxSets {
		m.seal(station{domain: fmt.Sprintf("seal%d.example", i), signer: fmt.Sprintf("ams%d.example", i)})
	}
	got := m.validate()
	// 50 seals and the newest message signature leave 13 to those of 49 to 37.
	if asked := len(m.zone.Questions()); got.Result != Pass || got.OldestPass != 37 || asked != MaxLookups {
		t.Errorf("got %s (%v), oldest pass %d, %d questions; want pass, 37, %d", got.Result, got.Err, got.OldestPass, asked, MaxLookups)
	}
}
