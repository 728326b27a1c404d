package miltertest

import (
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"testing"
	"time"
)

func TestNegotiationViolations(t *testing.T) {
	check := func(what string, p Profile, answer []byte, want error) {
		t.Helper()
		c, err := new(scripted).on(CmdOptNeg, answer).dial(t, p)
		if !errors.Is(err, want) || (want != nil && c != nil) {
			t.Errorf("%s: got %v, want %v", what, err, want)
		}
		var v *Violation
		if want != nil && (!errors.As(err, &v) || v.Command != "OPTNEG") {
			t.Errorf("%s: not a violation: %v", what, err)
		}
	}
	answer := func(version, actions, protocol uint32, lists string) []byte {
		return packet(CmdOptNeg, words32(version, actions, protocol), lists)
	}
	check("all", Postfix(), answer(6, 0x1ff, 0x1fffff, ""), nil)
	check("least", Postfix(), answer(2, 0, 0, ""), nil)
	check("all of v2", V2(), answer(2, 0x3f, 0x7f, ""), nil)
	check("version 7", Postfix(), answer(7, 0, 0, ""), ErrNotOffered)
	check("version 1", Postfix(), answer(1, 0, 0, ""), ErrNotOffered)
	check("version 6 to v2", V2(), answer(6, 0, 0, ""), ErrNotOffered)
	check("action", V2(), answer(2, 0x40, 0, ""), ErrNotOffered)
	check("protocol bit", V2(), answer(2, 0, 0x80, ""), ErrNotOffered)
	check("large chunks", Postfix(), answer(6, 0, 0x10000000, ""), ErrNotOffered)
	check("short", Postfix(), packet(CmdOptNeg, words32(6, 0)), ErrMalformed)
	check("not an answer", Postfix(), packet(RepContinue), ErrWrongStage)
	check("empty packet", Postfix(), []byte{0, 0, 0, 0}, ErrMalformed)
	check("lists", Postfix(), answer(6, ActSetSymList, 0, words32(6)+"i\x00"+words32(0)+"\x00"), nil)
	check("lists without leave", Postfix(), answer(6, 0, 0, words32(0)+"i\x00"), ErrNotNegotiated)
	check("list of stage 7", Postfix(), answer(6, ActSetSymList, 0, words32(7)+"i\x00"), ErrMalformed)
	check("list without end", Postfix(), answer(6, ActSetSymList, 0, words32(0)+"i"), ErrMalformed)
	check("list without names", Postfix(), answer(6, ActSetSymList, 0, words32(0)), ErrMalformed)
	check("short list", Postfix(), answer(6, ActSetSymList, 0, "\x00\x00\x00"), ErrMalformed)
}

// step sends one command.
func step(c *Conn, cmd byte) (Reply, error) {
	switch cmd {
	case CmdConnect:
		return c.Connect("name", testClient)
	case CmdHelo:
		return c.Helo("name")
	case CmdMail:
		return c.Mail("a@b")
	case CmdRcpt:
		return c.Rcpt("c@d")
	case CmdData:
		return c.Data()
	case CmdHeader:
		return c.Header("X", " v")
	case CmdEOH:
		return c.EOH()
	case CmdBody:
		return c.Body([]byte("text"))
	}
	return c.EOM()
}

func TestViolations(t *testing.T) {
	check := func(s *scripted, cmd byte, want error) {
		t.Helper()
		p := Postfix()
		c := s.mustDial(t, p)
		_, err := step(c, cmd)
		if !errors.Is(err, want) {
			t.Errorf("%c: got %v, want %v", cmd, err, want)
			return
		}
		if want == nil {
			return
		}
		var v *Violation
		if !errors.As(err, &v) || v.Error() == "" {
			t.Errorf("%c: not a violation: %v", cmd, err)
		}
		// The session is over.
		if _, again := c.Mail("a@b"); !errors.Is(again, want) {
			t.Errorf("%c: after the violation: %v", cmd, again)
		}
		if _, again := c.Deliver(message("A: 1\r\n\r\n")); !errors.Is(again, want) {
			t.Errorf("%c: Deliver after the violation: %v", cmd, again)
		}
		if again := c.Quit(); !errors.Is(again, want) {
			t.Errorf("%c: Quit after the violation: %v", cmd, again)
		}
	}
	all := func() *scripted { return agreeable(Postfix()) }
	with := func(actions, protocol uint32) *scripted {
		return &scripted{version: 6, actions: actions, protocol: protocol}
	}
	edits := map[byte][]byte{
		RepAddHeader:    field(RepAddHeader, 0, "N", " n"),
		RepInsertHeader: field(RepInsertHeader, 0, "N", " n"),
		RepChangeHeader: field(RepChangeHeader, 1, "N", " n"),
		RepAddRcpt:      packet(RepAddRcpt, "<a@b>\x00"),
		RepAddRcptPar:   packet(RepAddRcptPar, "<a@b>\x00"),
		RepDeleteRcpt:   packet(RepDeleteRcpt, "<a@b>\x00"),
		RepChangeFrom:   packet(RepChangeFrom, "<a@b>\x00"),
		RepReplaceBody:  packet(RepReplaceBody, "text"),
		RepQuarantine:   packet(RepQuarantine, "why\x00"),
	}
	for code, edit := range edits {
		need := editActions[code]
		check(with(need, 0).on(CmdEOM, edit, packet(RepContinue)), CmdEOM, nil)
		check(with(allActions&^need, 0).on(CmdEOM, edit, packet(RepContinue)), CmdEOM, ErrNotNegotiated)
		for _, cmd := range []byte(commandCodes) {
			check(with(need, 0).on(cmd, edit, packet(RepContinue)), cmd, ErrWrongStage)
		}
	}
	for _, cmd := range []byte(commandCodes) {
		check(all().on(cmd, packet('z')), cmd, ErrUnknownReply)
		check(all().on(cmd, packet(RepProgress), packet(RepContinue)), cmd, ErrWrongStage)
		check(all().on(cmd, packet(RepCode, "250 2.0.0 fine\x00")), cmd, ErrReplyText)
		check(all().on(cmd, packet(RepContinue, "\x00")), cmd, ErrMalformed)
		if cmd != CmdBody {
			check(all().on(cmd, packet(RepSkip)), cmd, ErrWrongStage)
		}
	}
	check(all().on(CmdConnect, packet(RepDiscard)), CmdConnect, ErrWrongStage)
	check(all().on(CmdHelo, packet(RepDiscard)), CmdHelo, ErrWrongStage)
	check(all().on(CmdMail, packet(RepDiscard)), CmdMail, nil)
	check(all().on(CmdBody, packet(RepSkip)), CmdBody, nil)
	check(with(0, 0).on(CmdBody, packet(RepSkip)), CmdBody, ErrNotNegotiated)
	check(all().on(CmdEOM, packet(RepSkip)), CmdEOM, ErrWrongStage)
	check(all().on(CmdEOM, packet('f')), CmdEOM, ErrUnknownReply)

	malformed := func(edit []byte) {
		t.Helper()
		check(all().on(CmdEOM, edit, packet(RepContinue)), CmdEOM, ErrMalformed)
	}
	malformed(packet(RepAddHeader, "N\x00 n"))
	malformed(packet(RepAddHeader, "N\x00"))
	malformed(packet(RepAddHeader))
	malformed(packet(RepAddHeader, "N\x00 n\x00m\x00"))
	malformed(packet(RepAddHeader, "N\x00 n\x00\x00"))
	malformed(packet(RepInsertHeader, "\x00\x00\x00"))
	malformed(packet(RepInsertHeader, words32(0)))
	malformed(packet(RepAddRcpt, "\x00"))
	malformed(packet(RepAddRcpt, "<a@b>\x00X\x00"))
	malformed(packet(RepQuarantine, "why"))
	malformed(packet(RepQuarantine, "\x00"))
	malformed(packet(RepQuarantine, "why\nnot\x00"))
	malformed(packet(RepProgress, "x"))

	badField := func(name, value string) {
		t.Helper()
		check(all().on(CmdEOM, field(RepChangeHeader, 1, name, value), packet(RepContinue)), CmdEOM, ErrFieldText)
	}
	badField("", " v")
	badField("N", " v\r\n w")
	badField("N", " v\nw")
}

const commandCodes = "CHMRTLNB"

func TestPacketLimit(t *testing.T) {
	check := func(length int, want error) {
		t.Helper()
		p := Postfix()
		s := agreeable(p).on(CmdEOM, packet(RepReplaceBody, strings.Repeat("x", length)), packet(RepContinue))
		if _, err := s.mustDial(t, p).EOM(); !errors.Is(err, want) {
			t.Errorf("%d octets: got %v, want %v", length, err, want)
		}
	}
	check(MaxReply, nil)
	check(MaxReply+1, ErrMalformed)
}

func TestEndlessAnswer(t *testing.T) {
	check := func(packets int, want error) {
		t.Helper()
		p := Postfix()
		s := agreeable(p).on(CmdEOM, join(slicesRepeat(packet(RepProgress), packets)...), packet(RepContinue))
		if _, err := s.mustDial(t, p).EOM(); !errors.Is(err, want) {
			t.Errorf("%d packets: got %v, want %v", packets, err, want)
		}
	}
	check(maxPackets-1, nil)
	check(maxPackets, ErrEndless)
}

func slicesRepeat(p []byte, n int) [][]byte {
	all := make([][]byte, n)
	for i := range all {
		all[i] = p
	}
	return all
}

// TestUndueReply finds the answer that nobody asked for at the next command
// or, where it can hide behind an answer that is due, at QUIT.
func TestUndueReply(t *testing.T) {
	p := Sendmail()
	s := agreeable(p)
	s.protocol |= ProtoNRHeader
	s.on(CmdHeader, packet(RepContinue))
	c := s.mustDial(t, p)
	if _, err := c.Deliver(message("A: 1\r\n\r\nbody\r\n")); err != nil && !errors.Is(err, ErrNotDue) {
		t.Fatal(err)
	}
	if err := c.Quit(); !errors.Is(err, ErrNotDue) {
		t.Errorf("QUIT: %v", err)
	}

	// Two answers to one command come in one segment.
	s = agreeable(p).on(CmdHelo, packet(RepContinue), packet(RepContinue))
	c = s.mustDial(t, p)
	if _, err := c.Helo("name"); err != nil {
		t.Fatal(err)
	}
	_, err := c.Mail("a@b")
	var v *Violation
	if !errors.Is(err, ErrNotDue) || !errors.As(err, &v) || v.Reply != RepContinue || v.Command != "MAIL" {
		t.Errorf("MAIL: %v", err)
	}

	check := func(what string, end func(*Conn) error) {
		t.Helper()
		s := agreeable(p).on(CmdHelo, packet(RepContinue), packet(RepContinue))
		c := s.mustDial(t, p)
		if _, err := c.Helo("name"); err != nil {
			t.Fatal(err)
		}
		if err := end(c); !errors.Is(err, ErrNotDue) {
			t.Errorf("%s: %v", what, err)
		}
	}
	check("ABORT", (*Conn).Abort)
	check("QUIT", (*Conn).Quit)
}

func TestLostConnection(t *testing.T) {
	check := func(what string, filter func(net.Conn), want error) {
		t.Helper()
		p := Postfix()
		p.Timeout = 50 * time.Millisecond
		ours, theirs := net.Pipe()
		done := make(chan struct{})
		go func() { defer close(done); filter(theirs) }()
		c := Raw(ours, p)
		_, err := c.Helo("name")
		var v *Violation
		if !errors.Is(err, want) || errors.As(err, &v) {
			t.Errorf("%s: got %v, want %v", what, err, want)
		}
		c.Close()
		<-done
	}
	swallow := func(nc net.Conn) {
		for range 2 {
			_, _, _ = readPacket(nc)
		}
	}
	check("never reads", func(net.Conn) {}, os.ErrDeadlineExceeded)
	check("never answers", swallow, os.ErrDeadlineExceeded)
	check("closes", func(nc net.Conn) { swallow(nc); nc.Close() }, io.ErrUnexpectedEOF)
	check("closes in the middle", func(nc net.Conn) { swallow(nc); _, _ = nc.Write([]byte{0, 0, 0, 2, 'c'}); nc.Close() }, io.ErrUnexpectedEOF)
	check("closes in the length", func(nc net.Conn) { swallow(nc); _, _ = nc.Write([]byte{0, 0, 0}); nc.Close() }, io.ErrUnexpectedEOF)

	if _, err := Dial("unix", t.TempDir()+"/nobody", Postfix()); err == nil {
		t.Error("dialled nobody")
	}
}

func TestRudeness(t *testing.T) {
	p := Postfix()
	s := agreeable(p).on('z', packet('?', "what"))
	c := s.mustDial(t, p)
	if err := c.SendRaw([]byte("\x00\x00\x00\x02z")); err != nil {
		t.Fatal(err)
	}
	if err := c.SendRaw([]byte("!")); err != nil {
		t.Fatal(err)
	}
	code, payload, err := c.Read()
	if code != '?' || string(payload) != "what" || err != nil {
		t.Errorf("got %c %q %v", code, payload, err)
	}
	// A body after the end, twice the end, no beginning: any order goes.
	for _, cmd := range []byte("EBERNLM") {
		if _, err := step(c, cmd); err != nil {
			t.Fatalf("%c: %v", cmd, err)
		}
	}
	if err := c.Send(CmdAbort, []byte("garbage")); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, p := range s.wait(t, c) {
		if p[0] != CmdMacro {
			got = append(got, p)
		}
	}
	same(t, "packets", got, []string{"z !", "E", "B 4", "E", "R <c@d>|", "N", "L X| v|", "M <a@b>|", "A garbage", "Q"})
}
