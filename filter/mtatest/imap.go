package mtatest

import (
	"fmt"
	"io"
	"net"
	"net/textproto"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
)

// imapClient is as much of IMAP (RFC 9051) as it takes to see what is in a mailbox.
type imapClient struct {
	conn net.Conn
	text *textproto.Conn
}

// dialIMAP logs in to a mailbox.
func dialIMAP(t testing.TB, addr, mailbox string) *imapClient {
	t.Helper()
	conn, err := net.DialTimeout("tcp", addr, patience)
	if err != nil {
		t.Fatalf("mtatest: IMAP: %v", err)
	}
	conn.SetDeadline(time.Now().Add(patience))
	c := &imapClient{conn: conn, text: textproto.NewConn(conn)}
	if greeting, err := c.text.ReadLine(); err != nil || !strings.HasPrefix(greeting, "* OK") {
		t.Fatalf("mtatest: IMAP: greeting: %q, %v", greeting, err)
	}
	c.cmd(t, fmt.Sprintf("LOGIN %q secret", mailbox))
	return c
}

func (c *imapClient) close() { c.conn.Close() }

// fetchAll returns the messages of every folder.
func (c *imapClient) fetchAll(t testing.TB) map[string][][]byte {
	t.Helper()
	all := make(map[string][][]byte)
	listed, _ := c.cmd(t, `LIST "" *`)
	for _, line := range listed {
		name := strings.Trim(line[strings.LastIndexByte(line, ' ')+1:], `"`)
		c.cmd(t, fmt.Sprintf("EXAMINE %q", name))
		// By UID, for which there may be no message.
		if _, messages := c.cmd(t, "UID FETCH 1:* BODY.PEEK[]"); len(messages) > 0 {
			all[name] = messages
		}
	}
	return all
}

// literal is the announcement of so many octets, at the end of a line.
var literal = regexp.MustCompile(`\{(\d+)\}$`)

// cmd sends a command and returns the lines of its answer and the literals in them. The test fails unless it is answered OK.
func (c *imapClient) cmd(t testing.TB, command string) (lines []string, literals [][]byte) {
	t.Helper()
	fatal := func(answer string, err error) { t.Fatalf("mtatest: IMAP: %s: %q, %v", command, answer, err) }
	if err := c.text.PrintfLine("a %s", command); err != nil {
		fatal("", err)
	}
	for {
		line, err := c.text.ReadLine()
		if err != nil {
			fatal(line, err)
		}
		if end, ended := strings.CutPrefix(line, "a "); ended {
			if !strings.HasPrefix(end, "OK") {
				fatal(line, nil)
			}
			return lines, literals
		}
		lines = append(lines, line)
		if m := literal.FindStringSubmatch(line); m != nil {
			size, _ := strconv.Atoi(m[1]) // digits
			octets := make([]byte, size)
			if _, err := io.ReadFull(c.text.R, octets); err != nil {
				fatal(line, err)
			}
			literals = append(literals, octets)
		}
	}
}
