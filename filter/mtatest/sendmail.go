package mtatest

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

const (
	sendmailStart = 90 * time.Second      // until it listens, see privately
	sendmailProbe = 20 * time.Millisecond // between two looks
)

// StartSendmail starts a Sendmail of its own, configured with our contrib/sendmail/assay.mc for the given milter, which is
// "inet:127.0.0.1:PORT" or "unix:PATH" (see Folder), or "" for none. Extra lines follow ours in sendmail.mc. It stops at the
// end of the test, and its log is shown when the test failed. Sub-tests may share it.
func StartSendmail(t testing.TB, sink *Sink, milter string, extra ...string) *MTA {
	t.Helper()
	needRoot(t)
	root := sendmailRoot(t)
	program := filepath.Join(root, "usr/libexec/sendmail/sendmail")
	if _, err := os.Stat(program); err != nil {
		Unavailable(t, "Sendmail is not in "+root+"; \"make deps\" unpacks it")
	}
	folder := Folder(t)
	s := newSettings(t, folder, sink)
	s.Root = root
	if milter != "" {
		s.Snippet = snippet(t, "contrib/sendmail/assay.mc", "inet:8891@127.0.0.1", sendmailMilter(milter))
	}
	for _, line := range extra {
		s.Snippet += line + "\n"
	}
	makeFolder(t, filepath.Join(folder, "queue"))
	config := sendmailConfig(t, s)

	m := &MTA{
		Name:   "Sendmail",
		Addr:   net.JoinHostPort("127.0.0.1", s.Port),
		Config: config,
		logs:   []string{filepath.Join(folder, "output"), filepath.Join(folder, "milter"), filepath.Join(folder, "traffic")},
	}
	t.Cleanup(func() { m.showLogOnFailure(t) })
	guard(t, folder, `kill -- -"$(head -n 1 "$1/sendmail.pid")"`)
	// -bD: a daemon that stays our child. For want of a syslog of our own: -D, -d: what becomes of the milter; -X: what is
	// said on every SMTP connection.
	m.run(t, privately(t, s, program, "-bD", "-C", config, "-q1m", "-D", m.logs[1], "-d64.5", "-X", m.logs[2]))
	return m
}

// sendmailRoot is where "make deps" unpacked the packages of Sendmail.
func sendmailRoot(t testing.TB) string {
	t.Helper()
	root := os.Getenv("ASSAY_SENDMAIL_ROOT")
	if root == "" {
		root = filepath.Join(".cache", "sendmail")
	}
	if !filepath.IsAbs(root) {
		root = filepath.Join(moduleRoot(t), root)
	}
	return root
}

// sendmailMilter writes a milter's address as Sendmail wants it: inet:PORT@HOST.
func sendmailMilter(milter string) string {
	address, isInet := strings.CutPrefix(milter, "inet:")
	host, port, err := net.SplitHostPort(address)
	if !isInet || err != nil {
		return milter
	}
	return fmt.Sprintf("inet:%s@%s", port, host)
}

// sendmailConfig makes the .mc file and from it the .cf file, whose path it returns.
func sendmailConfig(t testing.TB, s settings) string {
	t.Helper()
	mc, cf := filepath.Join(s.Folder, "sendmail.mc"), filepath.Join(s.Folder, "sendmail.cf")
	s.write(t, "sendmail.mc", mc)
	var problems strings.Builder
	m4 := exec.Command("m4", mc)
	m4.Stderr = &problems
	text, err := m4.Output()
	if err != nil {
		t.Fatalf("mtatest: m4: %v\n%s", err, problems.String())
	}
	if err := os.WriteFile(cf, text, 0o644); err != nil {
		t.Fatalf("mtatest: %v", err)
	}
	for _, empty := range []string{"aliases", "helpfile"} {
		if err := os.WriteFile(filepath.Join(s.Folder, empty), nil, 0o644); err != nil {
			t.Fatalf("mtatest: %v", err)
		}
	}
	return cf
}

// run starts the daemon in a process group of its own, stops the group at the end of the test, and returns when the
// daemon listens.
func (m *MTA) run(t testing.TB, cmd *exec.Cmd) {
	t.Helper()
	output, err := os.Create(m.logs[0])
	if err != nil {
		t.Fatalf("mtatest: %v", err)
	}
	defer output.Close()
	cmd.Env = environment
	cmd.Stdout, cmd.Stderr = output, output
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		t.Fatalf("mtatest: %s: %v", m.Name, err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		cmd.Wait()
	}()
	t.Cleanup(func() {
		syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM)
		<-ended
	})

	late := time.NewTimer(sendmailStart)
	defer late.Stop()
	tick := time.NewTicker(sendmailProbe)
	defer tick.Stop()
	for {
		if listens(t, m.Addr) {
			return
		}
		select {
		case <-tick.C:
		case <-ended:
			t.Fatalf("mtatest: %s ended: %v\n%s", m.Name, cmd.ProcessState, m.Log(t))
		case <-late.C:
			t.Fatalf("mtatest: %s does not listen after %v\n%s", m.Name, sendmailStart, m.Log(t))
		}
	}
}

// privately is the command for a Sendmail that depends on neither this machine's name nor its DNS servers: it would sleep
// for a minute at the start where the machine has no full name, and wait for a name of every client. That takes namespaces.
// Where they are forbidden, as in most containers, Sendmail runs without, perhaps slowly.
func privately(t testing.TB, s settings, program string, args ...string) *exec.Cmd {
	t.Helper()
	const unshare = "unshare" // leaves the process id as it is
	if err := exec.Command(unshare, "--mount", "--uts", "true").Run(); err != nil {
		return exec.Command(program, args...)
	}
	for _, name := range []string{"hosts", "nsswitch.conf", "resolv.conf", "private.sh"} {
		s.write(t, name, filepath.Join(s.Folder, name))
	}
	script := filepath.Join(s.Folder, "private.sh")
	return exec.Command(unshare, append([]string{"--mount", "--uts", "/bin/sh", script, program}, args...)...)
}

// listens tells whether somebody listens on a local TCP port. It asks the kernel: a connection to try it would be a session
// that the milter under test sees.
func listens(t testing.TB, addr string) bool {
	t.Helper()
	_, port, _ := net.SplitHostPort(addr)
	number, err := strconv.Atoi(port)
	if err != nil {
		t.Fatalf("mtatest: %v", err)
	}
	sockets, err := os.ReadFile("/proc/net/tcp")
	if err != nil {
		t.Fatalf("mtatest: %v", err)
	}
	// The port, no peer, and 0A for the state LISTEN.
	return strings.Contains(string(sockets), fmt.Sprintf(":%04X 00000000:0000 0A ", number))
}
