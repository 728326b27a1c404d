package mtatest

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// postfixCommand is where every distribution puts it; root's PATH may lack the folder.
const postfixCommand = "/usr/sbin/postfix"

// StartPostfix starts a Postfix of its own, configured with our contrib/postfix/main.cf for the given milter, which is
// "inet:127.0.0.1:PORT" or "unix:PATH" (see Folder), or "" for none. Extra lines are added to main.cf and win over what is
// there. It stops at the end of the test, and its log is shown when the test failed. Sub-tests may share it.
func StartPostfix(t testing.TB, sink *Sink, milter string, extra ...string) *MTA {
	t.Helper()
	return StartPostfixServices(t, sink, milter, "", extra...)
}

// StartPostfixServices is StartPostfix with further services, which are lines of master.cf.
func StartPostfixServices(t testing.TB, sink *Sink, milter, services string, extra ...string) *MTA {
	t.Helper()
	needRoot(t)
	if _, err := os.Stat(postfixCommand); err != nil {
		Unavailable(t, "Postfix is not installed; \"make deps\" installs it")
	}
	folder := Folder(t)
	etc := filepath.Join(folder, "etc")
	s := newSettings(t, folder, sink)
	for _, name := range []string{"etc", "queue"} {
		makeFolder(t, filepath.Join(folder, name))
	}
	s.write(t, "main.cf", filepath.Join(etc, "main.cf"))
	s.write(t, "master.cf", filepath.Join(etc, "master.cf"))
	if milter != "" {
		extra = append([]string{snippet(t, "contrib/postfix/main.cf", "inet:127.0.0.1:8891", milter)}, extra...)
	}
	appendLines(t, filepath.Join(etc, "main.cf"), extra)
	appendLines(t, filepath.Join(etc, "master.cf"), []string{services})

	m := &MTA{
		Name:    "Postfix",
		Addr:    net.JoinHostPort("127.0.0.1", s.Port),
		Config:  etc,
		XCLIENT: true,
		logs:    []string{filepath.Join(folder, "start"), filepath.Join(folder, "log")},
	}
	t.Cleanup(func() { m.showLogOnFailure(t) })
	guard(t, folder, postfixCommand+` -c "$1/etc" stop`)
	// "postfix start" returns when the master process listens on all its sockets.
	if err := m.postfix(etc, "start"); err != nil {
		t.Fatalf("mtatest: postfix start: %v\n%s", err, m.Log(t))
	}
	t.Cleanup(func() {
		// "postfix stop" returns when the lock on the master's pid file is free.
		if err := m.postfix(etc, "stop"); err != nil {
			t.Errorf("mtatest: postfix stop: %v\n%s", err, m.Log(t))
		}
	})
	return m
}

// postfix runs one administrative command. Its output goes to a file, not a pipe, because the daemons keep it open.
func (m *MTA) postfix(etc, command string) error {
	output, err := os.OpenFile(m.logs[0], os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer output.Close()
	cmd := exec.Command(postfixCommand, "-c", etc, command)
	cmd.Env = environment
	cmd.Stdout, cmd.Stderr = output, output
	return cmd.Run()
}

func makeFolder(t testing.TB, folder string) {
	t.Helper()
	err := os.Mkdir(folder, 0o755)
	if err == nil {
		err = os.Chmod(folder, 0o755) // whatever the umask is
	}
	if err != nil {
		t.Fatalf("mtatest: %v", err)
	}
}

func appendLines(t testing.TB, file string, lines []string) {
	t.Helper()
	f, err := os.OpenFile(file, os.O_APPEND|os.O_WRONLY, 0)
	if err == nil {
		_, err = f.WriteString("\n" + strings.Join(lines, "\n") + "\n")
		f.Close()
	}
	if err != nil {
		t.Fatalf("mtatest: %v", err)
	}
}
