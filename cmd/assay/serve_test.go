package main

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"assay/config"
	"assay/contrib"
	"assay/dnscache/dnstest"
	"assay/filter/mtatest"
)

// daemon is "assay serve" behind a real Postfix.
type daemon struct {
	*process
	file string // its configuration
	base string // what each configuration begins with
	zone *dnstest.Zone
	mta  *mtatest.MTA
	sink *mtatest.Sink
}

func startDaemon(t *testing.T) *daemon {
	t.Helper()
	folder := mtatest.Folder(t)
	zone := dnstest.MustParse(t, `
example.com. TXT "v=spf1 -all"
_dmarc.example.com. TXT "v=DMARC1; p=reject"
late.example.com. TXT TIMEOUT
`)
	d := &daemon{file: filepath.Join(folder, "assay.toml"), zone: zone, sink: mtatest.StartSink(t)}
	milter := "unix:" + filepath.Join(folder, "milter.sock")
	d.base = fmt.Sprintf("authserv_id = %q\nlisten.milter = %q\nlisten.status = %q\ndns.servers = [%q]\ndns.timeout = \"1s\"\n",
		testID, milter, "unix:"+filepath.Join(folder, "status.sock"), zone.Serve(t))
	d.configure(t, "")
	d.process = startProcess(t, buildAssay(t), "serve", "-c", d.file)
	d.err.wait(t, "msg=listening", 1)
	d.mta = mtatest.StartPostfix(t, d.sink, milter)
	return d
}

func (d *daemon) configure(t *testing.T, more string) {
	t.Helper()
	if err := os.WriteFile(d.file, []byte(d.base+more), 0o644); err != nil {
		t.Fatal(err)
	}
}

// begin takes a message up to its last recipient.
func (d *daemon) begin(t *testing.T, sender string) *mtatest.Client {
	t.Helper()
	c := mtatest.Dial(t, d.mta)
	wantReply(t, c, "EHLO before.test", 250)
	if code, text := c.XClient("192.0.2.7", "out.example.com", ""); code != 220 {
		t.Fatalf("XCLIENT: %d %s", code, text)
	}
	wantReply(t, c, "EHLO out.example.com", 250)
	wantReply(t, c, "MAIL FROM:<"+sender+">", 250)
	wantReply(t, c, "RCPT TO:<b@rcpt.test>", 250)
	return c
}

// finish sends the message and wants that reply. Any goroutine may call it.
func (d *daemon) finish(t *testing.T, c *mtatest.Client, want string) {
	t.Helper()
	code, text := c.Data([]byte("From: a@example.com\r\nSubject: x\r\n\r\nHello.\r\n"))
	if got := fmt.Sprintf("%d %s", code, text); !strings.HasPrefix(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	c.Quit()
}

func (d *daemon) wantDelivered(t *testing.T, wanted ...string) {
	t.Helper()
	var o outcome
	o.read(parseDelivered(d.sink.Wait(t, 1)[0].Data), nil)
	wantResults(t, o.field, asWritten, wanted...)
}

// TestServe runs the program as an operator does: a message, a bad configuration,
// a good one, and the end while a message is on its way.
func TestServe(t *testing.T) {
	d := startDaemon(t)
	fail := "dmarc=fail (p=reject dis=none) header.from=example.com policy.dmarc=reject"
	d.finish(t, d.begin(t, "a@example.com"), "250 ")
	d.wantDelivered(t, "spf=fail (matched all) smtp.mailfrom=example.com", fail)

	d.configure(t, "policy.mode = \"enforce\"\npolicy.on_rejct = \"reject\"\n")
	d.signal(t, syscall.SIGHUP)
	d.err.wait(t, "the configuration read before stays in force", 1)
	if said := d.err.String(); !strings.Contains(said, "policy.on_rejct: unknown setting") || !strings.Contains(said, d.file+":7:1: ") {
		t.Errorf("the bad file is not explained: %s", said)
	}
	d.finish(t, d.begin(t, "a@example.com"), "250 ")
	d.wantDelivered(t, "spf=fail (matched all) smtp.mailfrom=example.com", fail)

	before := d.begin(t, "a@example.com") // its session keeps the rules that it began with
	d.configure(t, "policy.mode = \"enforce\"\npolicy.on_reject = \"reject\"\n")
	d.signal(t, syscall.SIGHUP)
	d.err.wait(t, "configuration read again", 1)
	d.finish(t, d.begin(t, "a@example.com"), "550 5.7.26 ")
	d.finish(t, before, "250 ")
	d.wantDelivered(t, fail)

	last := d.begin(t, "a@late.example.com")
	done := make(chan struct{})
	go func() {
		defer close(done)
		d.finish(t, last, "250 ")
	}()
	d.wantAsked(t, "TXT late.example.com") // and is not answered: the message is with the filter now
	d.signal(t, syscall.SIGTERM)
	d.err.wait(t, "msg=stopping", 1)
	<-done
	d.wantDelivered(t, "spf=temperror (DNS failure) smtp.mailfrom=late.example.com")
	if status := d.status(t); status != exitYes {
		t.Errorf("exit status %d, want 0", status)
	}
	if n := strings.Count(d.err.String(), "msg=message"); n != 5 {
		t.Errorf("%d messages logged, want 5", n)
	}
}

// wantAsked waits until the DNS has been asked that question.
func (d *daemon) wantAsked(t *testing.T, question string) {
	t.Helper()
	late := time.After(patience)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for !slices.Contains(d.zone.Questions(), question) {
		select {
		case <-tick.C:
		case <-late:
			t.Fatalf("asked %q, want %q", d.zone.Questions(), question)
		}
	}
}

// TestServeRefuses: what cannot run says why and does not start.
func TestServeRefuses(t *testing.T) {
	program := buildAssay(t)
	folder := t.TempDir()
	check := func(text string, status int, wanted string) {
		t.Helper()
		file := filepath.Join(folder, "assay.toml")
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		p := startProcess(t, program, "serve", "-c", file)
		if got := p.status(t); got != status {
			t.Errorf("%s: exit status %d, want %d", text, got, status)
		}
		if said := p.err.String(); !strings.Contains(said, wanted) {
			t.Errorf("%s: got %q, want in it %q", text, said, wanted)
		}
	}
	check("policy.mode = \"enforced\"\n", exitUsage, `assay.toml:1:15: policy.mode: "enforced" is not one of observe, enforce`)
	check("listen.milter = \"unix:"+folder+"\"\n", exitUsage, "listen.milter: unix:"+folder+": "+folder+" exists and is no socket")
	check("listen.milter = \"inet:192.0.2.1:8891\"\n", exitUsage, "listen.milter: listen tcp4 192.0.2.1:8891")
	check("listen.milter = \"unix:"+folder+"/no/s\"\n", exitUsage,
		"assay: listen.milter: unix:"+folder+"/no/s: there is no folder "+folder+"/no\nassay: hint: make it for the user")
}

// broken is a listener that nobody can be accepted from any more.
type broken struct{ net.Listener }

func (broken) Accept() (net.Conn, error) { return nil, syscall.EINVAL }

// TestAcceptFails: a fault outside, after which systemd is to start us again, does
// not end as a mistake in the configuration does.
func TestAcceptFails(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := service{file: serveFile(t, "inet:127.0.0.1:8891", "127.0.0.1", ""), out: io.Discard, talk: io.Discard}
	if err := s.prepare(); err != nil {
		t.Fatal(err)
	}
	defer s.resolver.Close()
	err = s.serve(t.Context(), sockets{milter: []net.Listener{broken{l}}, addresses: s.config.Listen.Milter})
	if passes := (later{}); !errors.As(err, &passes) || !errors.Is(err, syscall.EINVAL) {
		t.Errorf("got %v, want to be started again", err)
	}
}

// TestWelcome: without a file, "assay serve" prints the lines to paste.
func TestWelcome(t *testing.T) {
	var out, log strings.Builder
	c, err := loadConfig("")
	if err != nil {
		t.Fatal(err)
	}
	s := service{out: &out, config: c, log: slog.New(slog.NewTextHandler(&log, nil))}
	s.welcome(c.Listen.Milter)
	if want := contrib.PostfixMainCF + "\n" + contrib.SendmailMC + "\n"; out.String() != want {
		t.Errorf("got\n%s\nwant\n%s", &out, want)
	}
	if !strings.Contains(log.String(), "msg=listening milter=inet:127.0.0.1:8891") {
		t.Errorf("log: %s", &log)
	}

	out.Reset()
	socket := []config.Address{{Network: "unix", Addr: "/run/assay/milter.sock"}}
	s.welcome(socket)
	for _, want := range []string{"smtpd_milters = unix:/run/assay/milter.sock\n", "`S=local:/run/assay/milter.sock, F=T"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("got\n%s\nwant in it %s", &out, want)
		}
	}

	out.Reset()
	s.file = "assay.toml"
	s.welcome(socket)
	if out.Len() > 0 {
		t.Errorf("with a file: got %s", &out)
	}
}
