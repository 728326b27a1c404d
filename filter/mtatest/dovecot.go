package mtatest

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// dovecotCommand is where every distribution puts it; root's PATH may lack the folder.
const dovecotCommand = "/usr/sbin/dovecot"

// Dovecot is a running mailbox server. Every address at any domain has a mailbox, which is filed by the Sieve script of our
// contrib/sieve that is named as its local part: mail for tagged@rcpt.test by tagged.sieve. Where there is no such script
// everything is in the inbox.
type Dovecot struct {
	LMTP string // path of the unix socket that takes mail, for "relay_transport = lmtp:unix:PATH"
	IMAP string // where it listens for IMAP, host and port

	logs []string
}

// StartDovecot starts a Dovecot of its own, with LMTP, IMAP and Sieve. It stops at the end of the test, and its log is shown
// when the test failed. Sub-tests may share it.
func StartDovecot(t testing.TB) *Dovecot {
	t.Helper()
	needRoot(t)
	needDovecot(t)
	folder := Folder(t)
	s := settings{Folder: folder, Port: FreePort(t)}
	for _, name := range []string{"mail", "scripts"} {
		makeFolder(t, filepath.Join(folder, name))
		// For the user whom the mailboxes belong to: Sieve keeps compiled scripts beside the scripts.
		if err := os.Chmod(filepath.Join(folder, name), 0o777); err != nil {
			t.Fatalf("mtatest: %v", err)
		}
	}
	if err := os.CopyFS(filepath.Join(folder, "scripts"), os.DirFS(filepath.Join(moduleRoot(t), "contrib/sieve"))); err != nil {
		t.Fatalf("mtatest: %v", err)
	}
	config := filepath.Join(folder, "dovecot.conf")
	s.write(t, "dovecot.conf", config)

	d := &Dovecot{
		LMTP: filepath.Join(folder, "lmtp"),
		IMAP: net.JoinHostPort("127.0.0.1", s.Port),
		logs: []string{filepath.Join(folder, "output"), filepath.Join(folder, "log")},
	}
	// Run as Sendmail is: a daemon that stays our child, in a process group of its own.
	m := &MTA{Name: "Dovecot", Addr: d.IMAP, logs: d.logs}
	t.Cleanup(func() { m.showLogOnFailure(t) })
	guard(t, folder, `kill "$(cat "$1/run/master.pid")"`)
	m.run(t, exec.Command(dovecotCommand, "-F", "-c", config))
	return d
}

// needDovecot ends the test where a part of Dovecot is missing.
func needDovecot(t testing.TB) {
	t.Helper()
	for _, file := range []string{dovecotCommand, "/usr/lib/dovecot/lmtp", "/usr/lib/dovecot/imap", "/usr/bin/sievec"} {
		if _, err := os.Stat(file); err != nil {
			Unavailable(t, "Dovecot is not installed with LMTP, IMAP and Sieve; \"make deps\" installs it")
		}
	}
}

// Wait blocks until n messages are in the folders of a mailbox together, and returns them: the name of the folder, such as
// "INBOX", and the messages in the order of their arrival. The test fails when they don't come within 30 seconds.
func (d *Dovecot) Wait(t testing.TB, mailbox string, n int) map[string][][]byte {
	t.Helper()
	late := time.NewTimer(arrival)
	defer late.Stop()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	c := dialIMAP(t, d.IMAP, mailbox)
	defer c.close()
	for {
		all, found := c.fetchAll(t), 0
		for _, messages := range all {
			found += len(messages)
		}
		if found >= n {
			return all
		}
		select {
		case <-tick.C:
		case <-late.C:
			t.Fatalf("mtatest: Dovecot: got %d messages for %s in %v, want %d", found, mailbox, arrival, n)
		}
	}
}
