package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"assay/config"
	"assay/dnscache/dnstest"
	"assay/filter/miltertest"
)

// manager is the end of NOTIFY_SOCKET at which systemd reads.
type manager struct {
	*net.UnixConn
	path string
}

func startManager(t *testing.T) *manager {
	t.Helper()
	path := filepath.Join(t.TempDir(), "notify")
	c, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return &manager{c, path}
}

// told returns the next that systemd is told, as lines.
func (m *manager) told(t *testing.T) []string {
	t.Helper()
	if err := m.SetReadDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	message := make([]byte, 1024)
	n, err := m.Read(message)
	if err != nil {
		t.Fatal(err)
	}
	return strings.Split(string(message[:n]), "\n")
}

// want reads until systemd is told that, the watchdog's food passed over.
func (m *manager) want(t *testing.T, wanted ...string) {
	t.Helper()
	got := m.told(t)
	for got[0] == "WATCHDOG=1" {
		got = m.told(t)
	}
	if !slices.Equal(got, wanted) {
		t.Errorf("systemd was told %q, want %q", got, wanted)
	}
}

// underSystemd is how systemd starts a program: it tells it its own process id.
func underSystemd(files []*os.File, env []string, program string, args ...string) *exec.Cmd {
	shell := `LISTEN_PID=$$ WATCHDOG_PID=$$ exec "$@"`
	cmd := exec.Command("/bin/sh", append([]string{"-c", shell, "sh", program}, args...)...)
	cmd.Env = append(os.Environ(), env...)
	cmd.ExtraFiles = files
	return cmd
}

// serveFile writes a configuration for "assay serve" and returns its name.
func serveFile(t *testing.T, milter, dns, more string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "assay.toml")
	text := fmt.Sprintf("authserv_id = %q\nlisten.milter = %q\ndns.servers = [%q]\n%s", testID, milter, dns, more)
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return file
}

// TestNotify: systemd is told of the start, of a reload whatever comes of it, and of
// the end; and the watchdog is fed.
func TestNotify(t *testing.T) {
	m := startManager(t)
	file := serveFile(t, "unix:"+filepath.Join(t.TempDir(), "s"), dnstest.MustParse(t, "").Serve(t), "listen.drain = \"7s\"\n")
	p := startCommand(t, underSystemd(nil, []string{"NOTIFY_SOCKET=" + m.path, "WATCHDOG_USEC=100000"}, buildAssay(t), "serve", "-c", file))
	m.want(t, "READY=1", "STATUS=mode observe, results stated under "+testID)
	for range 3 {
		if got, want := m.told(t), []string{"WATCHDOG=1", "STATUS=0 sessions, 0 messages in flight, mode observe"}; !slices.Equal(got, want) {
			t.Errorf("systemd was told %q, want %q", got, want)
		}
	}
	good := string(readFile(t, file)) + "policy.mode = \"enforce\"\n"
	for _, text := range []string{good, "no such thing\n"} {
		write(t, file, text)
		p.signal(t, syscall.SIGHUP)
		m.want(t, "RELOADING=1")
		m.want(t, "READY=1", "STATUS=mode enforce, results stated under "+testID)
	}
	p.signal(t, syscall.SIGTERM)
	m.want(t, "STOPPING=1", "EXTEND_TIMEOUT_USEC=17000000", "STATUS=messages in flight finish")
	if status := p.status(t); status != exitYes {
		t.Errorf("exit status %d, want 0", status)
	}
}

// TestWatchdog: while a session is at one command for too long the watchdog is not
// fed; what is too long follows from the longest budget that a session can have.
func TestWatchdog(t *testing.T) {
	m := startManager(t)
	t.Setenv("NOTIFY_SOCKET", m.path)
	zone := dnstest.MustParse(t, `late.example.com. TXT TIMEOUT`)
	socket := filepath.Join(t.TempDir(), "s")
	dns := zone.Serve(t)
	file := serveFile(t, "unix:"+socket, dns, "dns.timeout = \"5s\"\n")
	beat, reload := make(chan time.Time), make(chan os.Signal)
	s := service{file: file, reload: reload, beat: beat, out: io.Discard, talk: io.Discard}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.run(ctx) }()
	told := func(now time.Time) string {
		t.Helper()
		beat <- now
		return m.told(t)[0]
	}
	const fed, stuck = "WATCHDOG=1", "STATUS=stuck: 1 session"
	want := func(wanted string, now time.Time) {
		t.Helper()
		if got := told(now); got != wanted {
			t.Errorf("systemd was told %q, want %q", got, wanted)
		}
	}
	m.told(t) // READY
	start := time.Now()
	const limit = 20*time.Second + time.Minute // dns.message_budget and limits.stage
	want(fed, start.Add(time.Hour))

	done := make(chan error, 1)
	go func() { done <- sendFrom(socket, "late.example.com") }()
	// The MTA gets no answer to its last command until the DNS fails.
	for late := time.Now().Add(patience); told(time.Now().Add(limit)) != stuck; {
		if time.Now().After(late) {
			t.Fatal("no session is stuck")
		}
	}
	want(fed, start.Add(limit))

	short := serveFile(t, "unix:"+socket, dns, "dns.timeout = \"5s\"\ndns.message_budget = \"1s\"\n")
	if err := os.Rename(short, file); err != nil {
		t.Fatal(err)
	}
	reload <- syscall.SIGHUP
	m.want(t, "RELOADING=1")
	m.told(t) // READY
	want(fed, start.Add(limit))
	want(stuck, time.Now().Add(limit))

	if err := <-done; err != nil {
		t.Error(err)
	}
	want(fed, time.Now().Add(limit-time.Second)) // it may be busy with the end of the session still, but not since the message
	stop()
	m.told(t) // STOPPING
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// sendFrom delivers a message whose sender is at that domain, and takes back the
// connection.
func sendFrom(socket, domain string) error {
	c, err := miltertest.Dial("unix", socket, miltertest.Postfix())
	if err != nil {
		return err
	}
	defer c.Close()
	_, err = c.Deliver(miltertest.Message{
		Client: netip.MustParseAddrPort("192.0.2.7:25000"), ClientName: "out.example.com", Helo: "out.example.com",
		From: "a@" + domain, Rcpts: []string{"b@rcpt.test"}, Raw: []byte("From: a@" + domain + "\r\n\r\nHello.\r\n"),
	})
	return errors.Join(err, c.Quit())
}

// TestCrashBySignal: what the watchdog sends, and every crash, ends otherwise than
// with the status after which systemd does not start us again.
func TestCrashBySignal(t *testing.T) {
	p, _ := startLogging(t, buildAssay(t), "")
	p.err.wait(t, "msg=listening", 1)
	p.signal(t, syscall.SIGABRT)
	p.status(t)
	if status := p.cmd.ProcessState.Sys().(syscall.WaitStatus); !status.Signaled() || status.Signal() != syscall.SIGABRT {
		t.Errorf("ended by %v, want SIGABRT", p.cmd.ProcessState)
	}
	if !strings.Contains(p.err.String(), "goroutine ") {
		t.Errorf("no stacks: %s", p.err)
	}
}

// TestSocketActivation: messages come in over the sockets that systemd has opened,
// listen.milter is left alone, and so are the sockets at the end.
func TestSocketActivation(t *testing.T) {
	path := filepath.Join(t.TempDir(), "passed.sock")
	local, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	defer local.Close()
	inet, err := net.ListenTCP("tcp4", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer inet.Close()
	at := filepath.Join(t.TempDir(), "status.sock")
	status, err := net.ListenUnix("unix", &net.UnixAddr{Name: at, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	defer status.Close()
	unused := filepath.Join(t.TempDir(), "unused.sock")
	zone := dnstest.MustParse(t, `example.com. TXT "v=spf1 -all"`)
	file := serveFile(t, "unix:"+unused, zone.Serve(t), "")
	p := startCommand(t, underSystemd([]*os.File{fileOfSocket(t, local), fileOfSocket(t, status), fileOfSocket(t, inet)},
		[]string{"LISTEN_FDS=3", "LISTEN_FDNAMES=milter:status:assay.socket"},
		buildAssay(t), "serve", "-c", file))
	p.err.wait(t, `msg="systemd has opened the milter sockets: listen.milter is not used"`, 1)
	p.err.wait(t, "msg=listening milter=unix:"+path+" ", 1)
	p.err.wait(t, "msg=listening milter=inet:"+inet.Addr().String()+" ", 1)
	sendOver(t, "unix", path)
	sendOver(t, "tcp", inet.Addr().String())
	p.err.wait(t, "spf=fail", 2)
	if _, err := os.Stat(unused); err == nil {
		t.Error("listen.milter was opened too")
	}
	where := "\nmilter   unix:" + path + ", inet:" + inet.Addr().String() + "\n"
	if code, out, talk := command("status", "--at", "unix:"+at); code != exitYes || !strings.Contains(out, "day      2 messages; ") || !strings.Contains(out, where) {
		t.Errorf("the status: %d %s%s", code, out, talk)
	}
	write(t, file, string(readFile(t, file))+"listen.status = \"unix:"+at+"\"\n")
	if _, out, _ := command("doctor", "-c", file, "--postfix-config", "", "--sendmail-cf", ""); !strings.Contains(out, "\nmilter   ok   unix:"+path+" answers") || !strings.Contains(out, "\nresults  ok ") {
		t.Errorf("the doctor looks elsewhere: %s", out)
	}
	p.signal(t, syscall.SIGTERM)
	if status := p.status(t); status != exitYes {
		t.Errorf("exit status %d", status)
	}
	if _, err := os.Stat(path); err != nil {
		t.Errorf("the socket is systemd's, and went with us: %v", err)
	}
}

// TestSocketsRefused: what systemd passes and we cannot listen on ends in exit
// status 2.
func TestSocketsRefused(t *testing.T) {
	program := buildAssay(t)
	refused := func(file *os.File, name, wanted string) {
		t.Helper()
		p := startCommand(t, underSystemd([]*os.File{file}, []string{"LISTEN_FDS=1", "LISTEN_FDNAMES=" + name}, program, "serve"))
		if status := p.status(t); status != exitUsage || p.err.String() != wanted {
			t.Errorf("status %d, said %s, want %s", status, p.err, wanted)
		}
	}
	const hint = "assay: hint: a socket unit for assay has ListenStream= lines, and no Accept=\n"
	refused(fileOfSocket(t, startManager(t)), "milter", "assay: socket \"milter\", passed by systemd: it does not listen\n"+hint)
	refused(os.Stdin, "status", "assay: socket \"status\", passed by systemd: socket operation on non-socket\n"+hint)
}

// fileOfSocket is the socket as it is handed to another process.
func fileOfSocket(t *testing.T, l interface{ File() (*os.File, error) }) *os.File {
	t.Helper()
	file, err := l.File()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { file.Close() })
	return file
}

func TestPatience(t *testing.T) {
	c := config.Default("mx.example.net")
	if got, want := patienceWith(c), 80*time.Second; got != want {
		t.Errorf("by default %v, want %v", got, want)
	}
}
