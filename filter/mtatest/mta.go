package mtatest

import (
	"bytes"
	"embed"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"text/template"
)

//go:embed templates
var templates embed.FS

// logTail is how much of the mail log a failed test prints.
const logTail = 16 << 10

// MTA is a running mail server that delivers mail for rcpt.test to the sink. No mail leaves the machine.
type MTA struct {
	Name    string // "Postfix" or "Sendmail"
	Addr    string // where it listens for SMTP, host and port
	Config  string // where its configuration is: Postfix's folder of main.cf, Sendmail's sendmail.cf
	XCLIENT bool   // whether Client.XClient works; otherwise use DialFrom to be another client

	logs []string // files
}

// Log is what the MTA has logged so far, for failure messages. The MTAs write it behind their replies, so a test that
// reads it for anything else must expect the last lines to be missing.
func (m *MTA) Log(t testing.TB) string {
	t.Helper()
	var log strings.Builder
	for _, file := range m.logs {
		text, err := os.ReadFile(file)
		if err != nil && !os.IsNotExist(err) {
			t.Errorf("mtatest: %s: %v", m.Name, err)
		}
		log.Write(text)
	}
	return log.String()
}

// showLogOnFailure prints the end of the mail log below a failed test.
func (m *MTA) showLogOnFailure(t testing.TB) {
	if !t.Failed() {
		return
	}
	log := m.Log(t)
	t.Logf("%s said:\n%s", m.Name, log[max(0, len(log)-logTail):])
}

// Folder makes a folder that both MTAs accept for their own files and for a milter's unix socket, and removes it at the
// end of the test. Sendmail refuses what lies below a world-writable folder such as /tmp, and Postfix must be able to enter
// as a user of its own, which t.TempDir does not allow. The socket itself must be writable for Postfix (mode 0666).
func Folder(t testing.TB) string {
	t.Helper()
	needRoot(t)
	folder, err := os.MkdirTemp("/run", "assay-mtatest-")
	if err != nil {
		t.Fatalf("mtatest: %v", err)
	}
	t.Cleanup(func() { os.RemoveAll(folder) })
	if err := os.Chmod(folder, 0o755); err != nil {
		t.Fatalf("mtatest: %v", err)
	}
	return folder
}

func needRoot(t testing.TB) {
	t.Helper()
	if os.Geteuid() != 0 {
		Unavailable(t, "only root can start a mail server")
	}
}

// Unavailable ends a test for which an MTA, or another program, cannot be had: a skip on a machine of somebody who has none,
// a failure where ASSAY_REQUIRE_MTA says that there must be one.
func Unavailable(t testing.TB, why string) {
	t.Helper()
	if os.Getenv("ASSAY_REQUIRE_MTA") == "1" {
		t.Fatalf("mtatest: %s, and ASSAY_REQUIRE_MTA is set", why)
	}
	fmt.Fprintf(os.Stderr, "mtatest: SKIPPED %s: %s\n", t.Name(), why)
	t.Skipf("mtatest: %s", why)
}

// guard starts a shell that outlives this process for a moment: should the process die without its clean-ups (a test's
// timeout, a kill), the shell's input ends, and it runs the stop command and removes the folder, which is $1.
func guard(t testing.TB, folder, stop string) {
	t.Helper()
	cmd := exec.Command("/bin/sh", "-c", `read -r line || { `+stop+`; rm -rf "$1"; }`, "sh", folder)
	cmd.Env = environment
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true} // a Ctrl-C is not for it
	input, err := cmd.StdinPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatalf("mtatest: guard: %v", err)
	}
	t.Cleanup(func() {
		fmt.Fprintln(input, "stopped by the test itself")
		cmd.Wait()
	})
}

// environment is all that the MTAs see of ours.
var environment = []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C"}

// settings fill the templates.
type settings struct {
	Folder, Root, Snippet string
	Port, SinkPort        string
}

func newSettings(t testing.TB, folder string, sink *Sink) settings {
	t.Helper()
	_, sinkPort, err := net.SplitHostPort(sink.Addr)
	if err != nil {
		t.Fatalf("mtatest: sink: %v", err)
	}
	return settings{Folder: folder, Port: FreePort(t), SinkPort: sinkPort}
}

// write fills the named template into a file.
func (s settings) write(t testing.TB, name, file string) {
	t.Helper()
	var text bytes.Buffer
	parsed, err := template.ParseFS(templates, "templates/"+name)
	if err == nil {
		err = parsed.Execute(&text, s)
	}
	if err == nil {
		err = os.WriteFile(file, text.Bytes(), 0o644)
	}
	if err != nil {
		t.Fatalf("mtatest: %s: %v", name, err)
	}
}

// snippet is the file of ours that operators are told to add to their MTA's configuration, with the test's milter in the
// place of the documented address. So what is documented is what is tested.
func snippet(t testing.TB, file, documented, milter string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(moduleRoot(t), file))
	if err != nil {
		t.Fatalf("mtatest: %v", err)
	}
	if !bytes.Contains(text, []byte(documented)) {
		t.Fatalf("mtatest: %s does not name %s", file, documented)
	}
	return strings.ReplaceAll(string(text), documented, milter)
}

// moduleRoot is the folder of go.mod, at or above the folder of the package under test, in which go test runs it.
func moduleRoot(t testing.TB) string {
	t.Helper()
	folder, err := os.Getwd()
	if err != nil {
		t.Fatalf("mtatest: %v", err)
	}
	for ; ; folder = filepath.Dir(folder) {
		if _, err := os.Stat(filepath.Join(folder, "go.mod")); err == nil {
			return folder
		}
		if folder == filepath.Dir(folder) {
			t.Fatal("mtatest: no go.mod above the test's folder")
		}
	}
}

// FreePort picks a port for an MTA, which cannot be told to pick its own and say which. It stays below the range from which
// the kernel takes ports for outgoing connections (32768 on), so that no client gets there between the pick and the start.
func FreePort(t testing.TB) string {
	t.Helper()
	for range 100 {
		port := fmt.Sprint(20000 + rand.IntN(12000))
		listener, err := net.Listen("tcp", "127.0.0.1:"+port)
		if err == nil {
			listener.Close()
			return port
		}
	}
	t.Fatal("mtatest: no free port from 20000 to 31999")
	return ""
}
