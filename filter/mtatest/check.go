package mtatest

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// CheckPostfix fails the test when Postfix has something to say against the lines of a main.cf and of a master.cf, such as a
// setting that it does not know or use. Nothing is started. It returns the settings of main.cf as "postconf -n" prints them.
func CheckPostfix(t testing.TB, main, master string) string {
	t.Helper()
	folder := t.TempDir()
	for name, text := range map[string]string{"main.cf": "compatibility_level = 3.6\n" + main, "master.cf": master} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o644); err != nil {
			t.Fatalf("mtatest: %v", err)
		}
	}
	out, said := check(t, "/usr/sbin/postconf", "-c", folder, "-n")
	if said != "" {
		t.Errorf("postconf -n: %s\nfor\n%s%s", said, main, master)
	}
	return out
}

// PostfixSettings returns the names of all settings that Postfix has.
func PostfixSettings(t testing.TB) []string {
	t.Helper()
	out, said := check(t, "/usr/sbin/postconf", "-dH")
	if said != "" {
		t.Errorf("postconf -dH: %s", said)
	}
	return strings.Fields(out)
}

// CheckDovecot fails the test when Dovecot does not accept these lines of a dovecot.conf.
func CheckDovecot(t testing.TB, lines string) {
	t.Helper()
	needDovecot(t)
	file := filepath.Join(t.TempDir(), "dovecot.conf")
	if err := os.WriteFile(file, []byte("ssl = no\n"+lines), 0o644); err != nil {
		t.Fatalf("mtatest: %v", err)
	}
	if _, said := check(t, "/usr/bin/doveconf", "-c", file, "-n"); said != "" {
		t.Errorf("doveconf: %s\nfor\n%s", said, lines)
	}
}

// CheckSendmail returns the sendmail.cf that m4 makes of our sendmail.mc with these lines added.
func CheckSendmail(t testing.TB, lines string) string {
	t.Helper()
	root := sendmailRoot(t)
	if _, err := os.Stat(root); err != nil {
		Unavailable(t, "Sendmail is not in "+root+"; \"make deps\" unpacks it")
	}
	text, err := os.ReadFile(sendmailConfig(t, settings{Folder: t.TempDir(), Root: root, Port: "25", SinkPort: "2525", Snippet: lines}))
	if err != nil {
		t.Fatalf("mtatest: %v", err)
	}
	return string(text)
}

// check runs a program and returns what it printed, and said on standard error.
func check(t testing.TB, program string, args ...string) (out, said string) {
	t.Helper()
	if _, err := os.Stat(program); err != nil {
		Unavailable(t, program+" is missing; \"make deps\" installs it")
	}
	var stdout, stderr bytes.Buffer
	cmd := exec.Command(program, args...)
	cmd.Env = environment
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		t.Errorf("mtatest: %s: %v", program, err)
	}
	return stdout.String(), stderr.String()
}
