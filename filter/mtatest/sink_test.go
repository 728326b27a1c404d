package mtatest

import (
	"bufio"
	"fmt"
	"net"
	"strings"
	"testing"
)

func TestReadData(t *testing.T) {
	test := func(sent, want string) {
		t.Helper()
		in := bufio.NewReader(strings.NewReader(sent + "NOOP\r\n"))
		got, err := readData(in)
		if err != nil || string(got) != want {
			t.Errorf("readData(%q): got %q, %v, want %q", sent, got, err, want)
		}
		if rest, _ := in.ReadString('\n'); rest != "NOOP\r\n" {
			t.Errorf("readData(%q): left %q, want the next command", sent, rest)
		}
	}
	test(".\r\n", "")
	test("a\r\n.\r\n", "a\r\n")
	test("..\r\n.\r\n", ".\r\n")
	test("...a\r\n..b\r\nc.\r\n.\r\n", "..a\r\n.b\r\nc.\r\n")
	test("a\n.\r\nb\r\n.\r\n", "a\n.\r\nb\r\n")
	test("a\n.b\n..\r\n.\r\n", "a\n.b\n..\r\n")
	test("a\r.\r\n.\r\n", "a\r.\r\n")
	test(".\n\r\n.\r\n", "\n\r\n")

	if got, err := readData(bufio.NewReader(strings.NewReader("a\r\n.\n"))); err == nil {
		t.Errorf("readData without an end: got %q, want an error", got)
	}
}

// TestClientAndSink lets the two talk to each other: what the client sends is what the sink keeps.
func TestClientAndSink(t *testing.T) {
	sink := StartSink(t)
	c := Dial(t, &MTA{Name: "sink", Addr: sink.Addr})
	wantReply(t, c, "EHLO client.test", 250)
	test := func(message, want string) {
		t.Helper()
		wantReply(t, c, "MAIL FROM:<a> SIZE=1", 250)
		wantReply(t, c, "RCPT TO:<b>", 250)
		wantReply(t, c, "RCPT TO:<\"c>\"@d>", 250)
		wantData(t, c, message, 250)
		d := sink.Wait(t, 1)[0]
		if string(d.Data) != want {
			t.Errorf("%q: got %q, want %q", message, d.Data, want)
		}
		if got := fmt.Sprintf("%q %q", d.From, d.Rcpts); got != `"a" ["b" "\"c>\"@d"]` {
			t.Errorf("envelope: got %s", got)
		}
	}
	test("", "")
	test("a", "a\r\n")
	test(".", ".\r\n")
	test("..a\r\n.\r\n\r\n.b\r\n", "..a\r\n.\r\n\r\n.b\r\n")
	test("a\n.\nb\r.\r\nc\r\n", "a\n.\nb\r.\r\nc\r\n")
}

func TestWaitHandsOutOnce(t *testing.T) {
	sink := StartSink(t)
	for i := range 5 {
		go sink.keep(Delivery{From: fmt.Sprint(i)})
	}
	seen := map[string]bool{}
	for _, n := range []int{2, 0, 3} {
		got := sink.Wait(t, n)
		if len(got) != n {
			t.Fatalf("Wait(%d): got %d messages", n, len(got))
		}
		for _, d := range got {
			seen[d.From] = true
		}
	}
	if len(seen) != 5 {
		t.Errorf("five messages: got %v", seen)
	}
}

// TestConnectionLost shows that a client says how a connection ended where its reply would be.
func TestConnectionLost(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	go func() {
		if conn, err := listener.Accept(); err == nil {
			fmt.Fprint(conn, "220 hello\r\n")
			conn.Close()
		}
	}()
	c := Dial(t, &MTA{Name: "nobody", Addr: listener.Addr().String()})
	if code, text := c.Cmd("NOOP"); code != 0 || text == "" {
		t.Errorf("NOOP: got %d %q, want 0 and an error", code, text)
	}
}
