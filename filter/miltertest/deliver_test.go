package miltertest

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"testing"
)

// summary shows an outcome on one line.
func summary(out Outcome) string {
	return fmt.Sprintf("%s at %c, %s, to %s", out.Action, out.At, strings.ReplaceAll(out.SMTP, "\r\n", "/"), strings.Join(out.Rcpts, " "))
}

func TestVerdicts(t *testing.T) {
	// check delivers a message with two recipients twice, to a filter that
	// gives this answer to each cmd.
	check := func(p Profile, cmd byte, answer []byte, want, wantCommands string) {
		t.Helper()
		s := agreeable(p).on(cmd, answer)
		c := s.mustDial(t, p)
		m := message("A: 1\r\n\r\nbody\r\n")
		m.Rcpts = append(m.Rcpts, "c@rcpt.test")
		for range 2 {
			out, err := c.Deliver(m)
			if err != nil {
				t.Fatal(err)
			}
			if got := summary(out); got != want {
				t.Errorf("%c %q: got %q, want %q", cmd, answer, got, want)
			}
			if out.Action == Accept && strings.Contains(out.Header[0].Value, "id ;") {
				t.Errorf("%c %q: no queue id in %q", cmd, answer, out.Header[0].Value)
			}
			held := out.Action == Accept || out.Action == Quarantine
			if (out.Message() != nil) != held || (out.Sender != "") != held || (out.Body != nil) != held {
				t.Errorf("%c %q: delivered %q", cmd, answer, out.Message())
			}
		}
		if got := strings.ReplaceAll(commandsOf(s.wait(t, c)), "D", ""); got != wantCommands {
			t.Errorf("%c %q: sent %s, want %s", cmd, answer, got, wantCommands)
		}
	}
	const both = "b@rcpt.test c@rcpt.test"
	postfix, sendmail := Postfix(), Sendmail()
	reject, tempfail, accept, discard := packet(RepReject), packet(RepTempfail), packet(RepAccept), packet(RepDiscard)
	own := packet(RepCode, "550-5.7.26 50%% of\r\n550 5.7.26 it\x00")

	// At end-of-message accept is the same as continue.
	check(postfix, CmdEOM, packet(RepContinue), "accept at E, , to "+both, "CHMRRTLNBEAMRRTLNBEAQ")
	check(postfix, CmdEOM, accept, "accept at E, , to "+both, "CHMRRTLNBEAMRRTLNBEAQ")
	check(sendmail, CmdEOM, accept, "accept at E, , to "+both, "CHMRRTLNBEMRRTLNBEQ")
	check(postfix, CmdEOM, discard, "discard at E, , to ", "CHMRRTLNBEAMRRTLNBEAQ")
	check(postfix, CmdEOM, own, "reject at E, 550-5.7.26 50% of/550 5.7.26 it, to ", "CHMRRTLNBEAMRRTLNBEAQ")
	check(postfix, CmdEOM, packet(RepCode, "451 later\x00"), "tempfail at E, 451 later, to ", "CHMRRTLNBEAMRRTLNBEAQ")
	check(sendmail, CmdEOM, packet(RepCode, "451 later\x00"), "tempfail at E, 451 4.0.0 later, to ", "CHMRRTLNBEMRRTLNBEQ")
	check(postfix, CmdEOM, reject, "reject at E, 550 5.7.1 Command rejected, to ", "CHMRRTLNBEAMRRTLNBEAQ")
	check(sendmail, CmdEOM, tempfail, "tempfail at E, 451 4.3.2 Please try again later, to ", "CHMRRTLNBEMRRTLNBEQ")

	// A verdict in the middle ends the message.
	check(postfix, CmdMail, reject, "reject at M, 550 5.7.1 Command rejected, to ", "CHMAMAQ")
	check(sendmail, CmdMail, reject, "reject at M, 550 5.7.1 Command rejected, to ", "CHMMQ")
	check(postfix, CmdMail, accept, "accept at M, , to "+both, "CHMAMAQ")
	check(sendmail, CmdData, reject, "reject at T, 550 5.7.1 Command rejected, to ", "CHMRRTAMRRTAQ")
	check(sendmail, CmdHeader, discard, "discard at L, , to ", "CHMRRTLMRRTLQ")
	check(sendmail, CmdEOH, accept, "accept at N, , to "+both, "CHMRRTLNMRRTLNQ")
	check(postfix, CmdBody, tempfail, "tempfail at B, 451 4.7.1 Service unavailable - try again later, to ", "CHMRRTLNBAMRRTLNBAQ")

	// At RCPT a refusal is about that recipient.
	check(sendmail, CmdRcpt, reject, "reject at R, 550 5.7.1 Command rejected, to ", "CHMRRAMRRAQ")
	check(sendmail, CmdRcpt, accept, "accept at R, , to "+both, "CHMRMRQ")
	check(sendmail, CmdRcpt, discard, "discard at R, , to ", "CHMRMRQ")

	// Before MAIL a verdict is about the connection.
	check(postfix, CmdConnect, reject, "reject at C, 550 5.7.1 Command rejected, to ", "CQ")
	check(postfix, CmdConnect, accept, "accept at C, , to "+both, "CQ")
	check(sendmail, CmdHelo, tempfail, "tempfail at H, 451 4.3.2 Please try again later, to ", "CHQ")
}

func TestRefusedRecipient(t *testing.T) {
	p := Postfix()
	s := agreeable(p)
	s.onEach(CmdRcpt, func(_ int, payload []byte) []byte {
		if strings.HasPrefix(string(payload), "<b@") {
			return packet(RepReject)
		}
		return packet(RepContinue)
	})
	c := s.mustDial(t, p)
	m := message("A: 1\r\n\r\n")
	m.Rcpts = []string{"b@rcpt.test", "c@rcpt.test"}
	out, err := c.Deliver(m)
	if err != nil {
		t.Fatal(err)
	}
	if got := summary(out); got != "accept at E, , to c@rcpt.test" {
		t.Errorf("got %q", got)
	}
	// The queue id is known after the first recipient that was let in.
	got := s.wait(t, c)
	if got[8] != "D R{rcpt_addr}|c@rcpt.test|{rcpt_host}|rcpt.test|{rcpt_mailer}|smtp|" {
		t.Errorf("macros at the second RCPT: %s", got[8])
	}
}

func TestUndeliverable(t *testing.T) {
	p := Postfix()
	s := agreeable(p)
	c := s.mustDial(t, p)
	check := func(m Message, want error) {
		t.Helper()
		if _, err := c.Deliver(m); !errors.Is(err, want) {
			t.Errorf("got %v, want %v", err, want)
		}
	}
	m := message("A: 1\r\n\r\n")
	m.Client = netip.AddrPort{}
	check(m, ErrMessage)
	m = message("A: 1\r\n\r\n")
	m.Rcpts = nil
	check(m, ErrMessage)
	check(message("A: 1\r\n\r\n"), nil)
	m = message("A: 1\r\n\r\n")
	m.Client, m.Helo = netip.AddrPort{}, ""
	check(m, nil)
	m.Helo = "after.starttls.example.net"
	check(m, nil)
	m.Client = netip.MustParseAddrPort("192.0.2.8:1")
	check(m, ErrMessage)
	if err := c.QuitNC(); err != nil {
		t.Fatal(err)
	}
	check(m, nil)
	if got := strings.ReplaceAll(commandsOf(s.wait(t, c)), "D", ""); got != "CHMRTLNEAMRTLNEAHMRTLNEAKCHMRTLNEAQ" {
		t.Errorf("sent %s", got)
	}
}

func TestManyAborts(t *testing.T) {
	p := Postfix()
	p.AbortsAfter = 3
	s := agreeable(p)
	c := s.mustDial(t, p)
	out, err := c.Deliver(message("A: 1\r\n\r\n"))
	if err != nil {
		t.Fatal(err)
	}
	if out.Waited <= 0 {
		t.Errorf("waited %v", out.Waited)
	}
	if got := strings.ReplaceAll(commandsOf(s.wait(t, c)), "D", ""); got != "CHMRTLNEAAAQ" {
		t.Errorf("sent %s", got)
	}
}

func TestSplit(t *testing.T) {
	check := func(raw, wantHeader, wantBody string) {
		t.Helper()
		header, body := split([]byte(raw))
		var text []string
		for _, f := range header {
			text = append(text, f.Name+":"+f.Value)
		}
		if got := strings.Join(text, "|"); got != wantHeader || string(body) != wantBody {
			t.Errorf("%q: got %q and %q, want %q and %q", raw, got, body, wantHeader, wantBody)
		}
	}
	check("", "", "")
	check("\r\n", "", "")
	check("\r\nbody", "", "body")
	check("A: 1\r\n\r\nbody\n\r", "A: 1", "body\n\r")
	check("A: 1\r\n 2\r\n\t3\r\nB:4\r\n\r\n\r\nbody", "A: 1\r\n 2\r\n\t3|B:4", "\r\nbody")
	check("A: 1\n 2\nB: 3\n\nbody", "A: 1\r\n 2|B: 3", "body")
	check("A: 1", "A: 1", "")
	check("A: 1\r\n", "A: 1", "")
	check("A \t: 1\r\n\r\n", "A: 1", "")
	check("A:\r\n\r\n", "A:", "")
	check("A: 1\r\nbody: not\x01\r\nbody", "A: 1|body: not\x01", "body")
	check("A: 1\r\nthe body\r\n\r\n", "A: 1", "the body\r\n\r\n")
	check("A: 1\r\na b: 2\r\n", "A: 1", "a b: 2\r\n")
	check(": 1\r\n", "", ": 1\r\n")
	check(" A: 1\r\n", "", " A: 1\r\n")
}

func BenchmarkDeliver(b *testing.B) {
	run := func(name string, protocol uint32, size int) {
		b.Run(name, func(b *testing.B) {
			p := Postfix()
			s := agreeable(p)
			s.protocol |= protocol
			c := s.mustDial(b, p)
			m := message("Subject: 1\r\nFrom: a@b\r\nTo: c@d\r\nDate: now\r\n\r\n" + strings.Repeat("x", size))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := c.Deliver(m); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	run("replies-1KiB", 0, 1<<10)
	run("silent-1KiB", ProtoNRHeader|ProtoNREOH|ProtoNRBody|ProtoNRData|ProtoNRRcpt|ProtoNRMail, 1<<10)
	run("replies-1MiB", 0, 1<<20)
}
