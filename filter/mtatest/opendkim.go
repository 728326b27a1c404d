package mtatest

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// openDKIMCommand is where every distribution puts it; root's PATH may lack the folder.
const openDKIMCommand = "/usr/sbin/opendkim"

// StartOpenDKIM starts an OpenDKIM with the given opendkim.conf, which must make it listen on that port of 127.0.0.1
// (see FreePort). It stops at the end of the test, and its output is shown when the test failed.
func StartOpenDKIM(t testing.TB, port, config string) {
	t.Helper()
	needRoot(t)
	if _, err := os.Stat(openDKIMCommand); err != nil {
		Unavailable(t, "OpenDKIM is not installed; \"make deps\" installs it")
	}
	folder := Folder(t)
	file := filepath.Join(folder, "opendkim.conf")
	if err := os.WriteFile(file, []byte(config), 0o644); err != nil {
		t.Fatalf("mtatest: %v", err)
	}
	m := &MTA{Name: "OpenDKIM", Addr: net.JoinHostPort("127.0.0.1", port), logs: []string{filepath.Join(folder, "output")}}
	t.Cleanup(func() { m.showLogOnFailure(t) })
	pid := filepath.Join(folder, "pid")
	guard(t, folder, `kill "$(cat "$1/pid")"`)
	m.run(t, exec.Command(openDKIMCommand, "-f", "-x", file, "-P", pid))
}
