package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"assay/web"
)

// command runs a command of ours in this process.
func command(args ...string) (status int, out, talk string) {
	var o, e strings.Builder
	status = run(context.Background(), args, strings.NewReader(""), &o, &e)
	return status, o.String(), e.String()
}

// TestStatus asks a running milter how it is, from its first message to its last.
func TestStatus(t *testing.T) {
	d := startDaemon(t)
	status, out, talk := command("status", "-c", d.file)
	if status != exitYes || !strings.Contains(out, "\nready    yes\n") || !strings.Contains(out, "\nday      0 messages\n") {
		t.Errorf("at the start: %d\n%s%s", status, out, talk)
	}
	d.configure(t, `
[policy]
mode = "enforce"
on_reject = "reject"
[[exception]]
author_domain = "partner.example"
action = "accept"
reason = "ticket 4711"
owner = "ops@example.org"
until = 9999-03-01
[[rule]]
name = "all-of-it"
author_domain = ".example.com"
action = "tag"
reason = "never matches"
`)
	d.signal(t, syscall.SIGHUP)
	d.err.wait(t, "configuration read again", 1)
	d.finish(t, d.begin(t, "a@example.com"), "550 5.7.26 ")

	status, out, talk = command("status", "-c", d.file)
	for _, want := range []string{
		`assay    ` + version + `, up \d+s, mode enforce, authserv_id ` + testID,
		`config   ` + d.file + `, read \d+s ago, hash [0-9a-f]{12}`,
		`minute   1 message; reject 1; dmarc fail 1`,
		`hour     1 message; reject 1; dmarc fail 1`,
		`dns      \d+ look-ups, \d+ % from the cache of \d+ answers, queries \d+`,
		` +127\.0\.0\.1:\d+: queries \d+, lost 0, .*s on average for a reply`,
		`failing  dmarc=fail by author domain, of the last 12 to 24 hours:`,
		` +example\.com: 1 message`,
		`exception 1: 0 hits, ticket 4711`,
		`rule     all-of-it: 0 hits, never matches`,
	} {
		if !regexp.MustCompile(`(?m)^` + want + `$`).MatchString(out) {
			t.Errorf("no line %s", want)
		}
	}
	if status != exitYes || talk != "" || t.Failed() {
		t.Errorf("%d\n%s%s", status, out, talk)
	}

	if status, _, talk = command("config", "check", "-c", d.file); status != exitYes ||
		!regexp.MustCompile(`exception 1 has never been used in \d+s: is it needed\? \(ticket 4711; ask ops@example.org\)\n`).MatchString(talk) {
		t.Errorf("config check: %d\n%s", status, talk)
	}

	doctor := func(want string) {
		t.Helper()
		if _, out, talk := command("doctor", "-c", d.file, "--postfix-config", "", "--sendmail-cf", ""); !strings.Contains(out, "\n"+want) {
			t.Errorf("doctor: no line %s\n%s%s", want, out, talk)
		}
	}
	doctor("status   ok   unix:")
	d.configure(t, "policy.mode = \"observe\"\n")
	doctor("status   warn the running milter works by another configuration than this\n              hint: ")
	d.configure(t, "colour = 1\n")
	d.signal(t, syscall.SIGHUP)
	d.err.wait(t, "the configuration read before stays in force", 1)
	at := "unix:" + filepath.Join(filepath.Dir(d.file), "status.sock")
	status, out, _ = command("status", "--at", at)
	if want := "\nwarning  config-refused: the configuration read last was refused: " + d.file + ":6"; status != exitNo || !strings.Contains(out, want) {
		t.Errorf("a refused configuration: %d, no %s\n%s", status, want, out)
	}
	status, out, _ = command("status", "--at", at, "--json")
	var s web.Status
	if err := json.Unmarshal([]byte(out), &s); err != nil || status != exitNo || s.Config.Refused == "" {
		t.Errorf("JSON: %d, %v\n%s", status, err, out)
	}
}

// TestStatusTable: what is not certain, or may surprise, is told as such.
func TestStatusTable(t *testing.T) {
	s := web.Status{
		Sessions: web.Sessions{Open: 1, Accepted: 3, TurnedAway: 2},
		DNS:      web.DNS{Servers: []web.Server{{Server: "192.0.2.53:53", Queries: 3, Lost: 3, Average: 1.7}, {Server: "192.0.2.54:53", Queries: 2, Replies: 2, Took: 0.0123, Average: 1.7}}},
		Failing:  []web.Frequent{{Domain: "a.example", Messages: 9, AtLeast: 9}, {Domain: "b.example", Messages: 7, AtLeast: 2}},
	}
	got := statusTable(s)
	for _, want := range []string{
		"\nsessions 1 open, 0 busy, 3 since the start, 2 turned away by a limit\n",
		"\n         192.0.2.53:53: queries 3, lost 3\n",
		"\n         192.0.2.54:53: queries 2, lost 0, 12.3ms on average for a reply\n",
		"\n         a.example: 9 messages\n         b.example: 2 to 7 messages\n",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("got\n%s\nwant in it%s", got, want)
		}
	}
}

// TestAskError: the exit status tells whether it helps to wait.
func TestAskError(t *testing.T) {
	const hint = "assay: hint: name the configuration of the running assay with -c FILE, or where to ask with --at\n"
	if status, _, talk := command("status", "-c", filepath.Join(t.TempDir(), "none")); status != exitUsage || !strings.HasSuffix(talk, hint) {
		t.Errorf("no configuration: %d %s", status, talk)
	}
	if status, _, talk := command("status", "--at", "unix:"+filepath.Join(t.TempDir(), "none")); status != exitLater || !strings.HasPrefix(talk, "assay: no answer from a running assay: ") {
		t.Errorf("nobody listens: %d %s", status, talk)
	}
	err := askError(fmt.Errorf("%w: %w", web.ErrSilent, syscall.EACCES))
	if next := (hinted{}); !errors.As(err, &next) || next.hint != "ask as root, or as the user that assay runs as" {
		t.Errorf("not allowed to ask: %v", err)
	}
}

// TestDebugCommand switches the details by the status socket.
func TestDebugCommand(t *testing.T) {
	d := startDaemon(t)
	if status, _, talk := command("debug", "on", "-c", d.file, "--client", "192.0.2.0/24", "--for", "1m"); status != exitYes || !strings.HasPrefix(talk, "assay: details are logged until ") {
		t.Fatalf("%d %s", status, talk)
	}
	d.err.wait(t, " clients=[192.0.2.0/24] authors=[]\n", 1)
	d.finish(t, d.begin(t, "a@example.com"), "250 ")
	d.err.wait(t, "msg=detail", 1)
	if _, out, _ := command("status", "-c", d.file); !strings.Contains(out, "\ndebug    details are logged for ") {
		t.Errorf("the status says nothing of it:\n%s", out)
	}
	if status, _, talk := command("debug", "off", "-c", d.file); status != exitYes || talk != "assay: details are no longer logged\n" {
		t.Fatalf("%d %s", status, talk)
	}
	before := strings.Count(d.err.String(), "msg=detail")
	d.finish(t, d.begin(t, "a@example.com"), "250 ")
	d.err.wait(t, "msg=message", 2)
	if after := strings.Count(d.err.String(), "msg=detail"); after != before {
		t.Errorf("%d lines of details more", after-before)
	}
	if status, _, talk := command("debug", "on", "-c", d.file, "--author", "no domain"); status != exitUsage || !strings.Contains(talk, `the running assay says: author: "no domain"`) {
		t.Errorf("%d %s", status, talk)
	}
}

// TestDrain: while a message is finished, no more mail is wanted, the numbers can
// be read, and the message is not disturbed.
func TestDrain(t *testing.T) {
	d := startDaemon(t)
	last := d.begin(t, "a@example.com")
	d.signal(t, syscall.SIGTERM)
	d.err.wait(t, "msg=stopping", 1)
	d.signal(t, syscall.SIGHUP) // comes too late, and changes nothing
	socket := filepath.Join(filepath.Dir(d.file), "status.sock")
	ask := http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", socket)
	}}}
	for path, want := range map[string]int{"/readyz": 503, "/healthz": 200, "/metrics": 200} {
		response, err := ask.Get("http://assay" + path)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		if response.StatusCode != want {
			t.Errorf("%s: %d, want %d", path, response.StatusCode, want)
		}
	}
	d.finish(t, last, "250 ")
	if status := d.status(t); status != exitYes {
		t.Errorf("exit status %d", status)
	}
}
