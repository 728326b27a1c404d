package web

import (
	"bytes"
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"assay/filter"
	"assay/filter/miltertest"
	"assay/policy"
	"assay/verify/dmarc"
)

func netipAddr(text string) netip.Addr { return netip.MustParseAddr(text) }

func slicesOf(text string, n int) []string { return slices.Repeat([]string{text}, n) }

// codes are those of the warnings of a service.
func codes(s *service) []string {
	var all []string
	for _, w := range s.status(context.Background()).Warnings {
		if w.Text == "" || w.Next == "" {
			all = append(all, w.Code+" without words")
		}
		all = append(all, w.Code)
	}
	return all
}

// TestWarnings makes each of them true, in a service of its own.
func TestWarnings(t *testing.T) {
	warns := func(code, zone string, make func(t *testing.T, s *service)) {
		t.Run(code, func(t *testing.T) {
			s := start(t, zone)
			if got := codes(s); len(got) > 0 && zone == testZone {
				t.Fatalf("warnings of what is well: %q", got)
			}
			make(t, s)
			if got := codes(s); !slices.Equal(got, []string{code}) {
				t.Errorf("got %q", got)
			}
		})
	}
	warns("no-traffic", testZone, func(t *testing.T, s *service) { s.advance(quietAfter) })
	warns("no-traffic", testZone, func(t *testing.T, s *service) {
		for range busyDay {
			s.Record(judged(policy.Accept, dmarc.Pass))
		}
		s.advance(quietAfter)
	})
	warns("authserv-id-not-stated", testZone, func(t *testing.T, s *service) {
		s.facts.IDStated = false
		s.Use(s.facts)
	})
	warns("config-refused", testZone, func(t *testing.T, s *service) { s.Refused("assay.toml:3:1: colour: unknown setting") })
	warns("exceptions-ended", testZone, func(t *testing.T, s *service) {
		s.facts.Ended = func(now time.Time) []string { return []string{now.Format(time.DateOnly)} }
		s.Use(s.facts)
	})
	warns("not-examined", testZone, func(t *testing.T, s *service) {
		s.settings.Limits = filter.Limits{HeaderFields: 1}
		s.filter.Use(s.settings)
		deliverRaw(t, s, "", bytes.Repeat([]byte("X: y\r\n"), 3))
	})
	warns("submission-examined", testZone, func(t *testing.T, s *service) { deliverRaw(t, s, "user", nil) })
	warns("no-header-changes", testZone, cannotEdit)
	warns("refusing-stopped", testZone, func(t *testing.T, s *service) {
		s.settings.MaxRejects = 1
		s.filter.Use(s.settings)
		for range 100 {
			s.deliver(t, "forged.example")
		}
	})
	warns("panic", testZone, func(t *testing.T, s *service) {
		s.settings.Recorder = breaking{}
		s.filter.Use(s.settings)
		s.deliver(t, "example.com")
	})
	warns("dns-dead", "a.root-servers.net. TIMEOUT", func(*testing.T, *service) {}) // and does not count as slow besides
	warns("dns-slow", testZone, func(t *testing.T, s *service) {
		s.facts.SlowAfter = time.Nanosecond
		s.Use(s.facts)
	})
}

// TestNotWarned: what is well, is over, or is meant, is not warned of.
func TestNotWarned(t *testing.T) {
	quiet := func(what string, make func(t *testing.T, s *service)) {
		t.Run(what, func(t *testing.T) {
			s := start(t, testZone)
			make(t, s)
			if got := codes(s); len(got) > 0 {
				t.Errorf("got %q", got)
			}
		})
	}
	quiet("an hour without mail where there is little", func(t *testing.T, s *service) {
		for range busyDay - 1 {
			s.Record(judged(policy.Accept, dmarc.Pass))
		}
		s.advance(quietAfter)
	})
	quiet("mail of users, where a rule asks for that", func(t *testing.T, s *service) {
		s.facts.Submitted = true
		s.Use(s.facts)
		deliverRaw(t, s, "user", nil)
	})
	quiet("faults of long ago", func(t *testing.T, s *service) {
		s.facts.StuckAfter = 2 * mindFault // sessions end in their own time, while the clock leaps
		s.Use(s.facts)
		s.settings.Recorder = breaking{}
		s.filter.Use(s.settings)
		s.deliver(t, "example.com")
		cannotEdit(t, s)
		stats := s.filter.Stats()
		if stats.Panics != 1 || stats.CannotEdit != 1 {
			t.Fatalf("no faults: %+v", stats)
		}
		s.advance(stats.LastCannotEdit.Add(mindFault).Sub(s.clock()))
		s.Record(judged(policy.Accept, dmarc.Pass)) // there is mail
	})
}

// TestManyRules: a client reads what the longest configuration makes a status say.
func TestManyRules(t *testing.T) {
	s := start(t, testZone)
	const sections, octets = 10_000, 1 << 20 // config.MaxFileBytes, and as many sections as there may be
	for i := range sections {
		s.settings.Rules.Exceptions = append(s.settings.Rules.Exceptions, policy.Rule{Name: fmt.Sprint(i), Reason: strings.Repeat("<", octets/sections)})
	}
	s.filter.Use(s.settings)
	got, err := s.serve(t).Status(context.Background())
	if err != nil || len(got.Rules) != sections {
		t.Errorf("%d rules, %v", len(got.Rules), err)
	}
}

type breaking struct{}

func (breaking) Record(*filter.Outcome) { panic("the recorder broke") }

// cannotEdit connects as an MTA that allows no header changes.
func cannotEdit(t *testing.T, s *service) {
	t.Helper()
	profile := miltertest.Postfix()
	profile.Actions = 0
	c, err := miltertest.Dial("tcp", s.milter, profile)
	if err != nil {
		t.Fatal(err)
	}
	c.Close()
}

func deliverRaw(t *testing.T, s *service, login string, header []byte) {
	t.Helper()
	c, err := miltertest.Dial("tcp", s.milter, miltertest.Postfix())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	m := miltertest.Message{
		Client: netip.MustParseAddrPort("192.0.2.7:25"), ClientName: "out.example.com", Helo: "out.example.com",
		From: "a@example.com", Rcpts: []string{"b@rcpt.test"}, Raw: append(header, "From: a@example.com\r\n\r\nHello.\r\n"...),
	}
	if login != "" {
		m.Macros = map[string]string{"auth_authen": login}
	}
	if _, err := c.Deliver(m); err != nil {
		t.Fatal(err)
	}
}

// TestWarningWithoutTCP has a server that cannot be asked over TCP.
func TestWarningWithoutTCP(t *testing.T) {
	s := Status{DNS: DNS{Servers: []Server{{Server: "192.0.2.53:53", NoTCP: 1}}}}
	got := s.dnsWarnings(&Facts{SlowAfter: time.Second})
	if len(got) != 1 || got[0].Code != "dns-without-tcp" {
		t.Errorf("%+v", got)
	}
}

// TestRecordConcurrently has many sessions, readers and a reload at the same time.
func TestRecordConcurrently(t *testing.T) {
	s := start(t, testZone)
	const senders, each = 8, 20
	done := make(chan struct{})
	for range senders {
		go func() {
			defer func() { done <- struct{}{} }()
			for i := range each {
				s.Record(judged(policy.Accept, dmarc.Pass))
				s.Record(judged(policy.Reject, dmarc.Fail))
				if i%5 == 0 {
					s.status(context.Background())
					s.Use(s.facts)
				}
			}
		}()
	}
	for range senders {
		<-done
	}
	if got := s.status(context.Background()).Recent[0].Messages; got != 2*senders*each {
		t.Errorf("%d messages", got)
	}
	if got := fmt.Sprint(s.reloads.taken.Load()); got != fmt.Sprint(1+senders*each/5) {
		t.Errorf("%s readings", got)
	}
}

// BenchmarkRecord is what a message costs that is told to the monitor.
func BenchmarkRecord(b *testing.B) {
	m := New("1.2.3", time.Now)
	o := judged(policy.Accept, dmarc.Pass)
	for b.Loop() {
		m.Record(o)
	}
}
