package policy

import (
	"fmt"
	"net/netip"
	"reflect"
	"strings"
	"testing"

	"assay/verify"
	"assay/verify/arc"
	"assay/verify/dkim"
	"assay/verify/dmarc"
	"assay/verify/domain"
	"assay/verify/iprev"
	"assay/verify/message"
	"assay/verify/network"
	"assay/verify/spf"
)

// sample returns a message and findings that every condition of TestMatch is
// about.
func sample() (*message.Message, verify.Findings) {
	m := &message.Message{
		Connection: message.Connection{Addr: netip.MustParseAddr("192.0.2.7"), Helo: "Out.Example.net", TLS: true},
		Envelope:   message.Envelope{Sender: "a@mail.example.org", Recipients: []string{"B@Rcpt.test"}},
		Received:   noon,
	}
	f := found(dmarc.Fail, dmarc.PolicyNone)
	f.SPF = spf.Check{Result: spf.SoftFail, Domain: domain.MustParse("mail.example.org")}
	f.IPRev = iprev.Evaluation{Result: iprev.Pass, Name: domain.MustParse("host.example.net")}
	f.DKIM = []dkim.Signature{
		{Result: dkim.Fail, SDID: example},
		{Result: dkim.Pass, SDID: domain.MustParse("bulk.example")},
	}
	f.ARC = arc.Chain{Result: arc.None}
	return m, f
}

func networks(texts ...string) *network.Set {
	var all []netip.Prefix
	for _, text := range texts {
		all = append(all, netip.MustParsePrefix(text))
	}
	set := network.NewSet(all...)
	return &set
}

func pointer[T any](value T) *T { return &value }

func TestMatch(t *testing.T) {
	check := func(what string, want bool, match Match, change ...func(*message.Message, *verify.Findings)) {
		t.Helper()
		m, f := sample()
		for _, c := range change {
			c(m, &f)
		}
		rules := Rules{Enforce: true, Rules: []Rule{{Name: "1", Match: match, Action: Hold, Reason: "x"}}}
		if v := rules.Decide(m, f); (v.Step == StepRule && v.Action == Hold) != want {
			t.Errorf("%s: got %s by %s, want a match %v", what, v.Action, v.Step, want)
		}
	}
	check("nothing stated", true, Match{})
	check("network", true, Match{Networks: networks("192.0.2.0/24")})
	check("other network", false, Match{Networks: networks("198.51.100.0/24")})
	check("unknown client", false, Match{Networks: networks("0.0.0.0/0", "::/0")}, func(m *message.Message, _ *verify.Findings) { m.Connection.Addr = netip.Addr{} })
	check("empty list", false, Match{Networks: networks()})
	check("client name", true, Match{ClientNames: names(".example.net")})
	check("client name itself", false, Match{ClientNames: names("example.net")})
	check("client name not verified", false, Match{ClientNames: names(".example.net")}, func(_ *message.Message, f *verify.Findings) { f.IPRev.Result = iprev.Fail })
	check("helo", true, Match{Helo: names("out.example.net")})
	check("helo literal", false, Match{Helo: names("out.example.net")}, func(m *message.Message, _ *verify.Findings) { m.Connection.Helo = "[192.0.2.7]" })
	check("envelope sender", true, Match{EnvelopeSenders: names(".example.org")})
	check("null sender", false, Match{EnvelopeSenders: names(".example.org")}, func(_ *message.Message, f *verify.Findings) { f.SPF.NullSender = true })
	check("author domain", true, Match{AuthorDomains: names("example.com")})
	check("other author domain", false, Match{AuthorDomains: names(".example.com")})
	check("sdid", true, Match{SDIDs: names("bulk.example")})
	check("sdid that failed", false, Match{SDIDs: names("example.com")})
	check("spf", true, Match{SPF: []spf.Result{spf.Fail, spf.SoftFail}})
	check("other spf", false, Match{SPF: []spf.Result{spf.Fail}})
	check("dkim", true, Match{DKIM: []dkim.Result{dkim.Fail}})
	check("dkim none", false, Match{DKIM: []dkim.Result{dkim.None}})
	check("dkim none", true, Match{DKIM: []dkim.Result{dkim.None}}, func(_ *message.Message, f *verify.Findings) { f.DKIM = nil })
	check("arc", true, Match{ARC: []arc.Result{arc.None}})
	check("arc off", false, Match{ARC: []arc.Result{arc.None}}, func(_ *message.Message, f *verify.Findings) { f.ARC = arc.Chain{} })
	check("dmarc", true, Match{DMARC: []dmarc.Result{dmarc.Fail}})
	check("other dmarc", false, Match{DMARC: []dmarc.Result{dmarc.Pass}})
	check("requested", true, Match{Requested: []dmarc.Policy{dmarc.PolicyNone}})
	check("author", true, Match{Authors: []message.AuthorKind{message.AuthorValid}})
	check("other author", false, Match{Authors: []message.AuthorKind{message.AuthorMissing}})
	check("tls", true, Match{TLS: pointer(true)})
	check("no tls", false, Match{TLS: pointer(false)})
	check("authenticated", false, Match{Authenticated: pointer(true)})
	check("not authenticated", true, Match{Authenticated: pointer(false)})
	check("mailbox", true, Match{Recipients: NewRecipients([]string{"b@rcpt.TEST"}, domain.Set{})})
	for _, same := range []string{`"b"@rcpt.test`, `"\b"@Rcpt.Test`, "@relay.example:b@rcpt.test", `@a.example,@b.example:"B"@rcpt.test`} {
		to := func(m *message.Message, _ *verify.Findings) { m.Envelope.Recipients = []string{same} }
		check("mailbox as "+same, true, Match{Recipients: NewRecipients([]string{"b@rcpt.test"}, domain.Set{})}, to)
		check("domain as "+same, true, Match{Recipients: NewRecipients(nil, *names("rcpt.test"))}, to)
	}
	for _, other := range []string{`""b"@rcpt.test`, `"b@rcpt.test`, `b"@rcpt.test`, `"@rcpt.test`, "relay.example:b@rcpt.test", "@relay.example:b", `"b\"@rcpt.test`} {
		check("mailbox as "+other, false, Match{Recipients: NewRecipients([]string{"b@rcpt.test"}, domain.Set{})},
			func(m *message.Message, _ *verify.Findings) { m.Envelope.Recipients = []string{other} })
	}
	check("other mailbox", false, Match{Recipients: NewRecipients([]string{"c@rcpt.test"}, domain.Set{})})
	check("recipient domain", true, Match{Recipients: NewRecipients(nil, *names("rcpt.test"))})
	check("recipient is none", false, Match{Recipients: NewRecipients(nil, *names("rcpt.test"))}, func(m *message.Message, _ *verify.Findings) { m.Envelope.Recipients = []string{"postmaster"} })
	check("no recipient", false, Match{Recipients: NewRecipients(nil, *names("rcpt.test"))}, func(m *message.Message, _ *verify.Findings) { m.Envelope.Recipients = nil })
	check("all of several", true, Match{SPF: []spf.Result{spf.SoftFail}, Helo: names("out.example.net"), TLS: pointer(true)})
	check("all but one", false, Match{SPF: []spf.Result{spf.SoftFail}, Helo: names("out.example.net"), TLS: pointer(false)})
}

// TestChain: the order of the steps, and the names they leave.
func TestChain(t *testing.T) {
	invalid := verify.Findings{Author: message.Author{Kind: message.AuthorMissing}, DMARC: dmarc.Invalid(message.ErrNoField)}
	failed := found(dmarc.Fail, dmarc.PolicyReject)
	failed.SPF = spf.Check{Result: spf.Fail, Domain: example}
	soft := found(dmarc.None, "")
	soft.SPF = spf.Check{Result: spf.SoftFail, Domain: example}
	full := Rules{
		Enforce: true, OnReject: Hold, OnQuarantine: Tag, OnInvalidAuthor: Reject, OnTempError: Defer, OnSPFFail: Reject, OnSPFSoftFail: Tag,
		Exceptions: []Rule{{Name: "1", Match: Match{EnvelopeSenders: names("except.example")}, Action: Accept, Reason: "x"}},
		Rules:      []Rule{{Name: "bad", Match: Match{Helo: names("bad.example")}, Action: Reject, Reason: "x", Reply: Reply{550, "5.7.25", "Go\naway"}}},
	}
	check := func(what string, f verify.Findings, change func(*Rules, *message.Message, *verify.Findings), want string) {
		t.Helper()
		m, rules := &message.Message{Received: noon}, full
		if change != nil {
			change(&rules, m, &f)
		}
		v := rules.Decide(m, f)
		got := fmt.Sprintf("%s %s %s", v.Action, v.Step, v.Rule)
		if v.Reply.Code != 0 {
			got += " " + v.Reply.String()[:9]
		}
		if got != want {
			t.Errorf("%s: got %q, want %q", what, got, want)
		}
	}
	except := func(_ *Rules, m *message.Message, f *verify.Findings) {
		m.Connection.Helo = "bad.example"
		f.SPF.Domain = domain.MustParse("except.example")
	}
	bad := func(_ *Rules, m *message.Message, _ *verify.Findings) { m.Connection.Helo = "bad.example" }
	check("author before exceptions", invalid, except, "reject invalid-author on_invalid_author 550 5.7.1")
	check("exception before rules", failed, except, "accept exception 1")
	check("rule before dmarc", failed, bad, "reject rule bad 550 5.7.2")
	check("dmarc before spf", failed, nil, "hold dmarc on_reject")
	check("quarantine", found(dmarc.Fail, dmarc.PolicyQuarantine), nil, "tag dmarc on_quarantine")
	check("pass hides spf", failed, func(_ *Rules, _ *message.Message, f *verify.Findings) { f.DMARC.Result = dmarc.Pass }, "accept dmarc ")
	check("outage hides spf", failed, func(_ *Rules, _ *message.Message, f *verify.Findings) { f.DMARC.Result = dmarc.TempError }, "defer dmarc on_temperror 451 4.7.0")
	check("spf under p=none", failed, func(_ *Rules, _ *message.Message, f *verify.Findings) { f.DMARC.Requested = dmarc.PolicyNone }, "reject spf on_fail 550 5.7.2")
	forwarded := func(intact bool) func(*Rules, *message.Message, *verify.Findings) {
		return func(_ *Rules, _ *message.Message, f *verify.Findings) {
			f.Forwarded = verify.Forwarded{Name: "alumni", Intact: intact}
		}
	}
	check("spf of a forwarder", soft, forwarded(true), "accept accept ")
	check("spf of one that altered it", soft, forwarded(false), "tag spf on_softfail")
	unsure := func(_ *Rules, _ *message.Message, f *verify.Findings) { f.Forwarded.Err = verify.ErrClientName }
	check("spf of what may be a forwarder", soft, unsure, "defer spf on_temperror 451 4.7.1")
	check("and is not acted on anyway", soft, func(r *Rules, m *message.Message, f *verify.Findings) {
		unsure(r, m, f)
		r.OnSPFSoftFail = Accept
	}, "accept accept ")
	check("spf softfail", soft, nil, "tag spf on_softfail")
	check("spf not set", soft, func(r *Rules, _ *message.Message, _ *verify.Findings) { r.OnSPFSoftFail = "" }, "accept accept ")
	check("rule on invalid author", invalid, func(r *Rules, m *message.Message, f *verify.Findings) {
		r.OnInvalidAuthor = Accept
		bad(r, m, f)
	}, "reject rule bad 550 5.7.2")
	check("observing", failed, func(r *Rules, _ *message.Message, _ *verify.Findings) { r.Enforce = false }, "accept dmarc on_reject")
}

// TestRecipients: the mildest of what the recipients' rules say is done, and
// who asked for more is named.
func TestRecipients(t *testing.T) {
	to := func(mailbox string) Match { return Match{Recipients: NewRecipients([]string{mailbox}, domain.Set{})} }
	rules := Rules{Enforce: true, OnReject: Defer,
		Exceptions: []Rule{{Name: "1", Match: to("free@r.test"), Action: Accept, Reason: "x"}},
		Rules: []Rule{
			{Name: "1", Match: to("strict@r.test"), Action: Reject, Reason: "x"},
			{Name: "2", Match: to("tag@r.test"), Action: Tag, Reason: "x"},
			{Name: "3", Match: to("strict@r.test"), Action: Accept, Reason: "too late"},
		}}
	check := func(recipients, action, by, asked, matched string) {
		t.Helper()
		m := &message.Message{Received: noon}
		for _, local := range strings.Fields(recipients) {
			m.Envelope.Recipients = append(m.Envelope.Recipients, local+"@r.test")
		}
		v := rules.Decide(m, found(dmarc.Fail, dmarc.PolicyReject))
		var who, hits []string
		for _, a := range v.Asked {
			who = append(who, fmt.Sprintf("%s:%s:%s", strings.TrimSuffix(a.String(), "@r.test"), a.Step, a.Rule))
		}
		for _, d := range v.Matched {
			hits = append(hits, fmt.Sprintf("%s:%s", d.Step, d.Rule))
		}
		if got := fmt.Sprintf("%s:%s", v.Step, v.Rule); string(v.Action) != action || got != by ||
			strings.Join(who, " ") != asked || strings.Join(hits, " ") != matched {
			t.Errorf("%s: got %s by %s, asked %q, matched %q", recipients, v.Action, got, who, hits)
		}
	}
	check("strict", "reject", "rule:1", "", "rule:1")
	check("strict strict", "reject", "rule:1", "", "rule:1")
	check("strict other", "defer", "dmarc:on_reject", "strict@r.test=reject:rule:1", "rule:1")
	check("other strict tag", "tag", "rule:2", "other@r.test=defer:dmarc:on_reject strict@r.test=reject:rule:1", "rule:1 rule:2")
	check("strict free tag", "accept", "exception:1", "strict@r.test=reject:rule:1 tag@r.test=tag:rule:2", "rule:1 exception:1 rule:2")
	check("tag tag", "tag", "rule:2", "", "rule:2")
	check("", "defer", "dmarc:on_reject", "", "")
}

// TestShares: who is in at a share is in at every larger one, and the shares
// are about as large as they say.
func TestShares(t *testing.T) {
	const domains = 2000
	counts := map[int]int{}
	for i := range domains {
		name := domain.MustParse(fmt.Sprintf("d%d.example", i))
		f := found(dmarc.Fail, dmarc.PolicyReject)
		f.Author.Domain, f.DMARC.AuthorDomain = name, name
		acted := true
		for _, spared := range []int{0, 10, 30, 50, 90, 99, 100} {
			v := (&Rules{Enforce: true, OnReject: Reject, Spared: spared, Key: "mx.example.org"}).Decide(&message.Message{}, f)
			rule := Rules{Enforce: true, OnReject: Accept, Key: "mx.example.org", Rules: []Rule{{Name: "r", Action: Reject, Spared: spared, Reason: "x"}}}
			w := rule.Decide(&message.Message{}, f)
			is := v.Action == Reject
			if is != (w.Action == Reject) || is != (v.Would == Decision{}) || is != (w.Would == Decision{}) {
				t.Fatalf("%s at %d: %+v, rule %+v", name, spared, v, w)
			}
			if is && !acted {
				t.Fatalf("%s is spared at less than %d and not there", name, spared)
			}
			if acted = is; is {
				counts[spared]++
			}
		}
	}
	for spared, count := range counts {
		if want := domains * (100 - spared) / 100; count < want-domains/20 || count > want+domains/20 {
			t.Errorf("%d%% spared: acted on %d of %d", spared, count, domains)
		}
	}
	if counts[0] != domains || counts[100] != 0 {
		t.Errorf("at the ends: %v", counts)
	}
	// Another site has others.
	a, b := Rules{Key: "a"}, Rules{Key: "b"}
	same := 0
	for i := range 100 {
		if key := fmt.Sprint(i); a.spared(50, key) == b.spared(50, key) {
			same++
		}
	}
	if same > 80 {
		t.Errorf("two keys agree on %d of 100", same)
	}
}

// TestShareKey: a message without an author is in or out by its first recipient,
// one with several authors by the one whose result counts.
func TestShareKey(t *testing.T) {
	key := func(want string, f verify.Findings, recipients ...string) {
		t.Helper()
		m := &message.Message{Envelope: message.Envelope{Recipients: recipients}}
		if got := newSubject(m, &f).key(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	author := verify.Findings{Author: message.Author{Domain: example}}
	key("example.com", author, "a@r.test")
	key("example.com", verify.Findings{DMARC: dmarc.Evaluation{AuthorDomain: example}}, "a@r.test")
	key("a@r.test", verify.Findings{}, "A@r.Test", "b@r.test")
	key("", verify.Findings{})
}

// TestObserved: what is only observed adds no field and overrides nothing.
func TestObserved(t *testing.T) {
	rules := Rules{Rules: []Rule{{Name: "1", Match: Match{AuthorDomains: names("example.com")}, Action: Reject, Reason: "x",
		Reply: Reply{550, "5.7.1", "Go"}, Header: message.Field{Name: "X-Mark", Value: "y"}}}}
	v := rules.Decide(&message.Message{}, found(dmarc.Fail, dmarc.PolicyReject))
	if v.Action != Accept || v.Header.Name != "" || v.Note != "" || v.Reply != (Reply{}) || v.Would != (Decision{Reject, StepRule, "1"}) {
		t.Errorf("got %+v", v)
	}
}

// TestWould: what would be done is what all recipients together would get, if
// everything were enforced.
func TestWould(t *testing.T) {
	to := func(mailbox string) Match { return Match{Recipients: NewRecipients([]string{mailbox}, domain.Set{})} }
	check := func(what string, r Rules, recipients, action, would string) {
		t.Helper()
		m := &message.Message{Received: noon}
		for _, local := range strings.Fields(recipients) {
			m.Envelope.Recipients = append(m.Envelope.Recipients, local+"@r.test")
		}
		v := r.Decide(m, found(dmarc.Fail, dmarc.PolicyReject))
		if got := strings.TrimSpace(fmt.Sprintf("%s %s %s", v.Would.Action, v.Would.Step, v.Would.Rule)); string(v.Action) != action || got != would {
			t.Errorf("%s: %s, would be %q, want %s and %q", what, v.Action, got, action, would)
		}
	}
	strict := Rule{Name: "strict", Match: to("a@r.test"), Action: Reject, Reason: "x", Spared: 100}
	mild := Rule{Name: "mild", Match: to("a@r.test"), Action: Accept, Reason: "x", Spared: 100}
	rules := func(enforce bool, on Action, all ...Rule) Rules {
		return Rules{Enforce: enforce, OnReject: on, Rules: all}
	}
	check("one", rules(true, Tag, strict), "a", "tag", "reject rule strict")
	check("another is judged as mildly as before", rules(true, Tag, strict), "a b", "tag", "")
	check("another comes first", rules(true, Tag, strict), "b a", "tag", "")
	check("a mild rule, for one of two", rules(true, Reject, mild), "b a", "reject", "accept rule mild")
	check("behind another", rules(true, Reject, mild, strict), "a", "reject", "accept rule mild")
	check("observing", rules(false, Tag, strict), "a", "accept", "reject rule strict")
	check("observing what would be accepted", rules(false, Reject, mild), "a", "accept", "")
	check("observing, nothing spared", rules(false, Reject), "a", "accept", "reject dmarc on_reject")
}

// TestPure: the same arguments give the same verdict, whoever else is asking,
// and are left as they were.
func TestPure(t *testing.T) {
	m, f := sample()
	m.Envelope.Recipients = []string{"a@r.test", "b@r.test", "c@r.test"}
	f.DMARC.Requested = dmarc.PolicyReject
	f.DKIM[1].SDID = domain.MustParse("l.example")
	m.Header = message.Header{{Name: "List-Id", Value: " <x.l.example>"}}
	rules := &Rules{Enforce: true, OnReject: Careful, Spared: 50, Key: "k", OnSPFFail: Reject,
		Rules: []Rule{
			{Name: "1", Match: Match{Recipients: NewRecipients([]string{"a@r.test"}, domain.Set{})}, Action: Hold, Reason: "x", Spared: 40},
			{Name: "2", Match: Match{Recipients: NewRecipients([]string{"b@r.test"}, domain.Set{})}, Action: Reject, Reason: "x"},
		}}
	want := rules.Decide(m, f)
	results := make(chan Verdict)
	const callers = 50
	for range callers {
		go func() { results <- rules.Decide(m, f) }()
	}
	for range callers {
		if got := <-results; !reflect.DeepEqual(got, want) {
			t.Fatalf("got %+v, want %+v", got, want)
		}
	}
	m2, f2 := sample()
	m2.Envelope.Recipients, m2.Header = m.Envelope.Recipients, m.Header
	f2.DMARC.Requested, f2.DKIM[1].SDID = dmarc.PolicyReject, f.DKIM[1].SDID
	if !reflect.DeepEqual(m, m2) || !reflect.DeepEqual(f, f2) {
		t.Error("Decide changed its arguments")
	}
}

// TestFallBack: what would be refused is tagged; the rest stays.
func TestFallBack(t *testing.T) {
	f := found(dmarc.Fail, dmarc.PolicyReject)
	rules := Rules{Enforce: true, OnReject: Reject}
	v := rules.Decide(&message.Message{}, f).FallBack(f)
	if v.Action != Tag || v.Disposition != DispositionQuarantine || v.Override != OverrideLocal || v.Reply != (Reply{}) ||
		v.Would != (Decision{Reject, StepDMARC, "on_reject"}) {
		t.Errorf("got %+v", v)
	}
	rules.OnReject = Hold
	if v := rules.Decide(&message.Message{}, f); !reflect.DeepEqual(v, v.FallBack(f)) {
		t.Errorf("hold became %+v", v.FallBack(f))
	}
}

// TestEarly: at MAIL only what nothing later could save.
func TestEarly(t *testing.T) {
	fail := spf.Check{Result: spf.Fail, Mechanism: "all", Domain: example, Identity: spf.MailFrom}
	check := func(what string, want bool, change func(*Rules, *message.Message, *spf.Check)) {
		t.Helper()
		rules := Rules{Enforce: true, OnSPFFail: Reject, SPFEarly: true, Rules: []Rule{
			{Name: "1", Match: Match{Helo: names("friend.example")}, Action: Accept, Reason: "x"}}}
		m, c := &message.Message{Received: noon}, fail
		if change != nil {
			change(&rules, m, &c)
		}
		v, refuse := rules.Early(m, c)
		if refuse != want || want && (v.Action != Reject || v.Reply.Enhanced != "5.7.23" || v.Step != StepSPF) {
			t.Errorf("%s: got %v %+v", what, refuse, v)
		}
	}
	check("-all", true, nil)
	check("off", false, func(r *Rules, _ *message.Message, _ *spf.Check) { r.SPFEarly = false })
	check("observing", false, func(r *Rules, _ *message.Message, _ *spf.Check) { r.Enforce = false })
	check("in part", false, func(r *Rules, _ *message.Message, _ *spf.Check) { r.Spared = 1 })
	check("tagged later", false, func(r *Rules, _ *message.Message, _ *spf.Check) { r.OnSPFFail = Tag })
	check("another mechanism", false, func(_ *Rules, _ *message.Message, c *spf.Check) { c.Mechanism = "ip4" })
	check("softfail", false, func(_ *Rules, _ *message.Message, c *spf.Check) { c.Result = spf.SoftFail })
	check("null sender", false, func(_ *Rules, _ *message.Message, c *spf.Check) { c.NullSender = true })
	check("a rule may save it", false, func(_ *Rules, m *message.Message, _ *spf.Check) { m.Connection.Helo = "friend.example" })
	check("a rule for recipients may", false, func(r *Rules, _ *message.Message, _ *spf.Check) {
		r.Exceptions = []Rule{{Match: Match{Recipients: NewRecipients([]string{"a@r.test"}, domain.Set{})}, Action: Accept}}
	})
	check("one for a name of the client, which is not there yet, may", false, func(r *Rules, _ *message.Message, _ *spf.Check) {
		r.Exceptions = []Rule{{Match: Match{ClientNames: names("fwd.example")}, Action: Accept}}
	})
	check("one for another network does not", true, func(r *Rules, _ *message.Message, _ *spf.Check) {
		r.Exceptions = []Rule{{Match: Match{Networks: &network.Set{}, AuthorDomains: names("example.com")}, Action: Accept}}
	})
	check("one that has ended does not", true, func(r *Rules, _ *message.Message, _ *spf.Check) {
		r.Exceptions = []Rule{{Match: Match{AuthorDomains: names("example.com")}, Action: Accept, Until: noon}}
	})
}
