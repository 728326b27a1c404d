package main

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/tools/txtar"

	"assay/dnscache/dnstest"
	"assay/filter"
	"assay/filter/mtatest"
)

// TestMTACases plays every case with a real Postfix and a real Sendmail
// between a client and the server that gets the mail. Postfix plays any client;
// for Sendmail the addresses of the case become addresses of this machine.
func TestMTACases(t *testing.T) {
	cases := readCases(t)
	eachMTA(t, func(t *testing.T, s *stage) {
		for _, c := range cases {
			if !slices.Contains(c.mtas, strings.ToLower(s.mta.Name)) {
				continue
			}
			t.Run(c.name, func(t *testing.T) {
				s.use(c.settings(t, s.place, c.zone(t, s.place).Serve(t)))
				s.play(t, c).compare(t, c.want.at(s.place))
			})
		}
		s.nothingLeft(t)
	})
}

// stage is an MTA with a filter before it and a sink behind it.
type stage struct {
	*testFilter
	mta      *mtatest.MTA
	sink     *mtatest.Sink
	place    place
	rewrites []string // names of the fields that the MTA mends after the filter has seen them
	held     int      // messages that should be in its queue
}

// eachMTA runs a test with each MTA, both at the same time.
func eachMTA(t *testing.T, run func(t *testing.T, s *stage)) {
	settings := func(t *testing.T) filter.Settings {
		return (&testCase{archive: &txtar.Archive{}}).settings(t, asWritten, dnstest.New().Serve(t))
	}
	t.Run("Postfix", func(t *testing.T) {
		t.Parallel()
		s := &stage{testFilter: startFilter(t, "tcp", settings(t)), sink: mtatest.StartSink(t), place: asWritten}
		// Nobody here is a local user whose header Postfix completes.
		s.mta = mtatest.StartPostfix(t, s.sink, "inet:"+s.addr, "local_header_rewrite_clients =")
		run(t, s)
	})
	t.Run("Sendmail", func(t *testing.T) {
		t.Parallel()
		s := &stage{testFilter: startFilter(t, "tcp", settings(t)), sink: mtatest.StartSink(t), place: onLoopback, rewrites: []string{"From"}}
		s.mta = mtatest.StartSendmail(t, s.sink, "inet:"+s.addr)
		run(t, s)
	})
}

// use makes the next session work by other settings, and forgets the log.
func (s *stage) use(settings filter.Settings) {
	s.Use(settings)
	s.log.reset()
}

// dial is a connection that the MTA takes for one from the case's client.
func (s *stage) dial(t *testing.T, c *testCase) *mtatest.Client {
	t.Helper()
	if !s.mta.XCLIENT {
		return mtatest.DialFrom(t, s.mta, s.place(c.client.String()))
	}
	client := mtatest.Dial(t, s.mta)
	wantReply(t, client, "EHLO before.test", 250)
	addr := c.client.String()
	if c.client.Is6() {
		addr = "IPV6:" + addr
	}
	line := "XCLIENT ADDR=" + addr + " NAME=" + c.clientName
	if c.login != "" {
		line += " LOGIN=" + c.login
	}
	wantReply(t, client, line, 220)
	return client
}

// play sends the message and looks at what arrives.
func (s *stage) play(t *testing.T, c *testCase) outcome {
	t.Helper()
	client := s.dial(t, c)
	wantReply(t, client, "EHLO "+c.helo, 250)
	var got outcome
	for _, sender := range c.refused {
		if code, text := client.Cmd("MAIL FROM:" + sender); code != 250 {
			text = strings.Replace(text, sender+"... ", "", 1) // Sendmail says whom it is about
			got.refused += unreferenced(fmt.Sprintf("%d %s", code, text)) + "\n"
		}
	}
	wantReply(t, client, "MAIL FROM:"+strings.Join(c.mail, " "), 250)
	for _, rcpt := range c.rcpts {
		wantReply(t, client, "RCPT TO:<"+rcpt+">", 250)
	}
	code, text := client.Data(c.message)
	client.Quit()
	got.log = logged(s.log.String())
	switch {
	case code != 250:
		got.reply = unreferenced(fmt.Sprintf("%d %s", code, text))
		return got
	case strings.HasPrefix(c.want.reply, "hold"):
		s.held++ // see nothingLeft
		got.reply = c.want.at(s.place).reply
		got.field, got.fields = c.want.at(s.place).field, c.want.at(s.place).fields
		return got
	}
	got.reply = "accept"
	message := s.sink.Wait(t, 1)[0]
	if !slices.Equal(sorted(message.Rcpts), sorted(c.rcpts)) { // Sendmail turns their order round
		t.Fatalf("delivered to %q, want %q", message.Rcpts, c.rcpts)
	}
	d := parseDelivered(message.Data)
	got.read(d, c.message)
	d.intact(t, c, s.rewrites...)
	return got
}

// nothingLeft sends one more message, to show that none of those that were held
// or refused has been delivered.
func (s *stage) nothingLeft(t *testing.T) {
	t.Helper()
	client := mtatest.Dial(t, s.mta)
	wantReply(t, client, "EHLO out.example.com", 250)
	wantReply(t, client, "MAIL FROM:<a@example.com>", 250)
	wantReply(t, client, "RCPT TO:<last@rcpt.test>", 250)
	if code, text := client.Data([]byte("From: a@example.com\r\n\r\nThe end.\r\n")); code != 250 {
		t.Errorf("%d %s", code, text)
	}
	s.wantHeld(t)
	if last := s.sink.Wait(t, 1)[0]; last.Rcpts[0] != "last@rcpt.test" {
		t.Errorf("delivered to %q, which should have been refused or held", last.Rcpts)
	}
}

// wantHeld waits until Postfix has said of every held message that it holds it.
// Sendmail says so to syslog only.
func (s *stage) wantHeld(t *testing.T) {
	t.Helper()
	if s.mta.Name != "Postfix" {
		return
	}
	const words = "milter triggers HOLD action"
	late := time.After(30 * time.Second)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for strings.Count(s.mta.Log(t), words) < s.held {
		select {
		case <-tick.C:
		case <-late:
			t.Errorf("%s holds %d messages, want %d", s.mta.Name, strings.Count(s.mta.Log(t), words), s.held)
			return
		}
	}
}

func wantReply(t *testing.T, c *mtatest.Client, line string, want int) {
	t.Helper()
	if code, text := c.Cmd(line); code != want {
		t.Fatalf("%s: got %d %s, want %d", line, code, text, want)
	}
}

func sorted(all []string) []string { return slices.Sorted(slices.Values(all)) }
