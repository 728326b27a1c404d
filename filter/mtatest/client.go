package mtatest

import (
	"bytes"
	"fmt"
	"net"
	"net/textproto"
	"strings"
	"testing"
	"time"
)

// patience is how long a client waits for one reply: longer than the longest time the MTAs give a filter.
const patience = 90 * time.Second

// Client is a raw SMTP conversation with an MTA. When the connection is lost its methods return code 0 and the error as
// the text, so that a test sees it where it compares the reply. A Client is for one goroutine at a time.
type Client struct {
	conn net.Conn
	text *textproto.Conn
}

// Dial connects to the MTA and reads its greeting. The connection is closed at the end of the test, if not before.
func Dial(t testing.TB, m *MTA) *Client {
	t.Helper()
	return DialFrom(t, m, "127.0.0.1")
}

// DialFrom is Dial from another address of this machine, such as "127.0.1.7", which the filter sees as the client's.
func DialFrom(t testing.TB, m *MTA, source string) *Client {
	t.Helper()
	dialer := net.Dialer{Timeout: patience, LocalAddr: &net.TCPAddr{IP: net.ParseIP(source)}}
	conn, err := dialer.Dial("tcp", m.Addr)
	if err != nil {
		t.Fatalf("mtatest: %s: %v", m.Name, err)
	}
	c := &Client{conn: conn, text: textproto.NewConn(conn)}
	t.Cleanup(func() { conn.Close() })
	if code, text := c.reply(); code != 220 {
		t.Fatalf("mtatest: %s: greeting: %d %s", m.Name, code, text)
	}
	return c
}

// Cmd sends one line, without its CRLF, and returns the reply: its code, and its text with lines joined by LF.
func (c *Client) Cmd(line string) (code int, text string) {
	if err := c.write([]byte(line + "\r\n")); err != nil {
		return 0, err.Error()
	}
	return c.reply()
}

// Data sends DATA, the message and the final dot, and returns the last reply. A message that does not end in CRLF gets one,
// and a line that begins with a dot gets a second; otherwise it is sent as it is, bare CR and LF too.
func (c *Client) Data(message []byte) (code int, text string) {
	if code, text = c.Cmd("DATA"); code != 354 {
		return code, text
	}
	stuffed := bytes.ReplaceAll(message, []byte("\r\n."), []byte("\r\n.."))
	if bytes.HasPrefix(stuffed, []byte(".")) {
		stuffed = append([]byte("."), stuffed...)
	}
	if len(stuffed) > 0 && !bytes.HasSuffix(stuffed, []byte("\r\n")) {
		stuffed = append(stuffed, "\r\n"...)
	}
	// One write, so that the end is not held back by Nagle's algorithm.
	if err := c.write(append(stuffed, ".\r\n"...)); err != nil {
		return 0, err.Error()
	}
	return c.reply()
}

// XClient makes an MTA that has XCLIENT take the connection as coming from another client: addr is its IPv4 or IPv6
// address, name its host name ("" when it has none), helo its HELO identity ("" to leave that to the EHLO that follows).
// The session begins anew: the reply is a greeting, and EHLO is the next command.
func (c *Client) XClient(addr, name, helo string) (code int, text string) {
	if strings.Contains(addr, ":") {
		addr = "IPV6:" + addr
	}
	if name == "" {
		name = "[UNAVAILABLE]"
	}
	line := "XCLIENT ADDR=" + addr + " NAME=" + xtext(name)
	if helo != "" {
		line += " HELO=" + xtext(helo)
	}
	return c.Cmd(line)
}

// Quit ends the conversation and closes the connection.
func (c *Client) Quit() (code int, text string) {
	code, text = c.Cmd("QUIT")
	c.conn.Close()
	return code, text
}

func (c *Client) write(b []byte) error {
	c.conn.SetDeadline(time.Now().Add(patience))
	_, err := c.conn.Write(b)
	return err
}

func (c *Client) reply() (code int, text string) {
	c.conn.SetDeadline(time.Now().Add(patience))
	code, text, err := c.text.ReadResponse(0)
	if err != nil {
		return 0, err.Error()
	}
	return code, text
}

// xtext is how XCLIENT carries values (RFC 3461 §4).
func xtext(s string) string {
	var b strings.Builder
	for _, c := range []byte(s) {
		if c <= ' ' || c > '~' || c == '+' || c == '=' {
			fmt.Fprintf(&b, "+%02X", c)
			continue
		}
		b.WriteByte(c)
	}
	return b.String()
}
