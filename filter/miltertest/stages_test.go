package miltertest

import (
	"bytes"
	"net/netip"
	"strings"
	"testing"
)

const twoFields = "Subject: one\r\n two\r\nX:v\r\n\r\nbody\r\n"

func TestPostfixSession(t *testing.T) {
	p := Postfix()
	s := agreeable(p)
	c := s.mustDial(t, p)
	m := message(twoFields)
	m.FromArgs = []string{"SIZE=99"}
	m.Rcpts = append(m.Rcpts, "c@rcpt.test")
	m.Macros = map[string]string{"auth_authen": "joe", "{mail_mailer}": "local"}
	if _, err := c.Deliver(m); err != nil {
		t.Fatal(err)
	}
	same(t, "packets", s.wait(t, c), []string{
		"D Cj|mx.test|{daemon_name}|smtpd|{daemon_addr}|192.0.2.1|v|Postfix 3.7.11|_|out.example.net [192.0.2.7]|",
		"C out.example.net|4\x12\x67192.0.2.7|",
		"D H",
		"H helo.example.net|",
		"D M{auth_authen}|joe|{mail_addr}|a@example.net|{mail_host}|example.net|{mail_mailer}|local|",
		"M <a@example.net>|SIZE=99|",
		"D R{rcpt_addr}|b@rcpt.test|{rcpt_host}|rcpt.test|{rcpt_mailer}|smtp|",
		"R <b@rcpt.test>|",
		"D Ri|4TEST00001|{rcpt_addr}|c@rcpt.test|{rcpt_host}|rcpt.test|{rcpt_mailer}|smtp|",
		"R <c@rcpt.test>|",
		"D Ti|4TEST00001|",
		"T",
		"D Li|4TEST00001|",
		"L Subject| one\n two|",
		"D Li|4TEST00001|",
		"L X|v|",
		"D Ni|4TEST00001|",
		"N",
		"D Bi|4TEST00001|",
		"B 6",
		"D Ei|4TEST00001|",
		"E",
		"A",
		"Q",
	})
}

func TestSendmailSession(t *testing.T) {
	p := Sendmail()
	s := agreeable(p)
	s.protocol = 0 // no leading blanks
	c := s.mustDial(t, p)
	m := message(twoFields)
	m.From, m.ClientName = "", ""
	m.Client = netip.MustParseAddrPort("[2001:db8::7]:25")
	m.Macros = map[string]string{"msg_id": "<1@x>"}
	for range 2 {
		if _, err := c.Deliver(m); err != nil {
			t.Fatal(err)
		}
	}
	first := []string{
		"D Cj|mx.test|_|[2001:db8::7] [2001:db8::7]|{daemon_name}|MTA|{if_name}|mx.test|",
		"C [2001:db8::7]|6|\x19IPv6:2001:db8::7|",
		"D H",
		"H helo.example.net|",
	}
	content := []string{
		"M <>|",
		"D R{rcpt_mailer}|relay|{rcpt_host}|rcpt.test|{rcpt_addr}|b@rcpt.test|",
		"R <b@rcpt.test>|",
		"T",
		"L Subject|one\n two|",
		"L X|v|",
		"N",
		"B 6",
		"D E{msg_id}|<1@x>|",
		"E",
	}
	want := append(first, "D Mi|4TEST00001|{mail_mailer}|esmtp|{mail_host}||{mail_addr}||")
	want = append(want, content...)
	want = append(want, "D Mi|4TEST00002|{mail_mailer}|esmtp|{mail_host}||{mail_addr}||")
	want = append(want, content...)
	same(t, "packets", s.wait(t, c), append(want, "Q"))
}

func TestVersion2Session(t *testing.T) {
	p := V2()
	s := agreeable(p)
	c := s.mustDial(t, p)
	if version, actions, protocol := c.Negotiated(); version != 2 || actions != 0x3f || protocol != 0 {
		t.Errorf("negotiated %d %#x %#x", version, actions, protocol)
	}
	if _, err := c.Deliver(message(twoFields)); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Unknown("WIZ"); err != nil {
		t.Fatal(err)
	}
	got := s.wait(t, c)
	if s.got[0] != "O |||\x02|||\x3f|||\x7f" {
		t.Errorf("offer %q", s.got[0])
	}
	var commands []string
	for _, packet := range got {
		if packet[0] != CmdMacro {
			commands = append(commands, packet)
		}
	}
	same(t, "commands", commands, []string{
		"C out.example.net|4\x12\x67192.0.2.7|", "H helo.example.net|", "M <a@example.net>|", "R <b@rcpt.test>|",
		"L Subject|one\n two|", "L X|v|", "N", "B 6", "E", "Q",
	})
}

// TestOldAnswer has a filter that answers version 2 to an offer of 6: the bits
// still count, only DATA and UNKNOWN stay away.
func TestOldAnswer(t *testing.T) {
	p := Sendmail()
	s := agreeable(p)
	s.version, s.protocol = 2, ProtoLeadSpace|ProtoNRHeader
	c := s.mustDial(t, p)
	if _, err := c.Deliver(message("X:  v\r\n\r\n")); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Unknown("WIZ"); err != nil {
		t.Fatal(err)
	}
	got := strings.Join(s.wait(t, c), "\n")
	if !strings.Contains(got, "\nL X|  v|\nN\n") || strings.Contains(got, "\nT") || strings.Contains(got, "\nU") {
		t.Errorf("got\n%s", got)
	}
}

func TestLeadingBlankOfHeaders(t *testing.T) {
	check := func(p Profile, value, want string) {
		t.Helper()
		s := agreeable(p)
		c := s.mustDial(t, p)
		if _, err := c.Header("X", value); err != nil {
			t.Fatal(err)
		}
		got := s.wait(t, c)
		if got[len(got)-2] != "L X|"+want+"|" {
			t.Errorf("%q: got %q, want %q", value, got, want)
		}
	}
	check(Postfix(), " v", " v")
	check(Postfix(), "v\r\n w", "v\n w")
	check(V2(), "  v", " v")
	check(V2(), "v", "v")
	check(V2(), "\tv", "\tv")
	check(V2(), " v\x00lost", "v")
}

func TestSilentCommands(t *testing.T) {
	p := Sendmail()
	s := agreeable(p)
	s.protocol = ProtoNRConnect | ProtoNRHelo | ProtoNRMail | ProtoNRRcpt | ProtoNRData | ProtoNRHeader |
		ProtoNREOH | ProtoNRBody | ProtoNRUnknown
	c := s.mustDial(t, p)
	silent := func(reply Reply, err error) {
		t.Helper()
		if err != nil || reply.Code != 0 || !reply.Continues() {
			t.Errorf("got %+v, %v", reply, err)
		}
	}
	silent(c.Connect("name", testClient))
	silent(c.Helo("helo"))
	silent(c.Unknown("WIZ"))
	silent(c.Mail("a@b"))
	silent(c.Rcpt("c@d"))
	silent(c.Data())
	silent(c.Header("X", " v"))
	silent(c.EOH())
	silent(c.Body([]byte("text")))
	if reply, err := c.EOM(); err != nil || reply.Code != RepContinue {
		t.Errorf("EOM: %+v, %v", reply, err)
	}
	if got := commandsOf(s.wait(t, c)); got != "DCDHUDMDRTLNBDEQ" {
		t.Errorf("got %s", got)
	}
}

// TestUnwantedCommands has every command that can be left out left out; the
// macros of some come nevertheless.
func TestUnwantedCommands(t *testing.T) {
	check := func(p Profile, want string) {
		t.Helper()
		s := agreeable(p)
		s.protocol = ProtoNoConnect | ProtoNoHelo | ProtoNoMail | ProtoNoRcpt | ProtoNoData | ProtoNoHeaders |
			ProtoNoEOH | ProtoNoBody | ProtoNoUnknown
		c := s.mustDial(t, p)
		out, err := c.Deliver(message(twoFields))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.Unknown("WIZ"); err != nil {
			t.Fatal(err)
		}
		if out.BodySent != 0 {
			t.Errorf("%d octets of body were sent", out.BodySent)
		}
		if got := commandsOf(s.wait(t, c)); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	check(Postfix(), "DDDDDDDDDEAQ")
	check(Sendmail(), "DDDDDEQ")
}

func commandsOf(packets []string) string {
	var codes []byte
	for _, p := range packets {
		codes = append(codes, p[0])
	}
	return string(codes)
}

func TestBodyChunksAndSkip(t *testing.T) {
	body := bytes.Repeat([]byte("x"), 3*MaxChunk+1)
	check := func(skipAt int, wantSent int, want ...string) {
		t.Helper()
		p := Sendmail()
		s := agreeable(p)
		s.onEach(CmdBody, func(n int, _ []byte) []byte {
			if n == skipAt {
				return packet(RepSkip)
			}
			return packet(RepContinue)
		})
		c := s.mustDial(t, p)
		for range 2 { // the second message is not skipped any more
			out, err := c.Deliver(message("A: 1\r\n\r\n" + string(body)))
			if err != nil {
				t.Fatal(err)
			}
			if out.BodySent != wantSent || !bytes.Equal(out.Body, body) {
				t.Errorf("skip at %d: %d sent, want %d; %d delivered", skipAt, out.BodySent, wantSent, len(out.Body))
			}
			wantSent = len(body)
		}
		var got []string
		for _, p := range s.wait(t, c) {
			if p[0] == CmdBody {
				got = append(got, p)
			}
		}
		same(t, "chunks", got, append(want, "B 65535", "B 65535", "B 65535", "B 1"))
	}
	check(-1, len(body), "B 65535", "B 65535", "B 65535", "B 1")
	check(0, MaxChunk, "B 65535")
	check(1, 2*MaxChunk, "B 65535", "B 65535")
}

func TestBodyStage(t *testing.T) {
	p := Sendmail()
	s := agreeable(p)
	s.on(CmdBody, packet(RepSkip))
	c := s.mustDial(t, p)
	for range 2 {
		if reply, err := c.Body(make([]byte, MaxChunk+1)); err != nil || reply.Code != RepSkip && reply.Code != 0 {
			t.Errorf("got %+v, %v", reply, err)
		}
	}
	if err := c.Abort(); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Body(make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	same(t, "packets", s.wait(t, c), []string{"B 65535", "A", "B 1", "Q"})
}

func TestMacroLists(t *testing.T) {
	p := Postfix()
	s := agreeable(p)
	s.lists = words32(0) + "{client_addr} {client_port}  {nobody_knows} {j}\x00" + words32(2) + "\x00" + words32(6) + "i v\x00"
	c := s.mustDial(t, p)
	c.SetMacro("{cipher}", "X25519")
	if names, asked := c.MacroList(StageConnect); !asked || strings.Join(names, ",") != "{client_addr},{client_port},{nobody_knows},{j}" {
		t.Errorf("list %q, asked %t", names, asked)
	}
	if names, asked := c.MacroList(StageRcpt); asked || len(names) != 4 {
		t.Errorf("list %q, asked %t", names, asked)
	}
	if _, err := c.Deliver(message("A: 1\r\n\r\n")); err != nil {
		t.Fatal(err)
	}
	got := s.wait(t, c)
	for _, want := range []string{
		"D C{client_addr}|192.0.2.7|{client_port}|4711|{j}|mx.test|", "D M", "D H{cipher}|X25519|", "D Ni|4TEST00001|v|Postfix 3.7.11|",
	} {
		found := false
		for _, p := range got {
			found = found || p == want
		}
		if !found {
			t.Errorf("no packet %q in\n%s", want, strings.Join(got, "\n"))
		}
	}
}

func TestOtherClients(t *testing.T) {
	p := Sendmail()
	p.Macros = [stages][]string{}
	s := agreeable(p)
	c := s.mustDial(t, p)
	steps := []func() (Reply, error){
		func() (Reply, error) { return c.ConnectUnix("localhost", "/run/smtp") },
		func() (Reply, error) { return Reply{}, c.QuitNC() },
		func() (Reply, error) { return c.ConnectUnknown("localhost") },
		func() (Reply, error) { return c.Unknown("WIZ") },
		func() (Reply, error) { return c.MailRaw("a@b", "X") },
		func() (Reply, error) { return c.RcptRaw() },
		func() (Reply, error) { return c.RcptRejected("e@f", "550 5.1.1 no such user") },
	}
	for i, step := range steps {
		if _, err := step(); err != nil {
			t.Fatalf("step %d: %v", i, err)
		}
	}
	same(t, "packets", s.wait(t, c), []string{
		"C localhost|L||/run/smtp|", "K", "C localhost|U", "U WIZ|", "M a@b|X|", "R", "Q",
	})
}

func TestRejectedRecipient(t *testing.T) {
	p := Postfix()
	s := agreeable(p)
	s.protocol = ProtoRcptRej
	c := s.mustDial(t, p)
	if _, err := c.RcptRejected("e@f", "550 5.1.1 no such user"); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Rcpt("g@h"); err != nil {
		t.Fatal(err)
	}
	same(t, "packets", s.wait(t, c), []string{
		"D R{rcpt_addr}|550 5.1.1 no such user|{rcpt_host}||{rcpt_mailer}|error|", "R <e@f>|",
		"D R{rcpt_addr}|g@h|{rcpt_host}|h|{rcpt_mailer}|smtp|", "R <g@h>|", "Q",
	})
}

func TestNagleWritesPacketByPacket(t *testing.T) {
	p := Postfix()
	p.Nagle = true
	s := agreeable(p)
	s.protocol |= ProtoNRHeader
	c := s.mustDial(t, p)
	if _, err := c.Header("X", " v"); err != nil {
		t.Fatal(err)
	}
	if len(c.out) != 0 {
		t.Errorf("%d octets are gathered", len(c.out))
	}
	s.wait(t, c)
}
