package filter_test

import (
	"net/netip"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"assay/filter"
	"assay/filter/miltertest"
	"assay/policy"
	"assay/verify/domain"
	"assay/verify/network"
)

var reference = regexp.MustCompile(` \(ref ([0-9A-HJKMNP-TV-Z]{4}(?:-[0-9A-HJKMNP-TV-Z]{4}){2})\)$`)

// unreferenced is a refusal without our reference, which differs every time.
func unreferenced(reply string) string { return reference.ReplaceAllString(reply, "") }

// recorder keeps what it is told of.
type recorder struct {
	mu   sync.Mutex
	all  []filter.Outcome
	hurt bool // it breaks
}

func (r *recorder) Record(o *filter.Outcome) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.all = append(r.all, *o)
	if r.hurt {
		panic("the recorder broke")
	}
}

func (r *recorder) last(t *testing.T) filter.Outcome {
	t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.all) == 0 {
		t.Fatal("nothing was recorded")
	}
	return r.all[len(r.all)-1]
}

// TestReference: what a sender is told leads to the line in the log.
func TestReference(t *testing.T) {
	replies := map[policy.Action]policy.Reply{
		policy.Reject: {Code: 550, Enhanced: "5.7.1", Text: "first\nsecond"},
		policy.Defer:  {Code: 450, Enhanced: "4.7.1", Text: "first\nsecond"},
	}
	for action, reply := range replies {
		rec := &recorder{}
		set := network.NewSet(netip.MustParsePrefix("0.0.0.0/0"))
		s := startZone(t, func(s *filter.Settings) {
			s.Recorder = rec
			s.Rules = &policy.Rules{Enforce: true, Rules: []policy.Rule{{Name: "all", Match: policy.Match{Networks: &set}, Action: action, Reason: "a test", Reply: reply}}}
		})
		c := s.dial(t, miltertest.Postfix())
		out := deliver(t, c, mail())
		again := deliver(t, c, mail())
		quit(t, c)
		found := reference.FindStringSubmatch(out.SMTP)
		if found == nil || strings.Count(out.SMTP, "(ref ") != 1 {
			t.Fatalf("%s: no reference at the end of %q", action, out.SMTP)
		}
		wantIn(t, s.log.String(), "ref="+found[1]+" ")
		if other := reference.FindStringSubmatch(again.SMTP); other == nil || other[1] == found[1] {
			t.Errorf("%s: the next message has %q after %q", action, again.SMTP, out.SMTP)
		}
		if got := rec.last(t); got.Verdict.Action != action || got.Findings == nil || got.Waits.End <= 0 {
			t.Errorf("%s: recorded %+v", action, got)
		}
	}
}

// TestRecorderPanic: what fails while a message is recorded does not concern the
// message.
func TestRecorderPanic(t *testing.T) {
	s := startZone(t, func(s *filter.Settings) { s.Recorder = &recorder{hurt: true} })
	c := s.dial(t, miltertest.Postfix())
	out := deliver(t, c, mail())
	quit(t, c)
	if out.Action != miltertest.Accept {
		t.Errorf("got %s", out.Action)
	}
	results(t, out) // there are some
	wantIn(t, s.log.String(), "the recorder broke")
	if got := s.Stats().Panics; got != 1 {
		t.Errorf("%d panics counted", got)
	}
}

// TestRecorded: every message is recorded once, whatever becomes of it.
func TestRecorded(t *testing.T) {
	rec := &recorder{}
	s := startZone(t, func(s *filter.Settings) {
		s.Recorder = rec
		s.Rules = &policy.Rules{ExemptAuthenticated: true}
		s.WhenUnable = policy.Defer
	})
	c := s.dial(t, miltertest.Postfix())
	deliver(t, c, mail())
	if o := rec.last(t); o.Findings == nil || o.Exempt != "" || o.Unable != nil {
		t.Errorf("examined: %+v", o)
	}
	m := mail()
	m.Macros = map[string]string{"auth_authen": "user"}
	deliver(t, c, m)
	if o := rec.last(t); o.Findings != nil || o.Exempt != "authenticated" {
		t.Errorf("exempt: %+v", o)
	}
	m = mail()
	m.Raw = []byte(strings.Repeat("X: y\r\n", filter.DefaultLimits().HeaderFields+1) + "\r\n")
	out := deliver(t, c, m)
	if o := rec.last(t); o.Findings != nil || o.Unable == nil || o.Verdict.Action != policy.Defer {
		t.Errorf("unable: %+v", o)
	}
	if !reference.MatchString(out.SMTP) {
		t.Errorf("unable: no reference in %q", out.SMTP)
	}
	quit(t, c)
	if len(rec.all) != 3 {
		t.Errorf("%d recorded", len(rec.all))
	}
}

// TestPrivacy: the log has no more of an address than it may.
func TestPrivacy(t *testing.T) {
	all := network.NewSet(netip.MustParsePrefix("0.0.0.0/0"))
	sender := "secret@example.com"
	line := func(p filter.Privacy) string {
		s := startZone(t, func(s *filter.Settings) {
			s.Privacy = p
			named := policy.NewRecipients([]string{"second@example.org"}, domain.Set{})
			s.Rules = &policy.Rules{Enforce: true, Rules: []policy.Rule{
				{Name: "some", Match: policy.Match{Networks: &all, Recipients: named}, Action: policy.Reject, Reason: "a test"},
			}}
		})
		s.SetDebug(&filter.Debug{Until: time.Now().Add(time.Hour)})
		c := s.dial(t, miltertest.Postfix())
		m := mail()
		m.Client = netip.MustParseAddrPort("192.0.2.77:25000")
		m.Helo, m.From = "[192.0.2.77]", sender
		m.Rcpts = []string{"first@example.org", "second@example.org"}
		deliver(t, c, m)
		quit(t, c)
		return s.log.String()
	}
	want := func(p filter.Privacy, has []string, hasNot ...string) {
		t.Helper()
		got := line(p)
		for _, word := range has {
			wantIn(t, got, word)
		}
		for _, word := range hasNot {
			if strings.Contains(got, word) {
				t.Errorf("%s: %q in %s", p, word, got)
			}
		}
	}
	want("", []string{"ip=192.0.2.77", "envelope_sender=secret@example.com", "helo=[192.0.2.77]", "policy.iprev=192.0.2.77", "method=helo error=", "asked_more=\"second@example.org=reject\""})
	want(filter.PrivacyFull, []string{"ip=192.0.2.77", "envelope_sender=secret@example.com"})
	want(filter.PrivacyDomains, []string{"ip=192.0.2.77", "envelope_sender=*@example.com", "asked_more=\"*@example.org=reject\""}, "secret", "second@", " error=")
	want(filter.PrivacyNetworks, []string{"ip=192.0.2.0/24", "envelope_sender=*@example.com", "helo=[*]"}, "secret", "192.0.2.77", " error=")
	for _, host := range []string{"[192.0.2.77]", "[IPv6:2001:db8::77]", "192.0.2.77"} {
		sender = "secret@" + host
		want(filter.PrivacyDomains, []string{"envelope_sender=*@" + host})
		want(filter.PrivacyNetworks, []string{"envelope_sender=*@[*]"}, "secret", "192.0.2.77", "2001:db8::77")
	}
}

// TestDebug: details are logged of those messages only that were asked for, and
// only for a time.
func TestDebug(t *testing.T) {
	here, elsewhere := network.NewSet(netip.MustParsePrefix("192.0.2.0/24")), network.NewSet(netip.MustParsePrefix("203.0.113.0/24"))
	author, other := domain.NewSet(pattern(t, "example.com")), domain.NewSet(pattern(t, "example.net"))
	later := time.Now().Add(time.Hour)
	want := func(name string, d *filter.Debug, details bool) {
		t.Helper()
		s := startZone(t, nil)
		s.SetDebug(d)
		c := s.dial(t, miltertest.Postfix())
		deliver(t, c, mail())
		quit(t, c)
		got := s.log.count("msg=detail")
		if (got > 0) != details {
			t.Errorf("%s: %d details in %s", name, got, s.log.String())
		}
		if details {
			wantIn(t, s.log.String(), "level=DEBUG", "result=\"spf=", "result=\"dmarc=", "end=")
		}
	}
	want("off", nil, false)
	want("all", &filter.Debug{Until: later}, true)
	want("client", &filter.Debug{Networks: &here, Until: later}, true)
	want("another client", &filter.Debug{Networks: &elsewhere, Until: later}, false)
	want("author", &filter.Debug{Authors: &author, Until: later}, true)
	want("another author", &filter.Debug{Authors: &other, Until: later}, false)
	want("both", &filter.Debug{Networks: &here, Authors: &author, Until: later}, true)
	want("over", &filter.Debug{Until: time.Now().Add(-time.Second)}, false)
}

func pattern(t *testing.T, text string) domain.Pattern {
	t.Helper()
	p, err := domain.ParsePattern(text)
	if err != nil {
		t.Fatal(err)
	}
	return p
}
