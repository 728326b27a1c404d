package mtatest

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"
)

// arrival is how long Wait waits for mail: far longer than any MTA needs to deliver.
const arrival = 30 * time.Second

// Sink is an SMTP server that accepts everything and keeps it. It is safe for concurrent use.
type Sink struct {
	Addr string // where it listens, host and port

	listener net.Listener
	done     sync.WaitGroup

	mu     sync.Mutex
	closed bool
	conns  map[net.Conn]bool
	kept   []Delivery    // not yet handed out by Wait
	more   chan struct{} // closed, and replaced, when kept grows
}

// Delivery is one message as the MTA delivered it.
type Delivery struct {
	From  string   // reverse-path without its angle brackets and parameters; empty for the null sender
	Rcpts []string // forward-paths, likewise
	Data  []byte   // the message byte for byte, CRLF and all; only the dots of transparency are removed
}

// StartSink starts a sink that stops at the end of the test.
func StartSink(t testing.TB) *Sink {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatalf("mtatest: sink: %v", err)
	}
	s := &Sink{
		Addr:     listener.Addr().String(),
		listener: listener,
		conns:    make(map[net.Conn]bool),
		more:     make(chan struct{}),
	}
	s.done.Add(1)
	go s.serve()
	t.Cleanup(s.close)
	return s
}

// Wait blocks until n messages have arrived that it has not handed out before, and hands out the first n of them in the
// order of their arrival. The test fails when they don't come within 30 seconds. Call it from the test's own goroutine.
func (s *Sink) Wait(t testing.TB, n int) []Delivery {
	t.Helper()
	late := time.NewTimer(arrival)
	defer late.Stop()
	for {
		s.mu.Lock()
		kept, more := s.kept, s.more
		if len(kept) >= n {
			s.kept = kept[n:]
			s.mu.Unlock()
			return kept[:n:n]
		}
		s.mu.Unlock()
		select {
		case <-more:
		case <-late.C:
			t.Fatalf("mtatest: sink: got %d messages in %v, want %d", len(kept), arrival, n)
		}
	}
}

func (s *Sink) serve() {
	defer s.done.Done()
	for {
		conn, err := s.listener.Accept()
		if err != nil {
			return
		}
		s.mu.Lock()
		if s.closed {
			s.mu.Unlock()
			conn.Close()
			return
		}
		s.conns[conn] = true
		s.done.Add(1)
		s.mu.Unlock()
		go func() {
			defer s.done.Done()
			s.converse(conn)
			conn.Close()
			s.mu.Lock()
			delete(s.conns, conn)
			s.mu.Unlock()
		}()
	}
}

func (s *Sink) close() {
	s.listener.Close()
	s.mu.Lock()
	s.closed = true
	for conn := range s.conns {
		conn.Close() // MTAs keep idle connections for the next message
	}
	s.mu.Unlock()
	s.done.Wait()
}

func (s *Sink) keep(d Delivery) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.kept = append(s.kept, d)
	close(s.more)
	s.more = make(chan struct{})
}

// converse is one SMTP session. It ends with QUIT or with the connection, whose errors concern nobody here.
func (s *Sink) converse(conn net.Conn) {
	in := bufio.NewReader(conn)
	reply := func(text string) { fmt.Fprintf(conn, "%s\r\n", text) }
	reply("220 sink.test ESMTP")
	var d Delivery
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			return
		}
		verb, rest, _ := strings.Cut(strings.TrimRight(line, "\r\n"), " ")
		switch strings.ToUpper(verb) {
		case "EHLO":
			reply("250-sink.test\r\n250-PIPELINING\r\n250-8BITMIME\r\n250 SMTPUTF8")
		case "MAIL":
			d = Delivery{From: path(rest)}
			reply("250 2.1.0 Ok")
		case "RCPT":
			d.Rcpts = append(d.Rcpts, path(rest))
			reply("250 2.1.5 Ok")
		case "DATA":
			reply("354 Go on")
			if d.Data, err = readData(in); err != nil {
				return
			}
			s.keep(d)
			d = Delivery{}
			reply("250 2.0.0 Kept")
		case "QUIT":
			reply("221 2.0.0 Bye")
			return
		default: // HELO, RSET, NOOP
			d = Delivery{}
			reply("250 2.0.0 Ok")
		}
	}
}

// path is what stands between the angle brackets of a MAIL or RCPT command.
func path(argument string) string {
	_, argument, _ = strings.Cut(argument, "<")
	if end := strings.LastIndexByte(argument, '>'); end >= 0 {
		return argument[:end]
	}
	return argument
}

// readData reads up to the dot on a line of its own. Only CRLF ends a line: a test must see a bare CR or LF where it is.
func readData(in *bufio.Reader) ([]byte, error) {
	var data bytes.Buffer
	atStart := true
	for {
		line, err := in.ReadBytes('\n')
		if err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		if err != nil {
			return nil, err
		}
		if atStart && string(line) == ".\r\n" {
			return data.Bytes(), nil
		}
		if atStart && line[0] == '.' {
			line = line[1:]
		}
		data.Write(line)
		atStart = bytes.HasSuffix(line, []byte("\r\n"))
	}
}
