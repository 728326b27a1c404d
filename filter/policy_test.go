package filter_test

import (
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"assay/filter"
	"assay/filter/miltertest"
	"assay/policy"
	"assay/verify/domain"
	"assay/verify/message"
	"assay/verify/network"
)

// forged returns a message that fails SPF and DMARC.
func forged() miltertest.Message {
	m := mail()
	m.From = "x@example.org"
	return m
}

func all() policy.Match {
	set := network.NewSet(netip.MustParsePrefix("0.0.0.0/0"))
	return policy.Match{Networks: &set}
}

// TestRuleReply: the operator's lines arrive as one reply.
func TestRuleReply(t *testing.T) {
	rules := &policy.Rules{Enforce: true, Rules: []policy.Rule{{Name: "1", Match: all(), Action: policy.Reject, Reason: "x",
		Reply: policy.Reply{Code: 550, Enhanced: "5.7.25", Text: "100% no\nsee https://example.org/%20"}}}}
	for name, profile := range profiles {
		s := startZone(t, func(s *filter.Settings) { s.Rules = rules })
		c := s.dial(t, profile)
		out := deliver(t, c, mail())
		if want := "550-5.7.25 100% no\r\n550 5.7.25 see https://example.org/%20"; out.Action != miltertest.Reject || unreferenced(out.SMTP) != want {
			t.Errorf("%s: got %s %q", name, out.Action, out.SMTP)
		}
		quit(t, c)
	}
}

// TestRuleHeader: the field of a rule is written, and received ones of any
// rule's name are gone, in exempt mail too.
func TestRuleHeader(t *testing.T) {
	sent := mail("X-Mark: forged", "x-other : forged", "X-Third: stays")
	for name, profile := range profiles {
		for _, exempt := range []bool{false, true} {
			s := startZone(t, func(s *filter.Settings) {
				nobody := network.NewSet()
				s.Rules = &policy.Rules{Enforce: true, Rules: []policy.Rule{
					{Name: "1", Match: policy.Match{Networks: &nobody}, Action: policy.Reject, Header: message.Field{Name: "X-Other", Value: "y"}, Reason: "x"},
					{Name: "2", Match: all(), Action: policy.Tag, Header: message.Field{Name: "X-Mark", Value: "ours"}, Reason: "x"},
				}}
				if exempt {
					s.Rules.ExemptNetworks = *all().Networks
				}
			})
			c := s.dial(t, profile)
			out := deliver(t, c, sent)
			mark, want := strings.TrimSpace(strings.Join(out.Fields("X-Mark"), ",")), "ours"
			if exempt {
				want = ""
			}
			if mark != want || len(out.Fields("X-Other")) != 0 || len(out.Fields("X-Third")) != 1 {
				t.Errorf("%s, exempt %v: got %q", name, exempt, out.Header)
			}
			results(t, out)
			quit(t, c)
		}
	}
}

// TestTLS: the condition sees what the MTA says at HELO.
func TestTLS(t *testing.T) {
	yes := true
	rules := &policy.Rules{Enforce: true, Rules: []policy.Rule{{Name: "1", Match: policy.Match{TLS: &yes}, Action: policy.Hold, Reason: "x"}}}
	for name, profile := range profiles {
		s := startZone(t, func(s *filter.Settings) { s.Rules = rules })
		for _, version := range []string{"", "TLSv1.3"} {
			c := s.dial(t, profile)
			if version != "" {
				c.SetMacro("tls_version", version)
			}
			if out := deliver(t, c, mail()); (out.Action == miltertest.Quarantine) != (version != "") {
				t.Errorf("%s, %q: got %s", name, version, out.Action)
			}
			quit(t, c)
		}
	}
}

// TestShadow: the policy to try does nothing, is counted and logged.
func TestShadow(t *testing.T) {
	s := startZone(t, func(s *filter.Settings) {
		s.Rules = &policy.Rules{Enforce: true, OnReject: policy.Tag}
		s.Shadow = &policy.Rules{Enforce: true, OnReject: policy.Reject, ExemptNetworks: network.NewSet(netip.MustParsePrefix("203.0.113.0/24"))}
	})
	c := s.dial(t, miltertest.Postfix())
	if out := deliver(t, c, forged()); out.Action != miltertest.Accept {
		t.Errorf("forged: %s", out.Action)
	}
	deliver(t, c, mail()) // passes by both
	quit(t, c)
	c = s.dial(t, miltertest.Postfix())
	exempt := forged()
	exempt.Client = netip.MustParseAddrPort("203.0.113.1:25")
	deliver(t, c, exempt)
	quit(t, c)
	if got := s.Trial(); got != (filter.Trial{Judged: 3, Differs: 2}) {
		t.Errorf("got %+v", got)
	}
	wantIn(t, s.log.String(), "shadow_action=reject shadow_step=dmarc shadow_rule=on_reject", "shadow_action=accept shadow_step=exempt")
	if got := s.log.count("shadow_action"); got != 2 {
		t.Errorf("%d differences logged", got)
	}
}

// TestHits: hits are counted for each exception and rule, and a reload that
// leaves one as it is leaves its count.
func TestHits(t *testing.T) {
	rule := func(name, reason string) policy.Rule {
		return policy.Rule{Name: name, Match: all(), Action: policy.Tag, Reason: reason}
	}
	unused := policy.Rule{Name: "1", Match: policy.Match{AuthorDomains: &domain.Set{}}, Action: policy.Accept, Reason: "unused", Owner: "ops"}
	s := startZone(t, func(s *filter.Settings) {
		s.Rules = &policy.Rules{Exceptions: []policy.Rule{unused}, Rules: []policy.Rule{rule("a", "x"), rule("b", "x")}}
	})
	check := func(want string) {
		t.Helper()
		var got []string
		for _, h := range s.Hits() {
			got = append(got, fmt.Sprintf("%s %s %s=%d", h.Step, h.Rule, h.Owner, h.Count))
		}
		if strings.Join(got, ", ") != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	c := s.dial(t, miltertest.Postfix())
	deliver(t, c, mail())
	deliver(t, c, mail())
	quit(t, c)
	check("exception 1 ops=0, rule a =2, rule b =0")
	s.settings.Rules = &policy.Rules{Rules: []policy.Rule{rule("a", "x"), rule("b", "other")}}
	s.Use(s.settings)
	c = s.dial(t, miltertest.Postfix())
	deliver(t, c, mail())
	quit(t, c)
	check("rule a =3, rule b =0")
	s.settings.Rules = &policy.Rules{Rules: []policy.Rule{rule("a", "changed")}}
	s.Use(s.settings)
	check("rule a =0")
}

// TestStop: when too large a share is refused, refusing stops until a reload,
// and says so.
func TestStop(t *testing.T) {
	var now time.Time
	var mu sync.Mutex
	pass := func(d time.Duration) {
		mu.Lock()
		defer mu.Unlock()
		now = now.Add(d)
	}
	now = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	s := startZone(t, func(s *filter.Settings) {
		s.Rules = &policy.Rules{Enforce: true, OnReject: policy.Reject}
		s.MaxRejects = 20
		s.Verifier.Now = func() time.Time { mu.Lock(); defer mu.Unlock(); return now }
	})
	c := s.dial(t, miltertest.Postfix())
	send := func(n int, m miltertest.Message, want miltertest.Action) {
		t.Helper()
		for i := range n {
			if out := deliver(t, c, m); out.Action != want {
				t.Fatalf("message %d: got %s, want %s", i, out.Action, want)
			}
		}
	}
	send(20, forged(), miltertest.Reject)
	send(79, mail(), miltertest.Accept)
	send(1, forged(), miltertest.Accept) // the 100th, and 21 %
	if got := s.log.count("REFUSING HAS STOPPED"); got != 1 {
		t.Errorf("said %d times", got)
	}
	wantIn(t, s.log.String(), `level=ERROR msg="REFUSING HAS STOPPED`, "max_reject_share=20", "fallen back to tag: dmarc fail", "would_action=reject")
	send(5, forged(), miltertest.Accept)
	pass(time.Minute)
	send(2, forged(), miltertest.Accept)
	if got := s.log.count("REFUSING HAS STOPPED"); got != 2 {
		t.Errorf("a minute later: said %d times", got)
	}
	pass(24 * time.Hour)
	send(1, forged(), miltertest.Accept) // it does not mend itself
	quit(t, c)

	s.Use(s.settings)
	c = s.dial(t, miltertest.Postfix())
	// What has left the window does not count.
	send(15, forged(), miltertest.Reject)
	send(50, mail(), miltertest.Accept)
	pass(filter.RejectWindow + time.Minute)
	send(10, forged(), miltertest.Reject)
	send(40, mail(), miltertest.Accept)
	send(1, forged(), miltertest.Reject)
	quit(t, c)
}

// TestStopSlow: a message that took as long as the window to come in counts when it is
// judged, and makes nothing else be forgotten.
func TestStopSlow(t *testing.T) {
	var now atomic.Int64
	s := startZone(t, func(s *filter.Settings) {
		s.Rules = &policy.Rules{Enforce: true, OnReject: policy.Reject}
		s.MaxRejects = 20
		s.Verifier.Now = func() time.Time { return time.Unix(0, now.Load()) }
	})
	slow := s.dial(t, miltertest.Postfix())
	stages(t, slow, "end")
	now.Add(int64(filter.RejectWindow))
	c := s.dial(t, miltertest.Postfix())
	for range 99 {
		if out := deliver(t, c, forged()); out.Action != miltertest.Reject {
			t.Fatalf("got %s", out.Action)
		}
	}
	r, err := slow.EOM()
	must(t, r, err)
	if out := deliver(t, c, forged()); out.Action != miltertest.Accept {
		t.Errorf("the 101st: %s", out.Action)
	}
	quit(t, c)
	quit(t, slow)
}

// TestStopEarly: refusals at MAIL count, and stop, as those at the end do.
func TestStopEarly(t *testing.T) {
	s := startZone(t, func(s *filter.Settings) {
		s.Rules = &policy.Rules{Enforce: true, OnSPFFail: policy.Reject, SPFEarly: true}
		s.MaxRejects = 20
	})
	c := s.dial(t, miltertest.Postfix())
	early := forged()
	early.Raw = []byte("From: x@example.org\r\n\r\nHello.\r\n")
	for range 20 {
		if out := deliver(t, c, early); out.Action != miltertest.Reject || out.At != miltertest.CmdMail {
			t.Fatalf("got %s at %q", out.Action, out.At)
		}
	}
	for range 79 {
		deliver(t, c, mail())
	}
	if out := deliver(t, c, early); out.Action != miltertest.Accept {
		t.Errorf("the 100th, and 21 %%: %s at %q", out.Action, out.At)
	}
	quit(t, c)
	wantIn(t, s.log.String(), "REFUSING HAS STOPPED", "fallen back to tag: spf fail for example.org")
}

// TestReloadSeesOnePolicy: while the policy changes all the time, each of 1,000
// messages sees one only: action, field, reply and results go together.
func TestReloadSeesOnePolicy(t *testing.T) {
	policies := []policy.Rules{
		{Enforce: true, Rules: []policy.Rule{{Name: "tags", Match: all(), Action: policy.Tag, Reason: "first", Header: message.Field{Name: "X-By", Value: "first"}}}},
		{Enforce: true, Rules: []policy.Rule{{Name: "refuses", Match: all(), Action: policy.Reject, Reason: "second",
			Reply: policy.Reply{Code: 550, Enhanced: "5.7.1", Text: "second"}}}},
	}
	s := startZone(t, func(s *filter.Settings) { s.Rules = &policies[0] })
	stop := make(chan struct{})
	reloads := make(chan int)
	go func() {
		n := 0
		for {
			select {
			case <-stop:
				reloads <- n
				return
			default:
			}
			n++
			settings := s.settings
			settings.ID = []string{"first.example", "second.example"}[n%2]
			settings.Rules = &policies[n%2]
			s.Use(settings)
		}
	}()
	var seen [2]int
	var mu sync.Mutex
	var group sync.WaitGroup
	for range 10 {
		group.Go(func() {
			for range 50 {
				c := s.dial(t, miltertest.Postfix())
				for range 2 {
					out := deliver(t, c, mail("X-By: nobody"))
					by := strings.TrimSpace(strings.Join(out.Fields("X-By"), ","))
					id := ""
					if ids := out.Fields("Authentication-Results"); len(ids) > 0 {
						id = strings.TrimSpace(strings.SplitN(ids[0], ";", 2)[0])
					}
					mu.Lock()
					switch {
					case out.Action == miltertest.Accept && by == "first" && (id == "first.example" || id == testID):
						seen[0]++
					case out.Action == miltertest.Reject && unreferenced(out.SMTP) == "550 5.7.1 second":
						seen[1]++
					default:
						t.Errorf("mixed: %s %q, X-By %q, id %q", out.Action, out.SMTP, by, id)
					}
					mu.Unlock()
				}
				quit(t, c)
			}
		})
	}
	group.Wait()
	close(stop)
	if n := <-reloads; seen[0]+seen[1] != 1000 || seen[0] == 0 || seen[1] == 0 {
		t.Errorf("%d reloads, %v", n, seen)
	}
	if s.log.count("rule=tags")+s.log.count("rule=refuses") != 1000 {
		t.Errorf("log lines: %d and %d", s.log.count("rule=tags"), s.log.count("rule=refuses"))
	}
}
