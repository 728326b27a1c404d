package mtatest

import (
	"encoding/binary"
	"io"
	"net"
	"os"
	"path/filepath"
	"testing"
)

// TestMilterReached shows that each MTA turns to the milter it was given, by either kind of address and with version 6 of
// the protocol, and that it does so for the client only: waiting for an MTA to be ready must not make a session.
func TestMilterReached(t *testing.T) {
	test := func(network, address string) {
		t.Helper()
		listener, err := net.Listen(network, address)
		if err != nil {
			t.Fatal(err)
		}
		defer listener.Close()
		milter := "inet:" + listener.Addr().String()
		if network == "unix" {
			milter = "unix:" + address
			if err := os.Chmod(address, 0o666); err != nil {
				t.Fatal(err)
			}
		}
		greetings := make(chan []byte, 10)
		go refuse(listener, greetings)
		eachMTA(t, milter, func(t *testing.T, m *MTA, sink *Sink) {
			if n := len(greetings); n != 0 {
				t.Errorf("before the client: got %d milter sessions, want none", n)
			}
			c := Dial(t, m)
			wantReply(t, c, "EHLO client.test", 250)
			wantReply(t, c, "MAIL FROM:<you@sender.test>", 451)
			// Four bytes of length, the command O, four bytes of version.
			got := <-greetings
			if got[4] != 'O' || binary.BigEndian.Uint32(got[5:]) != 6 {
				t.Errorf("negotiation: got %q, want an offer of version 6", got)
			}
			if n := len(greetings); n != 0 {
				t.Errorf("one client: got %d more milter sessions", n)
			}
		})
	}
	test("tcp", "127.0.0.1:0")
	test("unix", filepath.Join(Folder(t), "milter.sock"))
}

// refuse is a milter that hangs up when it is asked what it wants, and reports what it was asked.
func refuse(listener net.Listener, greetings chan<- []byte) {
	for {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		greeting := make([]byte, 17)
		io.ReadFull(conn, greeting)
		conn.Close()
		greetings <- greeting
	}
}

// TestMilterDown uses the settings of contrib: while the milter is away, mail has to come back later.
func TestMilterDown(t *testing.T) {
	eachMTA(t, "inet:127.0.0.1:"+FreePort(t), func(t *testing.T, m *MTA, sink *Sink) {
		c := Dial(t, m)
		wantReply(t, c, "EHLO client.test", 250)
		wantReply(t, c, "MAIL FROM:<you@sender.test>", 451)
	})
}

func TestSendmailMilter(t *testing.T) {
	test := func(milter, want string) {
		t.Helper()
		if got := sendmailMilter(milter); got != want {
			t.Errorf("sendmailMilter(%q): got %q, want %q", milter, got, want)
		}
	}
	test("inet:127.0.0.1:8891", "inet:8891@127.0.0.1")
	test("inet:8891@127.0.0.1", "inet:8891@127.0.0.1")
	test("unix:/run/assay/milter.sock", "unix:/run/assay/milter.sock")
}
