package verify_test

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"testing"
	"time"

	"assay/dnscache/dnstest"
	"assay/verify"
	"assay/verify/dmarc"
	"assay/verify/domain"
	"assay/verify/message"
	"assay/verify/network"
	"assay/verify/spf"
)

func names(t *testing.T, patterns ...string) domain.Set {
	t.Helper()
	var all []domain.Pattern
	for _, text := range patterns {
		p, err := domain.ParsePattern(text)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
	return domain.NewSet(all...)
}

const forwardZone = zone + `
1.113.0.203.in-addr.arpa. PTR fwd.example.edu.
fwd.example.edu. A 203.0.113.1
2.113.0.203.in-addr.arpa. PTR fwd.example.edu.
9.113.0.203.in-addr.arpa. SERVFAIL
`

// TestForwarder: who counts as one, and when SPF is about its client.
func TestForwarder(t *testing.T) {
	type (
		F = verify.Forwarder
		M = message.Message
	)
	const written = " from out.example.com (out.example.com [192.0.2.7]) by fwd.example.edu with ESMTP; x"
	byName := F{Name: "alumni", Names: names(t, "fwd.example.edu"), Recipients: names(t, "example.org"), ReceivedFrom: true}
	byNetwork := F{Name: "alumni", Networks: network.NewSet(netip.MustParsePrefix("203.0.113.0/28")), Recipients: names(t, "example.org"), ReceivedFrom: true}
	check := func(what string, f F, want string, wantErr error, change func(*F, *M)) {
		t.Helper()
		m := &M{
			Connection: message.Connection{Addr: netip.MustParseAddr("203.0.113.1"), Helo: "fwd.example.edu"},
			Envelope:   message.Envelope{Sender: "a@example.com"},
			Header:     message.Header{{Name: "Received", Value: written}, {Name: "From", Value: " a@example.com"}},
		}
		recipients := []string{"one@example.org", "two@Example.ORG"}
		if change != nil {
			m.Envelope.Recipients = recipients
			change(&f, m)
			recipients = m.Envelope.Recipients
			m.Envelope.Recipients = nil
		}
		v := &verify.Verifier{Resolver: dnstest.MustParse(t, forwardZone), Now: time.Now, Budget: time.Minute, Forwarders: []F{
			{Name: "other", Networks: f.Networks, Names: f.Names, Recipients: names(t, "other.example")}, f}}
		run := v.Begin(context.Background(), &m.Connection, &m.Envelope)
		m.Envelope.Recipients = recipients // they come after MAIL
		run.Headers(m.Header)
		run.Body([]byte("Hello.\r\n"))
		found := run.Finish()
		got := fmt.Sprintf("%s spf=%s direct=%s dmarc=%s", found.Forwarded.Name, found.SPF.Result, found.Forwarded.Direct.Result, found.DMARC.Result)
		if got != want || !errors.Is(found.Forwarded.Err, wantErr) {
			t.Errorf("%s: got %s, %v", what, got, found.Forwarded.Err)
		}
	}
	const (
		used   = "alumni spf=pass direct=fail dmarc=pass"
		unused = "alumni spf=fail direct= dmarc=fail"
		none   = " spf=fail direct= dmarc=fail"
	)
	check("by name", byName, used, nil, nil)
	check("by network", byNetwork, used, nil, nil)
	check("received_from off", byName, unused, nil, func(f *F, _ *M) { f.ReceivedFrom = false })
	check("name not verified", byName, none, nil, func(_ *F, m *M) { m.Connection.Addr = netip.MustParseAddr("203.0.113.2") })
	check("name not to be had", byName, none, verify.ErrClientName, func(_ *F, m *M) { m.Connection.Addr = netip.MustParseAddr("203.0.113.9") })
	check("name not needed", byNetwork, used, nil, func(_ *F, m *M) { m.Connection.Addr = netip.MustParseAddr("203.0.113.9") })
	check("name not to be had, nor asked for", byNetwork, none, nil, func(f *F, m *M) {
		f.Networks = network.Set{}
		m.Connection.Addr = netip.MustParseAddr("203.0.113.9")
	})
	check("HELO is no name", byName, none, nil, func(_ *F, m *M) { m.Connection.Addr = netip.MustParseAddr("198.51.100.1") })
	check("other recipient", byName, none, nil, func(_ *F, m *M) { m.Envelope.Recipients[1] = "x@other.example" })
	check("no recipient", byName, none, nil, func(_ *F, m *M) { m.Envelope.Recipients = nil })
	check("no Received", byName, unused, verify.ErrReceived, func(_ *F, m *M) { m.Header = m.Header[1:] })
	check("another's Received", byName, unused, verify.ErrReceived, func(_ *F, m *M) {
		m.Header = append(message.Header{{Name: "Received", Value: " from a (b [192.0.2.7]) by other.example.edu"}}, m.Header...)
	})
	check("from within", byNetwork, unused, verify.ErrReceived, func(_ *F, m *M) {
		m.Header[0].Value = " from a (b [203.0.113.3]) by fwd.example.edu"
	})
	check("private", byNetwork, unused, verify.ErrReceived, func(_ *F, m *M) {
		m.Header[0].Value = " from a (b [10.0.0.1]) by fwd.example.edu"
	})
	check("loopback", byNetwork, unused, verify.ErrReceived, func(_ *F, m *M) {
		m.Header[0].Value = " from a (b [127.0.0.1]) by fwd.example.edu"
	})
	check("a client that may not send", byName, "alumni spf=fail direct=fail dmarc=fail", nil, func(_ *F, m *M) {
		m.Header[0].Value = " from a (b [198.51.100.9]) by fwd.example.edu"
	})
	const broken = " v=1; a=rsa-sha256; d=example.com; s=s; h=from; bh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=; b=AAAA"
	check("no key, not a failure", byName, used, nil, func(_ *F, m *M) {
		m.Header = append(m.Header, message.Field{Name: "DKIM-Signature", Value: broken})
	})
}

// TestForwarderAltered: where a signature failed, the forwarder's word about
// its client is not taken.
func TestForwarderAltered(t *testing.T) {
	const key = `s._domainkey.example.com. TXT "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="` + "\n"
	v := &verify.Verifier{Resolver: dnstest.MustParse(t, forwardZone+key), Now: time.Now, Budget: time.Minute, Forwarders: []verify.Forwarder{
		{Name: "alumni", Names: names(t, "fwd.example.edu"), Recipients: names(t, "example.org"), ReceivedFrom: true}}}
	c := message.Connection{Addr: netip.MustParseAddr("203.0.113.1"), Helo: "fwd.example.edu"}
	e := message.Envelope{Sender: "a@example.com", Recipients: []string{"x@example.org"}}
	run := v.Begin(context.Background(), &c, &e)
	run.Headers(message.Header{
		{Name: "Received", Value: " from a (b [192.0.2.7]) by fwd.example.edu"},
		{Name: "DKIM-Signature", Value: " v=1; a=ed25519-sha256; d=example.com; s=s; h=from; bh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=; b=AAAA"},
		{Name: "From", Value: " a@example.com"},
	})
	run.Body([]byte("Altered.\r\n"))
	f := run.Finish()
	if f.SPF.Result != spf.Fail || f.DMARC.Result != dmarc.Fail || f.Forwarded.Intact || !errors.Is(f.Forwarded.Err, verify.ErrAltered) {
		t.Errorf("spf=%s dmarc=%s %+v, dkim %+v", f.SPF.Result, f.DMARC.Result, f.Forwarded, f.DKIM)
	}
}

// TestEarlyQuestions: what is known of the envelope sender at MAIL.
func TestEarlyQuestions(t *testing.T) {
	v := &verify.Verifier{Resolver: dnstest.MustParse(t, forwardZone), Now: time.Now, Budget: time.Minute}
	c := message.Connection{Addr: netip.MustParseAddr("203.0.113.1"), Helo: "fwd.example.edu"}
	run := v.Begin(context.Background(), &c, &envelope)
	defer run.Cancel()
	if check, ok := run.MailFrom(time.Minute); !ok || check.Result != spf.Fail || check.Mechanism != "all" {
		t.Errorf("got %+v, %v", check, ok)
	}
	for name, want := range map[string]bool{"example.com": true, "a.example.com": true, "example.edu": false} {
		if got := run.Covered(domain.MustParse(name), time.Minute); got != want {
			t.Errorf("%s: covered %v", name, got)
		}
	}
	// A forwarder fails for a reason that is known.
	v.Forwarders = []verify.Forwarder{{Names: names(t, "fwd.example.edu"), Recipients: names(t, "example.org")}}
	forwarded := v.Begin(context.Background(), &c, &envelope)
	defer forwarded.Cancel()
	if check, ok := forwarded.MailFrom(time.Minute); ok {
		t.Errorf("forwarder: got %+v", check)
	}
	// One whose name does not come may be it.
	unnamed := message.Connection{Addr: netip.MustParseAddr("203.0.113.9"), Helo: "fwd.example.edu"}
	nameless := v.Begin(context.Background(), &unnamed, &envelope)
	defer nameless.Cancel()
	if check, ok := nameless.MailFrom(time.Minute); ok {
		t.Errorf("name not to be had: got %+v", check)
	}
	// What is not there in time says nothing.
	v.Resolver = stuck{v.Resolver, "example.com"}
	slow := v.Begin(context.Background(), &c, &envelope)
	defer slow.Cancel()
	if check, ok := slow.MailFrom(time.Millisecond); ok {
		t.Errorf("stuck: got %+v", check)
	}
	v.Resolver = stuck{dnstest.MustParse(t, forwardZone), "_dmarc.example.edu"}
	slower := v.Begin(context.Background(), &c, &envelope)
	defer slower.Cancel()
	if !slower.Covered(domain.MustParse("example.edu"), time.Millisecond) {
		t.Error("stuck: not covered")
	}
}
