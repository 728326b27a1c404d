package filter_test

import (
	"io"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"assay/filter"
	"assay/filter/miltertest"
	"assay/policy"
)

// deferred reports whether a message was turned away for now.
func deferred(out miltertest.Outcome) bool {
	return out.Action == miltertest.Tempfail && strings.HasPrefix(out.SMTP, "451 4.3.2 ") && reference.MatchString(out.SMTP)
}

// TestSessionLimits: with as many sessions as may be everything is examined, and
// with one more nothing that begins is, until there is room again.
func TestSessionLimits(t *testing.T) {
	for name, limits := range map[string]filter.Limits{"all": {Sessions: 3}, "of a host": {PeerSessions: 3}} {
		s := startZone(t, func(s *filter.Settings) {
			s.Limits, s.WhenUnable = limits, policy.Defer
		})
		var conns []*miltertest.Conn
		for range 3 {
			c := s.dial(t, miltertest.Postfix())
			wantIn(t, results(t, deliver(t, c, mail())), "spf=pass")
			conns = append(conns, c)
		}
		for _, c := range conns {
			wantIn(t, results(t, deliver(t, c, mail())), "spf=pass")
		}
		one := s.dial(t, miltertest.Postfix())
		for range 2 {
			if out := deliver(t, one, mail()); !deferred(out) {
				t.Errorf("%s: session 4 of 3: %s %q", name, out.Action, out.SMTP)
			}
		}
		wantIn(t, s.log.String(), "too many sessions")
		if got := s.Stats(); got.TurnedAway != 2 || got.Sessions != 4 {
			t.Errorf("%s: %+v", name, got)
		}
		quit(t, conns[0])
		waitSessions(t, s, 3)
		wantIn(t, results(t, deliver(t, one, mail())), "spf=pass")
	}
}

// waitSessions waits until there are no more than n sessions.
func waitSessions(t *testing.T, s *service, n int) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); s.Stats().Sessions > n; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%d sessions, want %d", s.Stats().Sessions, n)
		}
	}
}

// TestFarTooMany: connections beyond twice the limit are closed at once.
func TestFarTooMany(t *testing.T) {
	s := startZone(t, func(s *filter.Settings) { s.Limits = filter.Limits{Sessions: 2} })
	for range 4 {
		s.dial(t, miltertest.Postfix())
	}
	if c, err := miltertest.Dial(s.network, s.addr, miltertest.Postfix()); err == nil {
		c.Close()
		t.Error("connection 5 of 4 was answered")
	}
	wantIn(t, s.log.String(), "far too many sessions")
}

// TestMessageLimit: a message that begins while as many as may be are in flight is
// turned away, and what is in flight goes on.
func TestMessageLimit(t *testing.T) {
	for _, unable := range []policy.Action{policy.Accept, policy.Defer} {
		rec := &recorder{}
		s := startZone(t, func(s *filter.Settings) {
			s.Limits, s.WhenUnable, s.Recorder = filter.Limits{Messages: 2}, unable, rec
		})
		var open []*miltertest.Conn
		for range 2 {
			c := s.dial(t, miltertest.Postfix())
			r, err := c.Connect("out.example.com", client)
			must(t, r, err)
			r, err = c.Mail("a@example.com")
			must(t, r, err)
			open = append(open, c)
		}
		c := s.dial(t, miltertest.Postfix())
		forged := mail("Authentication-Results: " + testID + "; dmarc=pass")
		out := deliver(t, c, forged)
		switch unable {
		case policy.Defer:
			if !deferred(out) {
				t.Errorf("message 3 of 2: %s %q", out.Action, out.SMTP)
			}
		case policy.Accept:
			if out.Action != miltertest.Accept || len(out.Fields("Authentication-Results")) != 0 {
				t.Errorf("message 3 of 2: %s with %q", out.Action, out.Fields("Authentication-Results"))
			}
		}
		if o := rec.last(t); o.Unable == nil {
			t.Errorf("%s: recorded %+v", unable, o)
		}
		r, err := open[0].Header("From", " a@example.com")
		must(t, r, err)
		r, err = open[0].EOH()
		must(t, r, err)
		if r, err = open[0].EOM(); err != nil || r.Code != 'c' {
			t.Errorf("a message in flight: %c %v", r.Code, err)
		}
		if err := open[1].Abort(); err != nil {
			t.Fatal(err)
		}
		for range 3 { // nothing is counted twice
			wantIn(t, results(t, deliver(t, c, mail())), "spf=pass")
		}
	}
}

// TestLowerFrameLimit: a packet of the largest configured size is taken, and one octet more ends
// the connection.
func TestLowerFrameLimit(t *testing.T) {
	const limit = filter.MinFrameBytes
	send := func(size int) (*service, error) {
		s := startZone(t, func(s *filter.Settings) { s.Limits.FrameBytes = limit })
		c := s.dial(t, miltertest.Postfix())
		r, err := c.Connect("out.example.com", client)
		must(t, r, err)
		r, err = c.Mail("a@example.com")
		must(t, r, err)
		field := "X-Filler\x00" + strings.Repeat("x", size-len("LX-Filler\x00\x00")) + "\x00"
		if err := c.Send('L', []byte(field)); err != nil {
			t.Fatal(err)
		}
		if _, err = c.EOH(); err != nil {
			return s, err
		}
		_, err = c.EOM()
		return s, err
	}
	if _, err := send(limit); err != nil {
		t.Errorf("at the limit: %v", err)
	}
	s, err := send(limit + 1)
	if err == nil {
		t.Error("beyond the limit: the connection goes on")
	}
	wantIn(t, s.log.String(), "frame too long or empty")
}

// TestTimeLimits: an MTA that stops in the middle of a packet, or says nothing, is
// not waited for longer than that.
func TestTimeLimits(t *testing.T) {
	closes := func(name string, limits filter.Limits, send string, within bool) {
		t.Helper()
		s := startZone(t, func(s *filter.Settings) { s.Limits = limits })
		c, err := net.Dial("tcp", s.addr)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if _, err := io.WriteString(c, send); err != nil {
			t.Fatal(err)
		}
		wait := 10 * time.Second
		if !within {
			wait = 300 * time.Millisecond
		}
		if err := c.SetReadDeadline(time.Now().Add(wait)); err != nil {
			t.Fatal(err)
		}
		_, err = c.Read(make([]byte, 1))
		if closed := err == io.EOF; closed != within {
			t.Errorf("%s: %v", name, err)
		}
	}
	closes("half a packet", filter.Limits{Stage: 50 * time.Millisecond}, "\x00\x00", true)
	trickles(t)
	closes("half a packet, with time", filter.Limits{Stage: time.Hour}, "\x00\x00", false)
	closes("nothing", filter.Limits{Idle: 50 * time.Millisecond}, "", true)
	closes("nothing, with time", filter.Limits{Idle: time.Hour, Stage: 50 * time.Millisecond}, "", false)
}

// trickles: a packet that never ends though something always comes is given up
// too.
func trickles(t *testing.T) {
	t.Helper()
	s := startZone(t, func(s *filter.Settings) { s.Limits.Stage = 100 * time.Millisecond })
	c, err := net.Dial("tcp", s.addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := c.Write(slices.Concat(offer, []byte{0, 0, 255, 255, 'L'})); err != nil {
		t.Fatal(err)
	}
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for late := time.Now().Add(10 * time.Second); s.Stats().Sessions > 0; <-tick.C {
		if time.Now().After(late) {
			t.Fatal("a packet may take for ever")
		}
		_, _ = c.Write([]byte{'x'}) // fails once the filter has hung up
	}
}
