package main

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"assay/filter"
	"assay/filter/miltertest"
	"assay/policy"
	"assay/verify/message"
)

var updateCases = flag.Bool("update", false, "write the wanted sections of testdata/cases anew")

// TestCases plays every case in process, as "assay check" does, and through a
// socket, with MTAs of several kinds. TestMTACases plays them with real ones.
func TestCases(t *testing.T) {
	for _, c := range readCases(t) {
		t.Run(c.name, func(t *testing.T) {
			if *updateCases {
				got := c.playSocket(t, "tcp", miltertest.Postfix())
				if err := c.update(got); err != nil {
					t.Fatal(err)
				}
				c.want = got
			}
			t.Run("in process", c.inProcess)
			t.Run("postfix", func(t *testing.T) { c.playSocket(t, "tcp", miltertest.Postfix()).compare(t, c.want) })
			t.Run("sendmail", func(t *testing.T) { c.playSocket(t, "unix", miltertest.Sendmail()).compare(t, c.want) })
			if !c.leadingGap {
				t.Run("version 2", func(t *testing.T) { c.playSocket(t, "tcp", miltertest.V2()).compare(t, c.want) })
			}
		})
	}
}

// inProcess looks only at what the methods and the policy say.
func (c *testCase) inProcess(t *testing.T) {
	zone := c.zone(t, asWritten)
	settings := c.settings(t, asWritten, "127.0.0.1:53")
	settings.Verifier.Resolver = zone
	header, body, err := message.Read(bytes.NewReader(c.message))
	if err != nil {
		t.Fatal(err)
	}
	m := &message.Message{
		Connection: message.Connection{Addr: c.client.Unmap(), Name: c.clientName, Helo: c.helo},
		Envelope:   message.Envelope{Sender: path(c.mail[0]), Recipients: c.rcpts, Authenticated: c.login},
		Header:     header,
		Received:   time.Now(),
	}
	if why := settings.Rules.Exempt(&m.Connection, &m.Envelope); why != "" {
		if !strings.Contains(c.want.log, "exempt: "+why) {
			t.Errorf("exempt: %s, want log %s", why, c.want.log)
		}
		return
	}
	got := outcome{reply: "accept", fields: c.want.fields, log: c.want.log}
	for _, sender := range c.refused {
		before := *m
		before.Envelope = message.Envelope{Sender: path(sender), Authenticated: c.login}
		e, err := examine(t.Context(), settings, &before, bytes.NewReader(nil))
		if err != nil {
			t.Fatal(err)
		}
		if e.early {
			got.refused += e.verdict.Reply.String() + "\n"
		}
	}
	e, err := examine(t.Context(), settings, m, body)
	if err != nil {
		t.Fatal(err)
	}
	if e.early {
		t.Error("refused at MAIL")
	}
	switch e.verdict.Action {
	case policy.Reject, policy.Defer:
		got.reply = e.verdict.Reply.String()
	case policy.Hold:
		got.reply = "hold " + e.verdict.Reason
	}
	if c.want.field != "" {
		got.field = written(e.field)
	}
	got.compare(t, c.want)
}

// playSocket hands the message to a filter as an MTA does.
func (c *testCase) playSocket(t *testing.T, network string, p miltertest.Profile) outcome {
	t.Helper()
	f := startFilter(t, network, c.settings(t, asWritten, c.zone(t, asWritten).Serve(t)))
	conn, err := miltertest.Dial(network, f.addr, p)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	m := miltertest.Message{
		Client: netip.AddrPortFrom(c.client, 25000), ClientName: c.clientName, Helo: c.helo,
		From: strings.TrimSuffix(strings.TrimPrefix(c.mail[0], "<"), ">"), FromArgs: c.mail[1:],
		Rcpts: c.rcpts, Raw: c.message,
	}
	if c.login != "" {
		m.Macros = map[string]string{"auth_authen": c.login}
	}
	var got outcome
	for _, sender := range c.refused {
		before := m
		before.From, before.FromArgs = path(sender), nil
		result, err := conn.Deliver(before)
		if err != nil {
			t.Fatal(err)
		}
		if result.At == miltertest.CmdMail {
			got.refused += unreferenced(result.SMTP) + "\n"
		}
	}
	result, err := conn.Deliver(m)
	if err != nil {
		t.Fatal(err)
	}
	if result.At != miltertest.CmdEOM {
		t.Errorf("answered at %q", result.At)
	}
	if err := conn.Quit(); err != nil {
		t.Error(err)
	}
	got.log = logged(f.log.String())
	switch result.Action {
	case miltertest.Accept:
		got.reply = "accept"
	case miltertest.Quarantine:
		got.reply = "hold " + result.Reason
	case miltertest.Reject, miltertest.Tempfail:
		got.reply = unreferenced(result.SMTP)
		return got
	default:
		t.Fatalf("%s", result.Action)
	}
	d := delivered{header: result.Header, body: result.Body}
	got.read(d, c.message)
	d.intact(t, c)
	return got
}

// testFilter is a filter under test, with what it logs.
type testFilter struct {
	*filter.Server
	addr string
	log  *logBuffer
}

// logBuffer collects what is logged.
type logBuffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *logBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *logBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

func (b *logBuffer) reset() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.text.Reset()
}

// startFilter runs a filter until the test ends.
func startFilter(t *testing.T, network string, s filter.Settings) *testFilter {
	t.Helper()
	addr := "127.0.0.1:0"
	if network == "unix" {
		folder, err := os.MkdirTemp("", "assay") // t.TempDir is too long a name for a socket
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { os.RemoveAll(folder) })
		addr = filepath.Join(folder, "s")
	}
	l, err := net.Listen(network, addr)
	if err != nil {
		t.Fatal(err)
	}
	f := &testFilter{addr: l.Addr().String(), log: &logBuffer{}}
	f.Server = filter.NewServer(slog.New(slog.NewTextHandler(f.log, nil)), s)
	served := make(chan error, 1)
	go func() { served <- f.Serve(l) }()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		for _, err := range []error{f.Shutdown(ctx), <-served} {
			if err != nil {
				t.Error(fmt.Errorf("filter: %w", err))
			}
		}
	})
	return f
}
