package policy

import (
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"

	"assay/verify"
	"assay/verify/arc"
	"assay/verify/dkim"
	"assay/verify/dmarc"
	"assay/verify/domain"
	"assay/verify/iprev"
	"assay/verify/message"
	"assay/verify/spf"
)

// TestCareful: each signal, and what comes close to one.
func TestCareful(t *testing.T) {
	check := func(what, want string, change func(*message.Message, *verify.Findings)) {
		t.Helper()
		m := &message.Message{}
		f := found(dmarc.Fail, dmarc.PolicyReject)
		f.DMARC.OrgDomain = example
		change(m, &f)
		rules := Rules{Enforce: true, OnReject: Careful, TrustedSealers: []domain.Name{domain.MustParse("sealer.example")}}
		v := rules.Decide(m, f)
		action := Reject
		if want != "[]" {
			action = Tag
		}
		if got := fmt.Sprint(v.Evidence); got != want || v.Action != action || v.Step != StepDMARC || v.Rule != "on_reject" {
			t.Errorf("%s: got %s, %s by %s; want %s", what, got, v.Action, v.Rule, want)
		}
	}
	type (
		M = message.Message
		F = verify.Findings
	)
	field := func(m *M, name, value string) {
		m.Header = append(m.Header, message.Field{Name: name, Value: " " + value})
	}
	signed := func(f *F, sdid string, result dkim.Result, err error) {
		f.DKIM = append(f.DKIM, dkim.Signature{SDID: domain.MustParse(sdid), Result: result, Err: err, HeaderIntact: err != nil && errors.Is(err, dkim.ErrBodyHash)})
	}
	chain := func(f *F, result arc.Result, sealer, signer string) {
		f.ARC = arc.Chain{Result: result, Sets: []arc.Set{{Instance: 1, Sealer: domain.MustParse(sealer), Signer: domain.MustParse(signer)}}}
	}
	sender := func(m *M, f *F, address string, result spf.Result) {
		m.Envelope = message.Envelope{Sender: address, Recipients: []string{"User@Rcpt.test"}}
		f.SPF = spf.Check{Result: result, Identity: spf.MailFrom, Domain: domain.MustParse("fwd.example")}
	}
	check("nothing", "[]", func(*M, *F) {})

	check("list signature", "[list-signature:list.example]", func(m *M, f *F) {
		signed(f, "list.example", dkim.Pass, nil)
		signed(f, "list.example", dkim.Pass, nil)
		field(m, "List-Id", "The <other> list <dev.list.example>")
	})
	check("by List-Post", "[list-signature:list.example]", func(m *M, f *F) {
		signed(f, "list.example", dkim.Pass, nil)
		field(m, "List-Post", "<MAILTO:dev@list.example?subject=x>")
	})
	check("by another", "[]", func(m *M, f *F) {
		signed(f, "other.example", dkim.Pass, nil)
		field(m, "List-Id", "<dev.list.example>")
	})
	check("failed", "[]", func(m *M, f *F) {
		signed(f, "list.example", dkim.Fail, dkim.ErrSignature)
		field(m, "List-Id", "<dev.list.example>")
	})
	check("no list", "[]", func(_ *M, f *F) { signed(f, "list.example", dkim.Pass, nil) })
	check("List-Id without brackets", "[]", func(m *M, f *F) {
		signed(f, "list.example", dkim.Pass, nil)
		field(m, "List-Id", "dev.list.example")
	})
	check("List-Post: NO", "[]", func(m *M, f *F) {
		signed(f, "list.example", dkim.Pass, nil)
		field(m, "List-Post", "NO")
	})
	check("fifth List-Id", "[]", func(m *M, f *F) {
		signed(f, "list.example", dkim.Pass, nil)
		for range maxListFields {
			field(m, "List-Id", "<dev.other.example>")
		}
		field(m, "List-Id", "<dev.list.example>")
	})

	check("list chain", "[list-chain:list.example]", func(m *M, f *F) {
		chain(f, arc.Pass, "list.example", "list.example")
		field(m, "List-Id", "<dev.list.example>")
	})
	check("failed chain", "[]", func(m *M, f *F) {
		chain(f, arc.Fail, "sealer.example", "list.example")
		field(m, "List-Id", "<dev.list.example>")
	})
	check("listed sealer", "[listed-sealer:sealer.example]", func(_ *M, f *F) { chain(f, arc.Pass, "sealer.example", "x.example") })
	loose := func(f *F, sealer, signer string) {
		chain(f, arc.Pass, sealer, signer)
		f.ARC.Caveat = dkim.ErrBodyLength
	}
	check("listed sealer, open to changes", "[]", func(_ *M, f *F) { loose(f, "sealer.example", "x.example") })
	check("list chain, open to changes", "[]", func(m *M, f *F) {
		loose(f, "list.example", "list.example")
		field(m, "List-Id", "<dev.list.example>")
	})
	check("sealer not listed", "[]", func(_ *M, f *F) { chain(f, arc.Pass, "other.example", "x.example") })

	check("srs", "[srs:fwd.example]", func(m *M, f *F) { sender(m, f, "SRS0=HHH=TT=example.com=user@fwd.example", spf.Pass) })
	check("srs with plus", "[srs:fwd.example]", func(m *M, f *F) { sender(m, f, "srs0+HHH=TT=example.com=user@fwd.example", spf.Pass) })
	check("srs1", "[srs:fwd.example]", func(m *M, f *F) {
		sender(m, f, "SRS1=HHH=first.example==HHH=TT=example.com=user@fwd.example", spf.Pass)
	})
	check("srs without spf", "[]", func(m *M, f *F) { sender(m, f, "SRS0=HHH=TT=example.com=user@fwd.example", spf.SoftFail) })
	check("srs without host", "[]", func(m *M, f *F) { sender(m, f, "SRS0=HHH=TT=user@fwd.example", spf.Pass) })
	check("srs of no host", "[]", func(m *M, f *F) { sender(m, f, "SRS0=HHH=TT=x y=user@fwd.example", spf.Pass) })
	check("srs without hash", "[]", func(m *M, f *F) { sender(m, f, "SRS0==TT=example.com=user@fwd.example", spf.Pass) })
	check("verp", "[verp:fwd.example]", func(m *M, f *F) { sender(m, f, "list-return-17-user=rcpt.test@fwd.example", spf.Pass) })
	check("verp of another", "[]", func(m *M, f *F) { sender(m, f, "list-return-17-other=rcpt.test@fwd.example", spf.Pass) })
	check("verp without list", "[]", func(m *M, f *F) { sender(m, f, "-user=rcpt.test@fwd.example", spf.Pass) })
	check("null sender", "[]", func(m *M, f *F) {
		sender(m, f, "", spf.Pass)
		f.SPF.NullSender = true
	})

	check("list key not there", "[unchecked:list.example]", func(m *M, f *F) {
		signed(f, "list.example", dkim.TempError, dkim.ErrLookup)
		field(m, "List-Id", "<dev.list.example>")
	})
	check("another's key not there", "[]", func(m *M, f *F) {
		signed(f, "other.example", dkim.TempError, dkim.ErrLookup)
		field(m, "List-Id", "<dev.list.example>")
	})
	unavailable := func(f *F, sealer string) {
		chain(f, arc.Fail, sealer, sealer)
		f.ARC.Err = fmt.Errorf("arc: %w", arc.ErrUnavailable)
	}
	check("key of a listed sealer not there", "[unchecked:sealer.example]", func(_ *M, f *F) { unavailable(f, "sealer.example") })
	check("key of another sealer not there", "[]", func(_ *M, f *F) { unavailable(f, "other.example") })
	check("key of a list chain not there", "[unchecked:list.example]", func(m *M, f *F) {
		unavailable(f, "list.example")
		field(m, "List-Id", "<dev.list.example>")
	})
	check("spf of srs not there", "[unchecked:fwd.example]", func(m *M, f *F) { sender(m, f, "SRS0=HHH=TT=example.com=user@fwd.example", spf.TempError) })
	check("spf of verp not there", "[unchecked:fwd.example]", func(m *M, f *F) { sender(m, f, "list-return-17-user=rcpt.test@fwd.example", spf.TempError) })
	check("spf of another not there", "[]", func(m *M, f *F) { sender(m, f, "user@fwd.example", spf.TempError) })
	check("name of a forwarder not there", "[unchecked]", func(_ *M, f *F) { f.Forwarded.Err = verify.ErrClientName })

	check("forwarder", "[forwarder]", func(_ *M, f *F) { f.Forwarded = verify.Forwarded{Name: "alumni"} })
	check("forwarder with a name", "[forwarder:fwd.example.edu]", func(_ *M, f *F) {
		f.Forwarded = verify.Forwarded{Name: "alumni"}
		f.IPRev = iprev.Evaluation{Result: iprev.Pass, Name: domain.MustParse("fwd.example.edu")}
	})

	edit := fmt.Errorf("dkim: %w", dkim.ErrBodyHash)
	check("list edit by List-Id", "[list-edit:example.com]", func(m *M, f *F) {
		signed(f, "example.com", dkim.Fail, edit)
		field(m, "List-Id", "<dev.list.example>")
	})
	check("list edit by subject", "[list-edit:mail.example.com]", func(m *M, f *F) {
		signed(f, "mail.example.com", dkim.Fail, edit)
		field(m, "Subject", "Re: RE: [dev] x")
	})
	check("no edit", "[]", func(m *M, f *F) {
		signed(f, "example.com", dkim.Fail, edit)
		field(m, "Subject", "x [dev]")
	})
	check("empty prefix", "[]", func(m *M, f *F) {
		signed(f, "example.com", dkim.Fail, edit)
		field(m, "Subject", "[] x")
	})
	check("no signature of the header", "[]", func(m *M, f *F) {
		signed(f, "example.com", dkim.Fail, edit)
		f.DKIM[0].HeaderIntact = false
		field(m, "List-Id", "<dev.list.example>")
	})
	check("another fault", "[]", func(m *M, f *F) {
		signed(f, "example.com", dkim.Fail, dkim.ErrSignature)
		field(m, "Subject", "[dev] x")
	})
	check("another's", "[]", func(m *M, f *F) {
		signed(f, "example.org", dkim.Fail, edit)
		field(m, "Subject", "[dev] x")
	})
}

// TestCarefulOutage: what only an outage hides is deferred where that is what
// outages get.
func TestCarefulOutage(t *testing.T) {
	m := &message.Message{Header: message.Header{{Name: "List-Id", Value: " <dev.list.example>"}}}
	f := found(dmarc.Fail, dmarc.PolicyReject)
	f.DKIM = []dkim.Signature{{SDID: domain.MustParse("list.example"), Result: dkim.TempError, Err: dkim.ErrLookup}}
	is := func(what string, on Action, want string) {
		t.Helper()
		v := (&Rules{Enforce: true, OnReject: Careful, OnTempError: on}).Decide(m, f)
		if got := strings.TrimSpace(fmt.Sprintf("%s %s %s", v.Action, v.Rule, v.Reply.Enhanced)); got != want {
			t.Errorf("%s: got %s, want %s", what, got, want)
		}
	}
	is("accepted outages", Accept, "tag on_reject")
	is("deferred outages", Defer, "defer on_temperror 4.7.0")
	f.Forwarded.Name = "alumni"
	is("something else speaks for it", Defer, "tag on_reject")
}

// TestEndlessSubject: a subject that is answered over and over costs no more
// than to read it.
func TestEndlessSubject(t *testing.T) {
	h := message.Header{{Name: "Subject", Value: " " + strings.Repeat("RE:", 30_000) + " [dev] x"}}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	if !prefixed(h) {
		t.Error("not seen")
	}
	runtime.ReadMemStats(&after)
	if took := after.TotalAlloc - before.TotalAlloc; took > 1<<20 {
		t.Errorf("%d bytes for a subject of %d", took, len(h[0].Value))
	}
}

// FuzzEvidence: no field and no envelope brings it down, and it never leads to
// more than a tag.
func FuzzEvidence(f *testing.F) {
	f.Add("The list <dev.list.example>", "<mailto:dev@list.example>", "Re: [dev] x", "SRS0=a=b=c.example=d@list.example", "d@r.test")
	f.Add("<", ">", "[", "@", "@")
	f.Add("", "", "re:re:", "SRS1", "x")
	f.Fuzz(func(t *testing.T, id, post, subject, sender, recipient string) {
		m := &message.Message{
			Header:   message.Header{{Name: "List-Id", Value: id}, {Name: "List-Post", Value: post}, {Name: "Subject", Value: subject}},
			Envelope: message.Envelope{Sender: sender, Recipients: []string{recipient}},
		}
		findings := found(dmarc.Fail, dmarc.PolicyReject)
		findings.SPF = spf.Check{Result: spf.Pass, Domain: domain.MustParse("list.example")}
		findings.DKIM = []dkim.Signature{{Result: dkim.Pass, SDID: domain.MustParse("list.example")}, {Result: dkim.Fail, SDID: example, Err: dkim.ErrBodyHash, HeaderIntact: true}}
		v := (&Rules{Enforce: true, OnReject: Careful}).Decide(m, findings)
		if (v.Action == Tag) != (len(v.Evidence) > 0) || v.Action != Tag && v.Action != Reject {
			t.Errorf("got %+v", v)
		}
	})
}
