package filter_test

import (
	"context"
	"encoding/binary"
	"errors"
	"net"
	"runtime"
	"strings"
	"testing"
	"time"

	"assay/dnscache/dnstest"
	"assay/filter"
	"assay/filter/miltertest"
	"assay/policy"
	"assay/verify/lookup"
)

// TestNegotiation: nothing is asked for that was not offered, whatever the
// offer; miltertest fails on a bit too many.
func TestNegotiation(t *testing.T) {
	s := startZone(t, nil)
	check := func(name string, change func(*miltertest.Profile), wantVersion, wantActions, wantProtocol uint32) {
		t.Helper()
		p := miltertest.Postfix()
		change(&p)
		c := s.dial(t, p)
		version, actions, protocol := c.Negotiated()
		if version != wantVersion || actions != wantActions || protocol != wantProtocol {
			t.Errorf("%s: got %d %#x %#x, want %d %#x %#x", name, version, actions, protocol, wantVersion, wantActions, wantProtocol)
		}
		wantIn(t, results(t, deliver(t, c, mail())), "spf=pass")
		quit(t, c)
	}
	const edits = miltertest.ActAddHeaders | miltertest.ActChangeHeaders
	const quiet = miltertest.ProtoNRHeader | miltertest.ProtoNRConnect | miltertest.ProtoNRHelo |
		miltertest.ProtoNRRcpt | miltertest.ProtoNRData | miltertest.ProtoNRUnknown | miltertest.ProtoNREOH
	const all = quiet | miltertest.ProtoNoUnknown | miltertest.ProtoNoData | miltertest.ProtoSkip | miltertest.ProtoLeadSpace
	check("all", func(*miltertest.Profile) {}, 6, edits|miltertest.ActQuarantine|miltertest.ActSetSymList, all)
	check("newer", func(p *miltertest.Profile) { p.Version = 7 }, 6, edits|miltertest.ActQuarantine|miltertest.ActSetSymList, all)
	check("v2", func(p *miltertest.Profile) { *p = miltertest.V2() }, 2, edits|miltertest.ActQuarantine, 0)
	check("edits only", func(p *miltertest.Profile) { p.Actions = edits }, 6, edits, all)
	check("no protocol", func(p *miltertest.Profile) { p.Protocol = 0 }, 6, edits|miltertest.ActQuarantine|miltertest.ActSetSymList, 0)
	check("no skip", func(p *miltertest.Profile) { p.Protocol &^= miltertest.ProtoSkip }, 6,
		edits|miltertest.ActQuarantine|miltertest.ActSetSymList, all&^miltertest.ProtoSkip|miltertest.ProtoNRBody)
}

// TestNoHeaderChanges: an MTA that does not let us remove forged fields gets a
// temporary failure for every message, and a log line.
func TestNoHeaderChanges(t *testing.T) {
	s := startZone(t, nil)
	p := miltertest.Postfix()
	p.Actions &^= miltertest.ActChangeHeaders
	c := s.dial(t, p)
	for range 2 {
		out := deliver(t, c, mail())
		if out.Action != miltertest.Tempfail || !strings.HasPrefix(out.SMTP, "451 4.3.0 ") {
			t.Errorf("got %s %q", out.Action, out.SMTP)
		}
	}
	quit(t, c)
	if n := s.log.count("message deferred: the MTA does not allow header changes"); n != 2 {
		t.Errorf("%d log lines", n)
	}
	// What is refused is over: a stop does not wait for it.
	c = s.dial(t, p)
	r, err := c.Connect("out.example.com", client)
	must(t, r, err)
	r, err = c.Mail("a@example.com")
	must(t, r, err)
	shutdown(t, s)
}

func TestOldVersion(t *testing.T) {
	s := startZone(t, nil)
	p := miltertest.V2()
	p.Version = 1
	if c, err := miltertest.Dial(s.network, s.addr, p); err == nil {
		c.Close()
		t.Error("version 1 was accepted")
	}
	if n := s.log.count("milter connection closed"); n != 1 {
		t.Errorf("%d log lines", n)
	}
}

// must fails the test on the error of a stage.
func must(t testing.TB, _ miltertest.Reply, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// stages runs a message up to and without the named stage.
func stages(t testing.TB, c *miltertest.Conn, until string) {
	t.Helper()
	for _, stage := range []struct {
		name string
		run  func() (miltertest.Reply, error)
	}{
		{"mail", func() (miltertest.Reply, error) { return c.Mail("old@example.org") }},
		{"rcpt", func() (miltertest.Reply, error) { return c.Rcpt("b@rcpt.test") }},
		{"data", c.Data},
		{"header", func() (miltertest.Reply, error) { return c.Header("From", " old@example.org") }},
		{"eoh", c.EOH},
		{"body", func() (miltertest.Reply, error) { return c.Body([]byte("Old.\r\n")) }},
		{"end", nil},
	} {
		if stage.name == until {
			return
		}
		r, err := stage.run()
		must(t, r, err)
	}
}

// TestAbort: a message may be given up at any time, once or several times, and the next
// one is judged on its own.
func TestAbort(t *testing.T) {
	for name, profile := range profiles {
		t.Run(name, func(t *testing.T) {
			s := startZone(t, nil)
			c := s.dial(t, profile)
			deliver(t, c, mail())
			for _, until := range []string{"mail", "rcpt", "data", "header", "eoh", "body", "end"} {
				stages(t, c, until)
				for range 2 {
					if err := c.Abort(); err != nil {
						t.Fatal(err)
					}
				}
				m := mail()
				out := deliver(t, c, m)
				wantIn(t, results(t, out), "spf=pass", "header.from=example.com")
			}
			quit(t, c)
		})
	}
}

// TestMailAgain: Sendmail sends no ABORT after some early ends; MAIL begins anew.
func TestMailAgain(t *testing.T) {
	s := startZone(t, nil)
	c := s.dial(t, miltertest.Sendmail())
	deliver(t, c, mail())
	stages(t, c, "eoh")
	wantIn(t, results(t, deliver(t, c, mail())), "header.from=example.com")
	quit(t, c)
}

// TestHeloTwice: STARTTLS brings a second HELO, which counts.
func TestHeloTwice(t *testing.T) {
	s := startZone(t, nil)
	c := s.dial(t, miltertest.Postfix())
	r, err := c.Connect("out.example.com", client)
	must(t, r, err)
	for _, name := range []string{"first.example.com", "second.example.com"} {
		r, err = c.Helo(name)
		must(t, r, err)
	}
	stages(t, c, "end")
	r, err = c.EOM()
	must(t, r, err)
	quit(t, c)
	wantIn(t, s.log.String(), "helo=second.example.com")
}

// TestNoMacros: none is required.
func TestNoMacros(t *testing.T) {
	s := startZone(t, nil)
	p := miltertest.Postfix()
	p.Macros, p.Values, p.MacroAlways, p.MacroEveryHeader = miltertest.Profile{}.Macros, nil, false, false
	p.Actions &^= miltertest.ActSetSymList
	c := s.dial(t, p)
	wantIn(t, results(t, deliver(t, c, mail())), "spf=pass")
	quit(t, c)
	wantIn(t, s.log.String(), `qid=""`)
}

// TestUnknownClient: a connection without address is examined all the same.
func TestUnknownClient(t *testing.T) {
	s := startZone(t, nil)
	c := s.dial(t, miltertest.Sendmail())
	r, err := c.ConnectUnknown("localhost")
	must(t, r, err)
	stages(t, c, "end")
	r, err = c.EOM()
	must(t, r, err)
	quit(t, c)
	wantIn(t, r.Edits[0].Value, "spf=none", "dmarc=none", "iprev=permerror")
}

// TestQuitNC: a new SMTP connection on the same socket has nothing of the one before.
func TestQuitNC(t *testing.T) {
	s := startZone(t, nil)
	c := s.dial(t, miltertest.Sendmail())
	deliver(t, c, mail())
	if err := c.QuitNC(); err != nil {
		t.Fatal(err)
	}
	m := mail()
	m.Client = netipAddr("198.51.100.1:25")
	wantIn(t, results(t, deliver(t, c, m)), "spf=fail", "policy.iprev=198.51.100.1")
	quit(t, c)
}

// TestUnknownCommand: commands that the library does not know are answered.
func TestUnknownCommand(t *testing.T) {
	s := startZone(t, nil)
	p := miltertest.Sendmail()
	p.Protocol &^= miltertest.ProtoNoUnknown | miltertest.ProtoNRUnknown | miltertest.ProtoNoData | miltertest.ProtoNRData
	c := s.dial(t, p)
	deliver(t, c, mail())
	for range 2 {
		r, err := c.Unknown("XYZZY")
		must(t, r, err)
		if r.Code != miltertest.RepContinue {
			t.Errorf("answered %c", r.Code)
		}
	}
	deliver(t, c, mail())
	quit(t, c)
}

// TestMalformed: a malformed frame, or one out of order, closes its connection with one
// log line, and no other.
func TestMalformed(t *testing.T) {
	s := startZone(t, nil)
	other := s.dial(t, miltertest.Postfix())
	lines := 0
	check := func(name string, talk func(c *miltertest.Conn)) {
		t.Helper()
		c := s.dial(t, miltertest.Postfix())
		talk(c)
		if err := c.Flush(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if code, payload, err := c.Read(); err == nil {
			t.Errorf("%s: answered %c %q", name, code, payload)
		}
		lines++
		if n := s.log.count("milter connection closed"); n != lines {
			t.Errorf("%s: %d log lines, want %d", name, n, lines)
		}
		c.Close()
	}
	raw := func(frame string) func(*miltertest.Conn) {
		return func(c *miltertest.Conn) { _ = c.SendRaw([]byte(frame)) }
	}
	inMail := func(code byte, payload string) func(*miltertest.Conn) {
		return func(c *miltertest.Conn) {
			_ = c.Send(miltertest.CmdMail, []byte("<a@example.com>\x00"))
			_ = c.Flush()
			if answer, _, err := c.Read(); err != nil || answer != miltertest.RepContinue {
				t.Errorf("MAIL was answered with %c, %v", answer, err)
			}
			_ = c.Send(code, []byte(payload))
		}
	}
	check("empty frame", raw("\x00\x00\x00\x00"))
	check("frame over the limit", raw("\x00\x10\x00\x01B"))
	check("huge frame", raw("\xff\xff\xff\xffB"))
	check("unknown command", raw("\x00\x00\x00\x01?"))
	check("second negotiation", raw("\x00\x00\x00\x0dO\x00\x00\x00\x06\x00\x00\x01\xff\x00\x1f\xff\xff"))
	check("connect without end", raw("\x00\x00\x00\x05Chost"))
	check("connect without family", raw("\x00\x00\x00\x06Chost\x00"))
	check("connect with unknown family", raw("\x00\x00\x00\x07Chost\x00X"))
	check("connect without address", raw("\x00\x00\x00\x09Chost\x004\x00\x19"))
	check("helo without end", raw("\x00\x00\x00\x02Hx"))
	check("helo with NUL", raw("\x00\x00\x00\x05Hx\x00y\x00"))
	check("empty macros", raw("\x00\x00\x00\x01D"))
	check("macro without value", raw("\x00\x00\x00\x04DCi\x00"))
	check("mail without end", raw("\x00\x00\x00\x02Mx"))
	check("rcpt without mail", raw("\x00\x00\x00\x03Rx\x00"))
	check("header without mail", raw("\x00\x00\x00\x05Lx\x00y\x00"))
	check("body without mail", raw("\x00\x00\x00\x02Bx"))
	check("end of message without mail", raw("\x00\x00\x00\x01E"))
	check("header without value", inMail('L', "X\x00"))
	check("header with three strings", inMail('L', "X\x00y\x00z\x00"))
	check("header without name", inMail('L', "\x00y\x00"))
	check("header without end", inMail('L', "X\x00y"))
	check("empty rcpt", inMail('R', ""))
	for _, cmd := range "CHM" {
		check("long "+string(cmd), raw("\x00\x00\x20\x02"+string(cmd)+strings.Repeat("x", 8<<10)+"\x00"))
	}
	check("long rcpt", inMail('R', strings.Repeat("x", 8<<10)+"\x00"))
	check("second end of headers", func(c *miltertest.Conn) { inMail('N', "")(c); _ = c.Send('N', nil) })
	check("header after the end of headers", func(c *miltertest.Conn) { inMail('N', "")(c); _ = c.Send('L', []byte("X\x00y\x00")) })
	deliver(t, other, mail())
	quit(t, other)
}

// TestFrameLimit: a frame of the limit is read, see TestMalformed for one octet more.
func TestFrameLimit(t *testing.T) {
	s := startZone(t, nil)
	c := s.dial(t, miltertest.Postfix())
	stages(t, c, "body")
	frame := binary.BigEndian.AppendUint32(nil, 1<<20)
	frame = append(append(frame, 'B'), make([]byte, 1<<20-1)...)
	if err := c.SendRaw(frame); err != nil {
		t.Fatal(err)
	}
	if code, _, err := c.Read(); err != nil || code != miltertest.RepSkip {
		t.Errorf("answered %c, %v", code, err)
	}
}

// TestLongCommands: an argument of the limit is read, see TestMalformed for one octet
// more.
func TestLongCommands(t *testing.T) {
	s := startZone(t, nil)
	c := s.dial(t, miltertest.Postfix())
	const end = "\x004\x61\xa8192.0.2.7\x00"
	for _, command := range []struct {
		cmd byte
		end string
	}{{'C', end}, {'H', "\x00"}, {'M', "\x00"}, {'R', "\x00"}} {
		if err := c.Send(command.cmd, []byte(strings.Repeat("x", 8<<10-len(command.end))+command.end)); err != nil {
			t.Fatal(err)
		}
	}
	if err := c.Flush(); err != nil {
		t.Fatal(err)
	}
	if code, _, err := c.Read(); err != nil || code != miltertest.RepContinue { // only MAIL is answered
		t.Errorf("answered %c, %v", code, err)
	}
	quit(t, c)
	if s.log.count("milter connection closed") != 0 {
		t.Error(s.log)
	}
}

// TestLargeMacros: a large frame is read whole, however it arrives.
func TestLargeMacros(t *testing.T) {
	s := startZone(t, nil)
	c := s.dial(t, miltertest.Postfix())
	for _, size := range []int{4095, 4096, 4097, 8192, 100_000, 1<<20 - 1} {
		value := strings.Repeat("x", size-len("Mi\x00\x00"))
		if err := c.Send('D', []byte("Mi\x00"+value+"\x00")); err != nil {
			t.Fatal(err)
		}
		wantIn(t, results(t, deliver(t, c, mail())), "spf=pass")
	}
	quit(t, c)
}

// TestCutShort: an MTA that goes away in the middle of a frame leaves one log
// line.
func TestCutShort(t *testing.T) {
	s := startZone(t, nil)
	c := s.dial(t, miltertest.Postfix())
	if err := c.SendRaw([]byte("\x00\x00\x00\x09M<a@")); err != nil {
		t.Fatal(err)
	}
	c.Close()
	shutdown(t, s)
	if n := s.log.count("milter connection closed"); n > 1 {
		t.Errorf("%d log lines", n)
	}
}

func shutdown(t testing.TB, s *service) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := s.Shutdown(ctx); err != nil {
		t.Errorf("shutdown: %v", err)
	}
}

// TestChunkWithEnd: old MTAs send the last chunk with end-of-message. The
// signature proves that it was not lost.
func TestChunkWithEnd(t *testing.T) {
	zone, raw := signedFields(t, "From: a@example.com\r\nTo: b@rcpt.test\r\n\r\nOne.\r\nTwo.\r\n")
	s := start(t, zone, nil)
	c := s.dial(t, miltertest.V2())
	header, body, _ := strings.Cut(string(raw), "\r\n\r\n")
	r, err := c.Connect("x", client)
	must(t, r, err)
	r, err = c.Mail("a@example.com")
	must(t, r, err)
	for _, f := range unfold(header) {
		name, value, _ := strings.Cut(f, ":")
		r, err = c.Header(name, value)
		must(t, r, err)
	}
	r, err = c.EOH()
	must(t, r, err)
	r, err = c.Body([]byte(body[:6]))
	must(t, r, err)
	if err := c.Send(miltertest.CmdEOM, []byte(body[6:])); err != nil {
		t.Fatal(err)
	}
	if err := c.Flush(); err != nil {
		t.Fatal(err)
	}
	for {
		code, payload, err := c.Read()
		if err != nil {
			t.Fatal(err)
		}
		if code == miltertest.RepInsertHeader {
			wantIn(t, string(payload), "dkim=pass")
		}
		if code == miltertest.RepContinue {
			break
		}
	}
}

// TestSkip: the body of an unsigned message is not sent further than one
// chunk, that of a signed one is.
func TestSkip(t *testing.T) {
	long := strings.Repeat(strings.Repeat("x", 76)+"\r\n", 10_000)
	zone, raw := signed(t, long)
	s := start(t, zone, nil)
	c := s.dial(t, miltertest.Postfix())
	m := mail()
	m.Raw = append(m.Raw, long...)
	if out := deliver(t, c, m); out.BodySent > miltertest.MaxChunk {
		t.Errorf("%d octets of an unsigned body were sent", out.BodySent)
	}
	m.Raw = raw
	out := deliver(t, c, m)
	if out.BodySent < len(long) {
		t.Errorf("only %d octets of a signed body were sent", out.BodySent)
	}
	wantIn(t, results(t, out), "dkim=pass")
	quit(t, c)
}

// panicky panics when it is asked for a certain name.
type panicky struct {
	lookup.Resolver
	name string
}

func (p panicky) TXT(ctx context.Context, name string) (*lookup.TXT, error) {
	if strings.HasSuffix(name, p.name) {
		panic("resolver")
	}
	return p.Resolver.TXT(ctx, name)
}

// TestPanic: a panic fails its message as configured, never for good, and
// nothing else; forged fields do not get through on the way.
func TestPanic(t *testing.T) {
	for _, name := range []string{"bad.example", "_dmarc.bad.example", "_domainkey.bad.example"} {
		for _, unable := range []policy.Action{policy.Accept, policy.Defer} {
			s := start(t, panicky{dnstest.MustParse(t, testZone), name}, func(s *filter.Settings) { s.WhenUnable = unable })
			c := s.dial(t, miltertest.Postfix())
			bad := mail("Authentication-Results: mx.example.net; dmarc=pass", "DKIM-Signature: v=1; a=rsa-sha256; d=bad.example; s=x; h=From; bh=eA==; b=eA==")
			bad.From = "a@bad.example"
			bad.Raw = []byte(strings.ReplaceAll(string(bad.Raw), "From: a@example.com", "From: a@bad.example"))
			out := deliver(t, c, bad)
			switch unable {
			case policy.Accept:
				if out.Action != miltertest.Accept || len(out.Fields("Authentication-Results")) != 0 {
					t.Errorf("%s: %s with %q", name, out.Action, out.Fields("Authentication-Results"))
				}
			case policy.Defer:
				if out.Action != miltertest.Tempfail || !strings.HasPrefix(out.SMTP, "451 4.3.0 ") {
					t.Errorf("%s: %s %q", name, out.Action, out.SMTP)
				}
			}
			wantIn(t, results(t, deliver(t, c, mail())), "spf=pass")
			quit(t, c)
			if n := s.log.count("msg=panic"); n != 1 {
				t.Errorf("%s: %d panics logged", name, n)
			}
		}
	}
}

// TestDrain: a stop closes what is between two messages and lets a message in
// flight finish.
func TestDrain(t *testing.T) {
	s := startZone(t, nil)
	idle := s.dial(t, miltertest.Postfix())
	deliver(t, idle, mail())
	busy := s.dial(t, miltertest.Postfix())
	r, err := busy.Connect("out.example.com", client)
	must(t, r, err)
	stages(t, busy, "body")
	if err := busy.Flush(); err != nil {
		t.Fatal(err)
	}
	// The filter has seen MAIL when it has answered something later.
	r, err = busy.Body([]byte("Old.\r\n"))
	must(t, r, err)

	stopped := make(chan error, 1)
	go func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		stopped <- s.Shutdown(ctx)
	}()
	if _, _, err := idle.Read(); err == nil {
		t.Error("the idle connection was not closed")
	}
	if _, err := net.DialTimeout("tcp", s.addr, time.Second); err == nil {
		t.Error("a new connection was accepted")
	}
	select {
	case err := <-stopped:
		t.Fatalf("stopped with a message in flight: %v", err)
	default:
	}
	r, err = busy.EOM()
	must(t, r, err)
	if len(r.Edits) == 0 {
		t.Error("the message in flight got no results")
	}
	if err := <-stopped; err != nil {
		t.Error(err)
	}
}

// TestDrainLimit: a message that does not end in time is cut off.
func TestDrainLimit(t *testing.T) {
	s := startZone(t, nil)
	c := s.dial(t, miltertest.Postfix())
	stages(t, c, "body")
	r, err := c.Body([]byte("Old.\r\n"))
	must(t, r, err)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := s.Shutdown(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

// endless is a resolver that answers nothing until the question is given up.
type endless struct{ lookup.Resolver }

func (endless) TXT(ctx context.Context, name string) (*lookup.TXT, error) {
	<-ctx.Done()
	return nil, &net.DNSError{Err: ctx.Err().Error(), Name: name, IsTemporary: true}
}

// TestDrainLimitDNS: a message that waits for DNS at its end is cut off too, long before
// its budget is spent.
func TestDrainLimitDNS(t *testing.T) {
	s := start(t, endless{dnstest.MustParse(t, testZone)}, func(s *filter.Settings) { s.Verifier.Budget = time.Hour })
	c := s.dial(t, miltertest.Postfix())
	r, err := c.Connect("out.example.com", client)
	must(t, r, err)
	stages(t, c, "end")
	ended := make(chan error, 1)
	go func() {
		_, err := c.EOM()
		ended <- err
	}()
	for later := time.Now().Add(time.Hour); s.Stuck(later, time.Minute) != 1; time.Sleep(time.Millisecond) {
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	stopped := make(chan error, 1)
	go func() { stopped <- s.Shutdown(ctx) }()
	select {
	case err := <-stopped:
		if !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
	case <-time.After(10 * time.Second):
		t.Fatal("it waits for DNS")
	}
	if err := <-ended; err == nil {
		t.Error("the message was answered")
	}
}

// TestReload: a session keeps the rules it began with.
func TestReload(t *testing.T) {
	s := startZone(t, nil)
	old := s.dial(t, miltertest.Postfix())
	forged := mail()
	forged.From, forged.Client = "x@example.org", netipAddr("198.51.100.1:25")
	if out := deliver(t, old, forged); out.Action != miltertest.Accept {
		t.Errorf("observing: %s", out.Action)
	}
	enforcing := s.settings
	enforcing.Rules = &policy.Rules{Enforce: true, OnReject: policy.Reject}
	s.Use(enforcing)
	if out := deliver(t, old, forged); out.Action != miltertest.Accept {
		t.Errorf("begun before the reload: %s", out.Action)
	}
	fresh := s.dial(t, miltertest.Postfix())
	out := deliver(t, fresh, forged)
	if out.Action != miltertest.Reject || !strings.HasPrefix(out.SMTP, "550 5.7.26 ") || !strings.Contains(out.SMTP, "example.com") {
		t.Errorf("begun after the reload: %s %q", out.Action, out.SMTP)
	}
	quit(t, old)
	quit(t, fresh)
}

// TestLeak: a thousand sessions, some broken off at each stage, leave no
// goroutine behind.
func TestLeak(t *testing.T) {
	s := startZone(t, nil)
	deliverOne := func(i int) {
		c := s.dial(t, miltertest.Postfix())
		switch i % 4 {
		case 0:
			deliver(t, c, mail())
			quit(t, c)
		case 1:
			stages(t, c, "eoh")
			c.Close()
		case 2:
			stages(t, c, "end")
			c.Close()
		case 3:
			c.Close()
		}
	}
	deliverOne(0)
	before := runtime.NumGoroutine()
	for i := range 1000 {
		deliverOne(i)
	}
	shutdown(t, s)
	// Serve and the connections are gone now; nothing else may have come.
	for deadline := time.Now().Add(10 * time.Second); runtime.NumGoroutine() > before; runtime.Gosched() {
		if time.Now().After(deadline) {
			stack := make([]byte, 1<<20)
			t.Fatalf("%d goroutines, %d before\n%s", runtime.NumGoroutine(), before, stack[:runtime.Stack(stack, true)])
		}
	}
}

// TestHeaderLimits: a message with a header section beyond our limits is deferred,
// also where what we cannot examine is accepted: the sender could have it so.
func TestHeaderLimits(t *testing.T) {
	fields := func(n int) []string {
		all := []string{"Authentication-Results: mx.example.net; dmarc=pass"}
		for len(all) < n-3 { // From, To and Subject are there
			all = append(all, "X-Filler: x")
		}
		return all
	}
	octets := func(n int) []string {
		const other = len("From a@example.comTo b@rcpt.testSubject xX-Filler ")
		return []string{"X-Filler: " + strings.Repeat("x", n-other)}
	}
	limits := filter.DefaultLimits()
	for _, unable := range []policy.Action{policy.Accept, policy.Defer} {
		s := startZone(t, func(s *filter.Settings) { s.WhenUnable = unable })
		c := s.dial(t, miltertest.Sendmail())
		for name, within := range map[string][]string{
			"fields": fields(limits.HeaderFields), "octets": octets(limits.HeaderBytes),
		} {
			out := deliver(t, c, mail(within...))
			wantIn(t, name+results(t, out), "spf=pass")
		}
		for name, beyond := range map[string][]string{
			"fields": fields(limits.HeaderFields + 1), "octets": octets(limits.HeaderBytes + 1),
		} {
			out := deliver(t, c, mail(beyond...))
			if out.Action != miltertest.Tempfail || !strings.HasPrefix(out.SMTP, "451 4.3.2 ") {
				t.Errorf("%s beyond the limit: %s %q", name, out.Action, out.SMTP)
			}
		}
		quit(t, c)
	}
}

// TestNoEndOfHeaders: an MTA that never says that the header is over is answered all
// the same.
func TestNoEndOfHeaders(t *testing.T) {
	for _, body := range []string{"", "Hello.\r\n"} {
		s := startZone(t, nil)
		c := s.dial(t, miltertest.V2())
		r, err := c.Connect("out.example.com", client)
		must(t, r, err)
		r, err = c.Mail("a@example.com")
		must(t, r, err)
		r, err = c.Header("From", " a@example.com")
		must(t, r, err)
		if body != "" {
			r, err = c.Body([]byte(body))
			must(t, r, err)
		}
		r, err = c.EOM()
		must(t, r, err)
		wantIn(t, r.Edits[len(r.Edits)-1].Value, "spf=pass", "dmarc=pass")
		quit(t, c)
		if strings.Contains(s.log.String(), "msg=panic") {
			t.Error("a panic was logged")
		}
	}
}
