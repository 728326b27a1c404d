package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"assay/config"
	"assay/policy"
	"assay/verify"
	"assay/verify/authres"
	"assay/verify/domain"
	"assay/verify/message"
)

// TestReplay runs the commands of testdata/replay.
func TestReplay(t *testing.T) { playArchives(t, "testdata/replay") }

// split returns the messages of an mbox.
func split(t *testing.T, in io.Reader, size int) []string {
	t.Helper()
	var all []string
	walkMbox("box", bufio.NewReaderSize(in, size), func(name string, m io.Reader, err error) bool {
		if err != nil {
			t.Errorf("%s: %v", name, err)
			return false
		}
		text, err := io.ReadAll(m)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		all = append(all, string(text))
		return true
	})
	return all
}

const separatorLine = "From a@example.com Thu Jan  1 00:00:00 2026\n"

func TestMbox(t *testing.T) {
	is := func(box string, want ...string) {
		t.Helper()
		if got := split(t, strings.NewReader(box), chunkBytes); !slices.Equal(got, want) {
			t.Errorf("%q:\n got %q\nwant %q", box, got, want)
		}
		// What the reader returns at once, and how long its lines may be, changes
		// nothing.
		if got := split(t, iotest.OneByteReader(strings.NewReader(box)), 16*maxSeparator); !slices.Equal(got, want) {
			t.Errorf("%q byte by byte:\n got %q\nwant %q", box, got, want)
		}
	}
	is("")
	is(separatorLine, "")
	is("From \n", "")
	is("From x", "")
	is(separatorLine+"A: b\n\nc\n", "A: b\n\nc\n")
	is(separatorLine+"A: b\n\nc", "A: b\n\nc")
	is(separatorLine+"A: b\n\nc\n\n", "A: b\n\nc\n")
	is(separatorLine+"A: b\n\nc\n\n"+separatorLine+"D: e\n\nf\n\n", "A: b\n\nc\n", "D: e\n\nf\n")
	is(separatorLine+"A: b\n\n\n\n\n"+separatorLine+"D: e\n", "A: b\n\n\n\n", "D: e\n")
	is(separatorLine+"A: b\n\n"+separatorLine+separatorLine, "A: b\n", separatorLine)
	is(separatorLine+"\nno header\n", "\nno header\n")
	is(strings.ReplaceAll(separatorLine+"A: b\n\nc\n\n"+separatorLine+"D: e\n", "\n", "\r\n"), "A: b\r\n\r\nc\r\n", "D: e\r\n")
	// What looks like a separator and is none.
	is(separatorLine+"A: b\n\nc\n"+separatorLine+"d\n", "A: b\n\nc\n"+separatorLine+"d\n")
	is(separatorLine+"A: b\n\nFrom here on I walked.\n", "A: b\n\nFrom here on I walked.\n")
	is(separatorLine+"A: b\n\nFrom Monday to 2026\n", "A: b\n\nFrom Monday to 2026\n")
	// mboxrd.
	is(separatorLine+"A: b\n\n>From x\n>>From y\n> From z\n>Fro\n", "A: b\n\nFrom x\n>From y\n> From z\n>Fro\n")
	// Dates of other writers.
	is("From - Thu Jan 01 00:00:00 2026\nA: b\n\nFrom 17@xxx Thu Jan 01 00:00:00 +0000 2026\nC: d\n", "A: b\n", "C: d\n")
	// Long lines.
	long := strings.Repeat("x", 3*chunkBytes)
	is(separatorLine+"A: "+long+"\n\n>From "+long+"\n", "A: "+long+"\n\nFrom "+long+"\n")
	is("From "+long+"\nA: b\n", "A: b\n")
}

// TestMboxUnread: a message that is not read to its end does not spill over.
func TestMboxUnread(t *testing.T) {
	box := separatorLine + "A: b\n\n" + strings.Repeat("x\n\n", 1000) + separatorLine + "C: d\n"
	var starts []string
	walkMbox("box", bufio.NewReader(strings.NewReader(box)), func(_ string, m io.Reader, _ error) bool {
		start := make([]byte, 4)
		_, _ = io.ReadFull(m, start)
		starts = append(starts, string(start))
		return true
	})
	if want := []string{"A: b", "C: d"}; !slices.Equal(starts, want) {
		t.Errorf("got %q, want %q", starts, want)
	}
}

// TestMaildirFromWithin: a folder of messages is one by whatever name it is called.
func TestMaildirFromWithin(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "cur")
	if err := os.Mkdir(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, "1"), []byte("A: b\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	t.Chdir(folder)
	found := 0
	walkMailbox(".", func(string, io.Reader, error) bool { found++; return true })
	if found != 1 {
		t.Errorf("%d messages", found)
	}
}

// TestMboxError: a mailbox that breaks off is named, once.
func TestMboxError(t *testing.T) {
	broken := errors.New("disk on fire")
	in := io.MultiReader(strings.NewReader(separatorLine+"A: b\n\nc\n"), iotest.ErrReader(broken))
	var got []string
	walkMbox("box", bufio.NewReader(in), func(name string, m io.Reader, err error) bool {
		if err == nil {
			_, err = io.ReadAll(m)
		}
		got = append(got, fmt.Sprint(name, " ", err))
		return len(got) < 10
	})
	if len(got) == 0 || len(got) > 2 || got[0] != "box:1 disk on fire" {
		t.Errorf("got %q", got)
	}
}

// FuzzMbox: nothing of a mailbox is lost but separators, quotes and the empty
// lines before a separator, however it is cut into pieces.
func FuzzMbox(f *testing.F) {
	f.Add(separatorLine + "A: b\n\n>From x\n\n" + separatorLine + "C: d\n\n")
	f.Add("From \r\n\r\nFrom a Thu 1:00 2026\r\n\r\n")
	f.Fuzz(func(t *testing.T, box string) {
		all := split(t, strings.NewReader(box), chunkBytes)
		if again := split(t, iotest.HalfReader(strings.NewReader(box)), 16*maxSeparator); !slices.Equal(all, again) {
			t.Errorf("got %q, in pieces %q", all, again)
		}
		size := 0
		for _, m := range all {
			size += len(m)
		}
		if size > len(box) {
			t.Errorf("%d bytes from %d", size, len(box))
		}
	})
}

// offline is a replay without DNS, from observing to refusing.
func offline(t *testing.T, talk io.Writer) *replay {
	t.Helper()
	parse := func(text string) side {
		c, err := config.Parse("test", []byte("authserv_id = \"mx.example.net\"\n"+text), "mx.example.net")
		if err != nil {
			t.Fatal(err)
		}
		return sideOf(c)
	}
	r := &replay{
		id:  authres.NewID("mx.example.net"),
		now: parse(""), then: parse("policy.mode = \"enforce\"\npolicy.on_reject = \"reject\""),
		clock: time.Now, talk: talk, progress: newProgress(talk, false, time.Now),
	}
	r.passedErrors.talk = r.progress
	return r
}

// endless is an mbox of that many messages of 1 MiB each, each of another
// author.
type endless struct {
	messages int
	buf      bytes.Buffer
}

func (e *endless) Read(p []byte) (int, error) {
	if e.buf.Len() == 0 {
		if e.messages == 0 {
			return 0, io.EOF
		}
		e.messages--
		fmt.Fprintf(&e.buf, "%sAuthentication-Results: mx.example.net; dmarc=fail header.from=d%d.example policy.dmarc=reject\nFrom: a@d%[2]d.example\n\n", separatorLine, e.messages)
		e.buf.WriteString(strings.Repeat(strings.Repeat("x", 79)+"\n", 1<<20/80))
		e.buf.WriteByte('\n')
	}
	return e.buf.Read(p)
}

// TestReplayMemory: a mailbox of 100 MiB is streamed.
func TestReplayMemory(t *testing.T) {
	const messages, most = 100, 16 << 20
	r := offline(t, io.Discard)
	var before, now runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	walkMbox("box", bufio.NewReaderSize(&endless{messages: messages}, chunkBytes), func(name string, in io.Reader, err error) bool {
		if err != nil {
			t.Fatal(err)
		}
		finish, err := r.begin(context.Background(), name, in)
		if err == nil {
			err = finish()
		}
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		runtime.GC()
		runtime.ReadMemStats(&now)
		if now.HeapAlloc > before.HeapAlloc+most {
			t.Fatalf("%s: %d bytes in use, %d before", name, now.HeapAlloc, before.HeapAlloc)
		}
		return true
	})
	if report := r.differences.report(); report.Judged != messages || report.Different != messages {
		t.Errorf("got %+v, want %d", report, messages)
	}
}

// TestVerifiersOf: a message is evaluated twice only where that may come to other
// findings.
func TestVerifiersOf(t *testing.T) {
	check := func(now, then, want string) {
		t.Helper()
		var configs [2]config.Config
		for i, text := range []string{now, then} {
			var err error
			if configs[i], err = config.Parse("test", []byte(text), testID); err != nil {
				t.Fatal(err)
			}
		}
		got := ""
		for _, v := range verifiersOf(nil, configs[0], configs[1]) {
			got += fmt.Sprintf("arc=%v header=%v authors=%v forwarders=%d queries=%d;", v.ARC, v.JudgeHeader, v.EvaluateAllAuthors, len(v.Forwarders), v.Queries)
		}
		if got != want {
			t.Errorf("%q and %q:\n got %s\nwant %s", now, then, got, want)
		}
	}
	const (
		plain     = "arc=true header=false authors=false forwarders=0 queries=64;"
		forwarder = "[[forwarder]]\nnetworks = \"192.0.2.0/24\"\nrecipient_domain = \"example.net\"\n"
	)
	check("", "policy.mode = \"enforce\"\npolicy.enforce_percent = 1\narc.trusted_sealers = [\"x.example\"]\ndns.servers = [\"192.0.2.1\"]", plain)
	check("arc.enable = false", "policy.on_reject = \"careful\"", "arc=true header=true authors=false forwarders=0 queries=64;")
	check("arc.enable = false", "arc.enable = false", "arc=false header=false authors=false forwarders=0 queries=64;")
	check("", "dmarc.evaluate_all_authors = true", plain+"arc=true header=false authors=true forwarders=0 queries=64;")
	check(forwarder, "", "arc=true header=false authors=false forwarders=1 queries=64;"+plain)
	check(forwarder, forwarder, "arc=true header=false authors=false forwarders=1 queries=64;")
	check("", "dns.message_queries = 36", plain+"arc=true header=false authors=false forwarders=0 queries=36;")
}

// TestGroupsLimit: one more difference than are kept apart.
func TestGroupsLimit(t *testing.T) {
	var d differences
	for i := range maxGroups + 1 {
		f := verify.Findings{Author: message.Author{Domain: domain.MustParse(fmt.Sprintf("d%d.example", i))}}
		d.add("m", judgement{f, policy.Verdict{Action: policy.Accept}}, judgement{f, policy.Verdict{Action: policy.Tag}})
	}
	if r := d.report(); len(r.Differences) != maxGroups || r.Other != 1 || r.Different != maxGroups+1 {
		t.Errorf("%d groups, %d others, %d different", len(r.Differences), r.Other, r.Different)
	}
}

// TestBroken: what cannot be read is named as often as maxNamed, and never
// ends a replay.
func TestBroken(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "cur")
	if err := os.Mkdir(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for i := range maxNamed + 3 {
		write(fmt.Sprintf("junk%d", i), "\x00\x1b[2J no header")
	}
	write("long", "A: "+strings.Repeat("x", message.MaxHeaderBytes)+"\n\n")
	write("good", "Authentication-Results: mx.example.net; dmarc=pass header.from=example.com\nFrom: a@example.com\n\n")
	if err := os.Symlink("good", filepath.Join(folder, "link")); err != nil {
		t.Fatal(err)
	}
	var talk strings.Builder
	r := offline(t, &talk)
	if err := r.run(context.Background(), []string{folder}); err != nil {
		t.Fatal(err)
	}
	if report := r.differences.report(); report.Judged != 1 || report.PassedOver != maxNamed+4 {
		t.Errorf("got %+v", report)
	}
	if lines := strings.Count(talk.String(), "\n"); lines != maxNamed+1 || !strings.HasSuffix(talk.String(), "assay: 4 more passed over\n") || strings.Contains(talk.String(), "\x1b") {
		t.Errorf("%d lines:\n%s", lines, &talk)
	}
}

// TestReplayStops: nothing more is read when the replay is given up.
func TestReplayStops(t *testing.T) {
	path := filepath.Join(t.TempDir(), "box")
	if err := os.WriteFile(path, []byte(strings.Repeat(separatorLine+"A: b\n\n", 1000)), 0o644); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	r := offline(t, io.Discard)
	if err := r.run(ctx, []string{path}); !errors.Is(err, context.Canceled) || r.passedErrors.count != 1 {
		t.Errorf("got %v after %d messages", err, r.passedErrors.count)
	}
}

func TestArrival(t *testing.T) {
	says := func(field, want string) {
		t.Helper()
		m := &message.Message{Header: message.Header{{Name: "Delivered-To", Value: " d@example.net"}, {Name: "Received", Value: field}}}
		at := arrival(m)
		got := fmt.Sprint(m.Connection.TLS, m.Envelope.Authenticated != "", m.Envelope.Recipients, at.Unix())
		if got != want {
			t.Errorf("%q: got %s, want %s", field, got, want)
		}
	}
	none := fmt.Sprint(time.Time{}.Unix())
	says(" from a (b [192.0.2.1]) by c with ESMTPS id 1 for <r@example.net>; Thu, 1 Jan 1970 00:01:00 +0000", "true false [r@example.net] 60")
	says(" from a by c with ESMTPSA id 1 for <r@example.net>;\r\n\tThu, 1 Jan 1970 01:01:00 +0100 (CET)", "true true [r@example.net] 60")
	says(" from a by c with ESMTPA; x", "false true [d@example.net] "+none)
	says(" from a by c with SMTP for 3600 seconds", "false false [d@example.net] "+none)
	says(" from a by c with PASSAS", "false false [d@example.net] "+none)
	says(" by c (Postfix, from userid 0) with ESMTPSA; Thu, 1 Jan 1970 00:01:00 +0000", "false false [d@example.net] "+none)
	says("", "false false [d@example.net] "+none)
	says(" from", "false false [d@example.net] "+none)
}

func TestAsReceived(t *testing.T) {
	is := func(names, want string) {
		t.Helper()
		var h message.Header
		for _, name := range strings.Fields(names) {
			name, by, _ := strings.Cut(name, "/")
			h = append(h, message.Field{Name: name, Value: " " + strings.ReplaceAll(by, "_", " ")})
		}
		var got []string
		for _, f := range asReceived(h) {
			got = append(got, f.Name)
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s: got %v, want %s", names, got, want)
		}
	}
	is("Return-Path Received/by_b Authentication-Results received/FROM_a_by_b Received/from_c_by_a From To", "Received From To")
	is("From Received/from_a_by_b To", "From Received To")
	is("To From", "To From")
	is("", "")
}

func TestWithoutLaterHops(t *testing.T) {
	is := func(names, want string) {
		t.Helper()
		var h message.Header
		for _, name := range strings.Fields(names) {
			name, by, _ := strings.Cut(name, "/")
			if by != "" {
				by = " " + by + ".example; dmarc=pass"
			}
			h = append(h, message.Field{Name: name, Value: by})
		}
		var got []string
		for _, f := range withoutLaterHops(h, authres.NewID("our.example")) {
			got = append(got, f.Name)
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s: got %v, want %s", names, got, want)
		}
	}
	const ar = "Authentication-Results"
	is("Return-Path Received X Received "+ar+"/our Received From", "Return-Path X "+ar+" Received From")
	is("Received "+ar+"/other Received From", "Received "+ar+" Received From")
	is(ar+"/our Received "+ar+"/our From", ar+" Received "+ar+" From")
	is("Received From", "Received From")
}

// TestRecorded: whose fields count, and what they are read as.
func TestRecorded(t *testing.T) {
	const ours = "mx.example.net; "
	reads := func(want string, fields ...string) {
		t.Helper()
		m := &message.Message{Header: message.Header{{Name: "From", Value: " a@example.com"}}}
		for _, f := range fields {
			name, value, _ := strings.Cut(f, ":")
			m.Header = append(m.Header, message.Field{Name: name, Value: value})
		}
		f, ok := recorded(m, authres.NewID("MX.example.net."))
		got := fmt.Sprintf("%v spf=%s %s dkim=%d dmarc=%s %s", ok, f.SPF.Result, f.SPF.Domain, len(f.DKIM), f.DMARC.Result, f.DMARC.Requested)
		if got != want {
			t.Errorf("%q:\n got %s\nwant %s", fields, got, want)
		}
	}
	const field = "Authentication-Results: "
	reads("false spf=none  dkim=0 dmarc= ")
	reads("true spf=pass example.net dkim=1 dmarc=fail reject", field+ours+"spf=pass smtp.mailfrom=a@example.net; dkim=pass header.d=x.example; dmarc=fail policy.dmarc=reject header.from=example.com")
	reads("true spf=none  dkim=0 dmarc=pass ", field+ours+"dmarc=pass", "Received: x", field+ours+"dmarc=fail; spf=fail; dkim=fail")
	reads("true spf=fail  dkim=0 dmarc=pass ", field+ours+"dmarc=pass", field+ours+"spf=fail")
	reads("true spf=none  dkim=0 dmarc=pass ", "Received: x", field+ours+"dmarc=pass")
	reads("false spf=none  dkim=0 dmarc= ", field+"mx.example.com; dmarc=pass", field+ours+"dmarc=passable; spf=hardfail; dkim=none", field+ours+"none", field+"mx.example.net; dmarc=pass; (")
}

// TestProgress: on a terminal a line that is overwritten and goes away.
func TestProgress(t *testing.T) {
	var talk strings.Builder
	now := time.Unix(0, 0)
	p := newProgress(&talk, true, func() time.Time { return now })
	for range 2 * progressEvery {
		p.judged(true)
	}
	if want := "assay: 1000 messages, 1000 treated differently\nassay: 2000 messages, 2000 treated differently\n"; talk.String() != want {
		t.Errorf("got %q, want %q", &talk, want)
	}
	talk.Reset()
	p = newProgress(&talk, false, func() time.Time { return now })
	p.terminal, p.on = true, true
	p.judged(false) // too early
	now = now.Add(progressAfter)
	p.judged(false)
	p.judged(false) // too soon after
	p.say("hello")
	now = now.Add(progressBetween)
	p.judged(true)
	p.end()
	if want := "\rassay: 2 messages, 0 treated differently\x1b[K\r\x1b[Kassay: hello\n\rassay: 4 messages, 1 treated differently\x1b[K\r\x1b[K"; talk.String() != want {
		t.Errorf("got %q, want %q", &talk, want)
	}
}
