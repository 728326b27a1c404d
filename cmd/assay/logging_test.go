package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/coreos/go-systemd/v22/journal"

	"assay/dnscache/dnstest"
	"assay/filter/miltertest"
)

// startLogging runs "assay serve" with that configuration and returns it with its
// milter socket.
func startLogging(t *testing.T, program, more string) (p *process, socket string) {
	t.Helper()
	folder := t.TempDir()
	socket = filepath.Join(folder, "milter.sock")
	zone := dnstest.MustParse(t, `example.com. TXT "v=spf1 -all"`)
	file := filepath.Join(folder, "assay.toml")
	text := fmt.Sprintf("authserv_id = %q\nlisten.milter = %q\ndns.servers = [%q]\n%s", testID, "unix:"+socket, zone.Serve(t), more)
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return startProcess(t, program, "serve", "-c", file), socket
}

// sendOne delivers one message from 192.0.2.7.
func sendOne(t *testing.T, socket string) {
	t.Helper()
	sendOver(t, "unix", socket)
}

func sendOver(t *testing.T, network, address string) {
	t.Helper()
	c, err := miltertest.Dial(network, address, miltertest.Postfix())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := c.Deliver(miltertest.Message{
		Client: netip.MustParseAddrPort("192.0.2.7:25000"), ClientName: "out.example.com", Helo: "out.example.com",
		From: "a@example.com", Rcpts: []string{"b@rcpt.test"}, Raw: []byte("From: a@example.com\r\n\r\nHello.\r\n"),
	}); err != nil {
		t.Fatal(err)
	}
	if err := c.Quit(); err != nil {
		t.Error(err)
	}
}

func TestLogJSON(t *testing.T) {
	p, socket := startLogging(t, buildAssay(t), "log.format = \"json\"\nlog.privacy = \"networks\"\n")
	p.err.wait(t, `"msg":"listening"`, 1)
	sendOne(t, socket)
	p.err.wait(t, `"msg":"message"`, 1)
	p.signal(t, syscall.SIGTERM)
	p.status(t)
	for line := range strings.Lines(p.err.String()) {
		var fields map[string]any
		if err := json.Unmarshal([]byte(line), &fields); err != nil {
			t.Errorf("%v: %s", err, line)
		}
		if fields["msg"] == "message" && (fields["ip"] != "192.0.2.0/24" || fields["envelope_sender"] != "*@example.com" || fields["spf"] != "fail") {
			t.Errorf("message: %s", line)
		}
	}
}

// TestDebugSignal: SIGUSR1 begins to log details, and ends it.
func TestDebugSignal(t *testing.T) {
	p, socket := startLogging(t, buildAssay(t), "[log]\ndebug_clients = [\"192.0.2.0/24\"]\ndebug_authors = [\"example.com\"]\n")
	p.err.wait(t, "msg=listening", 1)
	details := func(want bool) {
		t.Helper()
		before := strings.Count(p.err.String(), "msg=message")
		had := strings.Count(p.err.String(), "msg=detail")
		sendOne(t, socket)
		sendOne(t, socket) // the details of the first are written by then
		p.err.wait(t, "msg=message", before+2)
		if got := strings.Count(p.err.String(), "msg=detail") > had; got != want {
			t.Errorf("details %v, want %v", got, want)
		}
	}
	details(false)
	p.signal(t, syscall.SIGUSR1)
	p.err.wait(t, "details are logged", 1)
	details(true)
	p.signal(t, syscall.SIGUSR1)
	p.err.wait(t, "details are no longer logged", 1)
	details(false)
}

// TestJournal: the program writes to a journal, whose socket the library lets us
// choose when it is linked.
func TestJournal(t *testing.T) {
	folder := t.TempDir()
	path := filepath.Join(folder, "journal.sock")
	l, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	program := filepath.Join(folder, "assay")
	link := "-X github.com/coreos/go-systemd/v22/journal.journalSocket=" + path
	if said, err := exec.Command("go", "build", "-buildvcs=false", "-ldflags", link, "-o", program, ".").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, said)
	}
	_, socket := startLogging(t, program, "log.format = \"journald\"\n")
	next := func() map[string]string {
		t.Helper()
		if err := l.SetReadDeadline(time.Now().Add(patience)); err != nil {
			t.Fatal(err)
		}
		entry := make([]byte, 64<<10)
		n, err := l.Read(entry)
		if err != nil {
			t.Fatal(err)
		}
		return journalFields(t, entry[:n])
	}
	if e := next(); e["ASSAY_MILTER"] == "" || e["PRIORITY"] != "6" || !strings.HasPrefix(e["MESSAGE"], "msg=listening ") {
		t.Errorf("first entry: %q", e)
	}
	sendOne(t, socket)
	e := next()
	if e["ASSAY_IP"] != "192.0.2.7" || e["ASSAY_SPF"] != "fail" || e["ASSAY_REF"] == "" || !strings.Contains(e["MESSAGE"], "ref="+e["ASSAY_REF"]) {
		t.Errorf("message: %q", e)
	}
}

// journalFields reads an entry; none of ours has a value of two lines.
func journalFields(t *testing.T, entry []byte) map[string]string {
	t.Helper()
	fields := map[string]string{}
	for line := range bytes.Lines(entry) {
		key, value, ok := bytes.Cut(bytes.TrimSuffix(line, []byte("\n")), []byte("="))
		if !ok {
			t.Errorf("entry: %q", entry)
		}
		fields[string(key)] = string(value)
	}
	return fields
}

// TestNoJournal: a journal that is not there is said at once.
func TestNoJournal(t *testing.T) {
	program := filepath.Join(t.TempDir(), "assay")
	link := "-X github.com/coreos/go-systemd/v22/journal.journalSocket=" + filepath.Join(t.TempDir(), "none")
	if said, err := exec.Command("go", "build", "-buildvcs=false", "-ldflags", link, "-o", program, ".").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, said)
	}
	p, _ := startLogging(t, program, "log.format = \"journald\"\n")
	if status := p.status(t); status != exitUsage || !strings.Contains(p.err.String(), "assay: log.format: the journal cannot be reached") {
		t.Errorf("status %d: %s", status, p.err)
	}
}

// TestJournalHandler: what the journal does not take is written otherwise, and
// whatever a key holds is a value.
func TestJournalHandler(t *testing.T) {
	var otherwise bytes.Buffer
	var got map[string]string
	var priority journal.Priority
	fail := false
	send := func(message string, p journal.Priority, fields map[string]string) error {
		got, priority = fields, p
		if fail {
			return errors.New("full")
		}
		return nil
	}
	log := slog.New(newJournalHandler(send, slog.NewTextHandler(&otherwise, nil))).With("peer", "here").WithGroup("g")
	log.Warn("x", "helo", "a\nPRIORITY=0", "empty", "")
	if got["ASSAY_HELO"] != "a\nPRIORITY=0" || got["ASSAY_PEER"] != "here" || len(got) != 2 || priority != journal.PriWarning {
		t.Errorf("got %q, %d", got, priority)
	}
	if otherwise.Len() > 0 {
		t.Errorf("also written: %s", &otherwise)
	}
	fail = true
	log.Error("y", "qid", "4A")
	if priority != journal.PriErr || !strings.Contains(otherwise.String(), "msg=y peer=here") {
		t.Errorf("not written otherwise: %s", &otherwise)
	}
}
