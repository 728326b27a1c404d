package main

import (
	"bytes"
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"

	"assay/dnscache/dnstest"
	"assay/filter/mtatest"
)

// packaged is what both packages hold, folders left out. The AppArmor profile is in
// the .deb only.
var packaged = []string{
	"/etc/assay/assay.toml",
	"/usr/bin/assay",
	"/usr/lib/systemd/system/assay.service",
	"/usr/lib/systemd/system/assay.socket",
	"/usr/share/bash-completion/completions/assay",
	"/usr/share/doc/assay/CHANGELOG.md",
	"/usr/share/doc/assay/README.md",
	"/usr/share/doc/assay/changelog.gz",
	"/usr/share/doc/assay/copyright",
	"/usr/share/doc/assay/policy-tests.toml",
	"/usr/share/doc/assay/postfix/main.cf",
	"/usr/share/doc/assay/prometheus/alerts.yml",
	"/usr/share/doc/assay/prometheus/grafana.json",
	"/usr/share/doc/assay/sendmail/assay.mc",
	"/usr/share/doc/assay/sieve/results.sieve",
	"/usr/share/doc/assay/sieve/tagged.sieve",
	"/usr/share/fish/vendor_completions.d/assay.fish",
	"/usr/share/man/man1/assay.1.gz",
	"/usr/share/man/man5/assay.toml.5.gz",
	"/usr/share/zsh/vendor-completions/_assay",
}

// buildPackages runs what "make package" runs and returns the .deb and the .rpm.
func buildPackages(t *testing.T) (deb, rpm string) {
	t.Helper()
	folder := t.TempDir()
	output(t, "contrib/package/build.sh", folder)
	one := func(pattern string) string {
		t.Helper()
		found, err := filepath.Glob(filepath.Join(folder, pattern))
		if err != nil || len(found) != 1 {
			t.Fatalf("%s: %q, %v", pattern, found, err)
		}
		return found[0]
	}
	return one("*.deb"), one("*.rpm")
}

// output runs a program in the root of the repository and returns what it says.
func output(t *testing.T, program string, args ...string) string {
	t.Helper()
	cmd := exec.Command(program, args...)
	cmd.Dir = "../.."
	cmd.Env = append(os.Environ(), "SOURCE_DATE_EPOCH=1767323045", "GOFLAGS=-buildvcs=false") // whatever repository this is, if one
	said, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", program, strings.Join(args, " "), err, said)
	}
	return string(said)
}

// TestPackages builds both packages and looks into them, builds them once more, and
// installs the .deb.
func TestPackages(t *testing.T) {
	need(t, "make", "dpkg", "rpm")
	deb, rpm := buildPackages(t)
	t.Run("contents", func(t *testing.T) { testContents(t, deb, rpm) })
	t.Run("same again", func(t *testing.T) {
		debAgain, rpmAgain := buildPackages(t)
		if !bytes.Equal(readFile(t, deb), readFile(t, debAgain)) || !bytes.Equal(readFile(t, rpm), readFile(t, rpmAgain)) {
			t.Error("two builds of the same tree differ")
		}
	})
	t.Run("installed", func(t *testing.T) { testInstalled(t, deb) })
}

func testContents(t *testing.T, deb, rpm string) {
	// The first letter of the mode is "d" for a folder.
	inDeb := output(t, "sh", "-c", `dpkg-deb --contents "$0" | awk '{ sub(/^\./, "", $6); print $1, $2, $6 }'`, deb)
	inRPM := output(t, "rpm", "-qp", "--queryformat", `[%{FILEMODES:perms} %{FILEUSERNAME}/%{FILEGROUPNAME} %{FILENAMES}\n]`, rpm)
	wantFiles(t, inDeb, append([]string{"/etc/apparmor.d/assay"}, packaged...))
	wantFiles(t, inRPM, packaged)
	if got := output(t, "rpm", "-qp", "--configfiles", rpm); got != "/etc/assay/assay.toml\n" {
		t.Errorf("configuration of the .rpm: %q", got)
	}
	if copyright := output(t, "sh", "-c", `dpkg-deb --fsys-tarfile "$0" | tar -xO ./usr/share/doc/assay/copyright`, deb); strings.Count(copyright, "\ngithub.com/") < 5 || !strings.Contains(copyright, "Apache License") {
		t.Errorf("the licences of the libraries are missing:\n%s", copyright)
	}
}

// wantFiles compares the files of a package, listed by mode, owner and name.
// Documents may be added.
func wantFiles(t *testing.T, listed string, want []string) {
	t.Helper()
	var got []string
	for line := range strings.Lines(listed) {
		fields := strings.Fields(line)
		mode, owner, name := fields[0], fields[1], fields[2]
		if strings.Contains(mode[5:], "w") || owner != "root/root" {
			t.Errorf("others than root may change it: %s", line)
		}
		if mode[0] == '-' && !strings.HasPrefix(name, "/usr/share/doc/assay/docs/") {
			got = append(got, name)
		}
	}
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// testInstalled installs the .deb into a folder, and runs what was installed as the
// units say: as a user without rights, over a socket with the modes of assay.socket,
// in Postfix's queue directory. Mail comes in through Postfix. Then the package is removed.
func testInstalled(t *testing.T, deb string) {
	sink := mtatest.StartSink(t)
	folder := mtatest.Folder(t) // ends the test where we are not root
	root := t.TempDir()
	run := func(args ...string) {
		t.Helper()
		output(t, "dpkg", append([]string{"--root=" + root, "--force-script-chrootless", "--log=/dev/null"}, args...)...)
	}
	for _, name := range []string{"info", "updates"} {
		if err := os.MkdirAll(filepath.Join(root, "var/lib/dpkg", name), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	write(t, filepath.Join(root, "var/lib/dpkg/status"), "")
	run("--install", deb)

	file := filepath.Join(root, "etc/assay/assay.toml")
	zone := dnstest.MustParse(t, `example.com. TXT "v=spf1 -all"`)
	settings := string(readFile(t, file))
	changed := strings.Replace(settings, "# servers = []", "servers = [\""+zone.Serve(t)+"\"]", 1)
	if changed == settings {
		t.Fatal("the installed configuration has no dns.servers")
	}
	write(t, file, changed)
	run("--install", deb) // an upgrade
	if string(readFile(t, file)) != changed {
		t.Error("an upgrade has taken the operator's configuration away")
	}

	queue := filepath.Join(folder, "queue")
	if err := os.MkdirAll(filepath.Join(queue, "assay"), 0o755); err != nil {
		t.Fatal(err)
	}
	p := startInstalled(t, root, filepath.Join(queue, "assay/milter.sock"))
	m := mtatest.StartPostfix(t, sink, "unix:assay/milter.sock", "queue_directory = "+queue) // as assay.socket says
	d := daemon{process: p, mta: m, sink: sink}
	d.finish(t, d.begin(t, "a@example.com"), "250 ")
	if got := sink.Wait(t, 1)[0].Data; !regexp.MustCompile(`(?m)^Authentication-Results: \S+;\r\n\tspf=fail `).Match(got) {
		t.Errorf("delivered %s", got)
	}
	p.signal(t, syscall.SIGTERM)
	if status := p.status(t); status != exitYes {
		t.Errorf("exit status %d", status)
	}

	run("--remove", "assay")
	if string(readFile(t, file)) != changed {
		t.Error("a removal has taken the operator's configuration away")
	}
	run("--purge", "assay")
	for _, name := range packaged {
		if _, err := os.Stat(filepath.Join(root, name)); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s is left: %v", name, err)
		}
	}
}

// startInstalled starts the service of a package that is installed below root, with
// the socket of its socket unit at another place.
func startInstalled(t *testing.T, root, socket string) *process {
	t.Helper()
	unit := func(name, key string) string {
		t.Helper()
		text := readFile(t, filepath.Join(root, "usr/lib/systemd/system", name))
		found := regexp.MustCompile(`(?m)^` + key + `=(.*)$`).FindSubmatch(text)
		if found == nil {
			t.Fatalf("%s has no %s", name, key)
		}
		return string(found[1])
	}
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: socket, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	l.SetUnlinkOnClose(false) // the service has it now
	group := unit("assay.socket", "SocketUser") + ":" + unit("assay.socket", "SocketGroup")
	output(t, "chown", group, socket)
	output(t, "chmod", unit("assay.socket", "SocketMode"), socket)
	output(t, "chmod", "755", filepath.Dir(root)) // another user gets to the program

	command := strings.NewReplacer("/usr/bin/", root+"/usr/bin/", "/etc/", root+"/etc/").Replace(unit("assay.service", "ExecStart"))
	words := strings.Fields(command)
	cmd := underSystemd([]*os.File{fileOfSocket(t, l)}, []string{"LISTEN_FDS=1", "LISTEN_FDNAMES=" + unit("assay.socket", "FileDescriptorName")}, words[0], words[1:]...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	return startCommand(t, cmd)
}

func write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}
