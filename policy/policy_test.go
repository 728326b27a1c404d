package policy

import (
	"errors"
	"net/netip"
	"testing"
	"time"

	"assay/verify"
	"assay/verify/arc"
	"assay/verify/authres"
	"assay/verify/dmarc"
	"assay/verify/domain"
	"assay/verify/message"
	"assay/verify/network"
)

var (
	example = domain.MustParse("example.com")
	noon    = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
)

// names is a set of domains for a condition.
func names(patterns ...string) *domain.Set {
	var parsed []domain.Pattern
	for _, text := range patterns {
		p, err := domain.ParsePattern(text)
		if err != nil {
			panic(err)
		}
		parsed = append(parsed, p)
	}
	set := domain.NewSet(parsed...)
	return &set
}

// found returns the findings about a message of example.com with that DMARC result.
func found(result dmarc.Result, requested dmarc.Policy) verify.Findings {
	f := verify.Findings{Author: message.Author{Kind: message.AuthorValid, Domain: example}}
	f.DMARC = dmarc.Evaluation{Result: result, AuthorDomain: example, PolicyDomain: example, Requested: requested}
	return f
}

func TestDecide(t *testing.T) {
	check := func(name string, r Rules, f verify.Findings, action Action, d Disposition, o Override, reply string) {
		t.Helper()
		v := r.Decide(&message.Message{Received: noon}, f)
		got := ""
		if v.Reply.Code != 0 {
			got = v.Reply.String()
		}
		if v.Action != action || v.Disposition != d || v.Override != o || got != reply || v.Reason == "" {
			t.Errorf("%s: got %+v", name, v)
		}
	}
	strict := Rules{Enforce: true, OnReject: Reject, OnQuarantine: Hold, OnTempError: Defer}
	mild := Rules{Enforce: true, OnReject: Tag, OnQuarantine: Tag, OnTempError: Accept}
	failed := "550 5.7.26 Message failed the DMARC policy of its author domain example.com"
	deferred := "451 4.7.0 DMARC policy of the author domain is not available, try again later"

	for _, requested := range []dmarc.Policy{dmarc.PolicyNone, dmarc.PolicyQuarantine} {
		check("observing", Rules{OnReject: Reject, OnQuarantine: Reject, OnTempError: Defer}, found(dmarc.Fail, requested),
			Accept, DispositionNone, map[bool]Override{true: OverrideLocal}[requested != dmarc.PolicyNone], "")
	}
	check("observing", Rules{OnTempError: Defer}, found(dmarc.TempError, ""), Accept, DispositionNone, "", "")
	check("pass", strict, found(dmarc.Pass, dmarc.PolicyReject), Accept, DispositionPass, "", "")
	check("pass under none", strict, found(dmarc.Pass, dmarc.PolicyNone), Accept, DispositionNone, "", "")
	check("no record", strict, found(dmarc.None, ""), Accept, DispositionNone, "", "")
	// RFC 9989 §5.4: p=none changes nothing.
	check("fail, none", strict, found(dmarc.Fail, dmarc.PolicyNone), Accept, DispositionNone, "", "")
	check("fail, quarantine", strict, found(dmarc.Fail, dmarc.PolicyQuarantine), Hold, DispositionQuarantine, "", "")
	check("fail, reject", strict, found(dmarc.Fail, dmarc.PolicyReject), Reject, DispositionReject, "", failed)
	check("fail, reject, mild", mild, found(dmarc.Fail, dmarc.PolicyReject), Tag, DispositionQuarantine, OverrideLocal, "")
	check("fail, quarantine, mild", mild, found(dmarc.Fail, dmarc.PolicyQuarantine), Tag, DispositionQuarantine, "", "")
	// RFC 9989 §5.3.6: an outage is not a failure.
	check("temperror", strict, found(dmarc.TempError, ""), Defer, DispositionNone, "", deferred)
	check("temperror, mild", mild, found(dmarc.TempError, ""), Accept, DispositionNone, "", "")
	check("permerror", strict, found(dmarc.PermError, ""), Accept, DispositionNone, "", "")

	testing := found(dmarc.Fail, dmarc.PolicyQuarantine)
	testing.DMARC.TestMode = true
	check("t=y", strict, testing, Hold, DispositionQuarantine, OverrideTestMode, "")
}

func TestExceptions(t *testing.T) {
	rules := Rules{Enforce: true, OnReject: Reject, Exceptions: []Rule{
		{Match: Match{AuthorDomains: names("other.example")}, Action: Reject, Reason: "other"},
		{Match: Match{AuthorDomains: names("example.com")}, Action: Tag, Reason: "ended", Until: noon},
		{Match: Match{AuthorDomains: names("example.com")}, Action: Accept, Reason: "ticket", Until: noon.Add(1)},
		{Match: Match{AuthorDomains: names("example.com")}, Action: Reject, Reason: "later ones do not count"},
	}}
	m := &message.Message{Received: noon}
	if v := rules.Decide(m, found(dmarc.Fail, dmarc.PolicyReject)); v.Action != Accept || v.Reason != "exception: ticket" || v.Override != OverrideLocal {
		t.Errorf("got %+v", v)
	}
	m.Received = noon.Add(1)
	if v := rules.Decide(m, found(dmarc.Pass, "")); v.Action != Reject || v.Reply.Enhanced != "5.7.1" {
		t.Errorf("after the end: %+v", v)
	}
	rules.Enforce = false
	if v := rules.Decide(m, found(dmarc.Fail, dmarc.PolicyReject)); v.Action != Accept {
		t.Errorf("observing: %+v", v)
	}
}

func TestExempt(t *testing.T) {
	check := func(want string, r Rules, addr string, login string) {
		t.Helper()
		c := &message.Connection{}
		if addr != "" {
			c.Addr = netip.MustParseAddr(addr)
		}
		if got := r.Exempt(c, &message.Envelope{Authenticated: login}); got != want {
			t.Errorf("%s, %q: got %q, want %q", addr, login, got, want)
		}
	}
	rules := Rules{ExemptAuthenticated: true, ExemptNetworks: network.NewSet(netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128"))}
	check("network", rules, "127.0.0.1", "")
	check("network", rules, "::1", "")
	check("", rules, "128.0.0.1", "")
	check("", rules, "::2", "")
	check("", rules, "", "")
	check("authenticated", rules, "192.0.2.7", "user")
	check("authenticated", rules, "", "user")
	check("", Rules{}, "127.0.0.1", "user")
}

// TestInvalidAuthor: RFC 9989 §11.5: a message without one author is not let
// through unmarked.
func TestInvalidAuthor(t *testing.T) {
	f := verify.Findings{Author: message.Author{Kind: message.AuthorMultipleFields, Err: message.ErrManyFields}}
	f.DMARC = dmarc.Invalid(errors.New("x"))
	for _, action := range []Action{Reject, Hold, Tag, Accept} {
		rules := Rules{Enforce: true, OnInvalidAuthor: action}
		v := rules.Decide(&message.Message{}, f)
		if v.Action != action || v.Reason != "author multiple-fields" {
			t.Errorf("got %+v", v)
		}
		if refused := v.Reply.String() == "550 5.7.1 Message refused: it does not name one author domain"; refused != (action == Reject) {
			t.Errorf("%s: %v", action, v.Reply)
		}
	}
}

// TestTrustedSealer: only the passing chain of a listed sealer who says that
// the author passed overrides a failure, and it says so.
func TestTrustedSealer(t *testing.T) {
	sealer := domain.MustParse("lists.example.net")
	chain := arc.Chain{Result: arc.Pass, Sets: []arc.Set{{
		Instance: 1, Sealer: sealer, Signer: sealer,
		Results: authres.Field{Results: []authres.Result{{Method: "dmarc", Value: "pass", Props: []authres.Prop{{Type: "header", Name: "from", Value: "example.com"}}}}},
	}}}
	check := func(name string, sealers []domain.Name, change func(*verify.Findings), want Action, note string) {
		t.Helper()
		rules := Rules{Enforce: true, OnReject: Reject, TrustedSealers: sealers}
		f := found(dmarc.Fail, dmarc.PolicyReject)
		f.ARC = chain
		if change != nil {
			change(&f)
		}
		v := rules.Decide(&message.Message{}, f)
		if v.Action != want || v.Note != note || note != "" && (v.Override != OverrideLocal || v.Disposition != DispositionNone) {
			t.Errorf("%s: got %+v", name, v)
		}
	}
	listed := []domain.Name{sealer}
	check("listed", listed, nil, Accept, "arc=pass as[1].d=lists.example.net")
	check("not listed", nil, nil, Reject, "")
	check("failed chain", listed, func(f *verify.Findings) { f.ARC.Result = arc.Fail }, Reject, "")
	check("other author", listed, func(f *verify.Findings) { f.DMARC.AuthorDomain = domain.MustParse("example.org") }, Reject, "")
	check("nothing to override", listed, func(f *verify.Findings) { f.DMARC.Requested = dmarc.PolicyNone }, Accept, "")
	check("pass", listed, func(f *verify.Findings) { f.DMARC.Result = dmarc.Pass }, Accept, "")
}
