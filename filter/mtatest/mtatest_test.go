package mtatest

import (
	"bytes"
	"fmt"
	"slices"
	"testing"
)

// body has what gets lost easily: dots at line starts, trailing blanks, empty lines, bytes above 127.
const body = ".one dot\r\n..two\r\n.\r\ntrailing blanks \t \r\n\r\n\r\nna\xefve \xff\r\nend\r\n\r\n"

// TestWithoutMilter sends mail through each MTA and looks at what comes out at the other end.
func TestWithoutMilter(t *testing.T) {
	eachMTA(t, "", func(t *testing.T, m *MTA, sink *Sink) {
		t.Run("message", func(t *testing.T) { testMessage(t, m, sink) })
		t.Run("envelope", func(t *testing.T) { testEnvelope(t, m, sink) })
		t.Run("foreign recipient", func(t *testing.T) {
			c := DialFrom(t, m, "127.0.1.7")
			wantReply(t, c, "EHLO client.test", 250)
			wantReply(t, c, "MAIL FROM:<you@sender.test>", 250)
			if code, text := c.Cmd("RCPT TO:<me@elsewhere.test>"); code/100 != 5 {
				t.Errorf("RCPT: got %d %s, want a refusal", code, text)
			}
		})
	})
}

// testMessage sends three messages on one connection.
func testMessage(t *testing.T, m *MTA, sink *Sink) {
	c := DialFrom(t, m, "127.0.1.7")
	wantReply(t, c, "EHLO client.test", 250)
	for i := range 3 {
		field := fmt.Sprintf("Subject:  message\t%d ", i)
		wantReply(t, c, "MAIL FROM:<you@sender.test> BODY=8BITMIME", 250)
		wantReply(t, c, "RCPT TO:<me@rcpt.test>", 250)
		wantReply(t, c, "RCPT TO:<she@rcpt.test>", 250)
		wantData(t, c, "From: you@sender.test\r\n"+field+"\r\n\r\n"+body, 250)
		d := sink.Wait(t, 1)[0]
		slices.Sort(d.Rcpts) // Sendmail turns them round
		if d.From != "you@sender.test" || fmt.Sprint(d.Rcpts) != "[me@rcpt.test she@rcpt.test]" {
			t.Errorf("envelope: got %q to %q", d.From, d.Rcpts)
		}
		head, got, _ := bytes.Cut(d.Data, []byte("\r\n\r\n"))
		if string(got) != body {
			t.Errorf("body: got %q, want %q", got, body)
		}
		for _, want := range []string{field, "127.0.1.7"} {
			if !bytes.Contains(head, []byte(want)) {
				t.Errorf("header: got %q, want %q in it", head, want)
			}
		}
	}
	if code, text := c.Quit(); code != 221 {
		t.Errorf("QUIT: got %d %s, want 221", code, text)
	}
}

// testEnvelope sends what tests need beyond plain addresses.
func testEnvelope(t *testing.T, m *MTA, sink *Sink) {
	test := func(mail, want string) {
		t.Helper()
		c := Dial(t, m)
		wantReply(t, c, "HELO client.test", 250)
		wantReply(t, c, mail, 250)
		wantReply(t, c, "RCPT TO: me@rcpt.test", 250)
		wantData(t, c, "Subject: x\r\n\r\nx\r\n", 250)
		if got := sink.Wait(t, 1)[0].From; got != want {
			t.Errorf("%s: got %q, want %q", mail, got, want)
		}
	}
	test("MAIL FROM:<>", "")
	test("MAIL FROM: you@yourcompany.test", "you@yourcompany.test")
}

// TestXClient plays clients to Postfix, which says in its Received field who it believes them to be.
func TestXClient(t *testing.T) {
	sink := StartSink(t)
	m := StartPostfix(t, sink, "", "myhostname = other.rcpt.test") // an extra line wins over the harness's own
	test := func(addr, name, helo, want string) {
		t.Helper()
		c := Dial(t, m)
		wantReply(t, c, "EHLO before.test", 250)
		if code, text := c.XClient(addr, name, helo); code != 220 {
			t.Fatalf("XCLIENT: got %d %s, want 220", code, text)
		}
		if helo == "" {
			wantReply(t, c, "EHLO client.test", 250)
		}
		wantReply(t, c, "MAIL FROM:<you@sender.test>", 250)
		wantReply(t, c, "RCPT TO:<me@rcpt.test>", 250)
		wantData(t, c, "Subject: x\r\n\r\nx\r\n", 250)
		if got := sink.Wait(t, 1)[0].Data; !bytes.Contains(got, []byte("Received: from "+want)) {
			t.Errorf("XCLIENT %s %s %s: got %q, want %q in it", addr, name, helo, got, want)
		}
	}
	test("192.0.2.7", "mail.sender.test", "", "client.test (mail.sender.test [192.0.2.7])\r\n\tby other.rcpt.test")
	test("192.0.2.8", "", "helo.test", "helo.test (unknown [192.0.2.8])")
	test("2001:db8::7", "mail.sender.test", "", "client.test (mail.sender.test [IPv6:2001:db8::7])")
}

// eachMTA runs a test with each MTA and a sink.
func eachMTA(t *testing.T, milter string, run func(t *testing.T, m *MTA, sink *Sink)) {
	t.Run("Postfix", func(t *testing.T) {
		sink := StartSink(t)
		run(t, StartPostfix(t, sink, milter), sink)
	})
	t.Run("Sendmail", func(t *testing.T) {
		sink := StartSink(t)
		run(t, StartSendmail(t, sink, milter), sink)
	})
}

func wantReply(t *testing.T, c *Client, line string, want int) {
	t.Helper()
	if code, text := c.Cmd(line); code != want {
		t.Fatalf("%s: got %d %s, want %d", line, code, text, want)
	}
}

func wantData(t *testing.T, c *Client, message string, want int) {
	t.Helper()
	if code, text := c.Data([]byte(message)); code != want {
		t.Fatalf("DATA %q: got %d %s, want %d", message, code, text, want)
	}
}
