package main

import (
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"

	"assay/config"
)

// TestSocketTakenOver: a socket that is left of a process that died is replaced,
// one that is in use is not, and neither is a file.
func TestSocketTakenOver(t *testing.T) {
	folder, err := os.MkdirTemp("", "assay")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(folder) })
	address := config.Address{Network: "unix", Addr: filepath.Join(folder, "s")}
	first, err := listenOn(address, 0o666)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := listen("listen.milter", 0o666, address); err == nil || !strings.Contains(err.Error(), "another process listens") {
		t.Errorf("in use: %v", err)
	}
	first.(interface{ SetUnlinkOnClose(bool) }).SetUnlinkOnClose(false)
	first.Close()
	second, err := listen("listen.milter", 0o666, address)
	if err != nil {
		t.Fatalf("left over: %v", err)
	}
	defer second[0].Close()
	if info, err := os.Stat(address.Addr); err != nil || info.Mode().Perm() != 0o666 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	addresses := []config.Address{{Network: "tcp4", Addr: "127.0.0.1:0"}, address}
	if listeners, err := listen("listen.milter", 0o666, addresses...); err == nil || slices.Contains(listeners, nil) || len(listeners) > 0 {
		t.Errorf("all or none: %v, %v", listeners, err)
	}
}

// TestSocketRace: of many that take over a socket at once one gets it, and it is
// that one which answers there.
func TestSocketRace(t *testing.T) {
	const rounds, starters = 50, 8
	address := config.Address{Network: "unix", Addr: filepath.Join(t.TempDir(), "s")}
	for range rounds {
		abandoned, err := net.Listen("unix", address.Addr)
		if err != nil {
			t.Fatal(err)
		}
		abandoned.(*net.UnixListener).SetUnlinkOnClose(false)
		abandoned.Close()

		var all sync.WaitGroup
		got := make([]net.Listener, starters)
		for n := range starters {
			all.Go(func() {
				var err error
				if got[n], err = listenOn(address, 0o666); err != nil && !errors.Is(err, errInUse) {
					t.Error(err)
				}
			})
		}
		all.Wait()
		got = slices.DeleteFunc(got, func(l net.Listener) bool { return l == nil })
		if len(got) != 1 {
			t.Fatalf("%d listen", len(got))
		}
		got[0].Close()
	}
}

// TestStatusSocket: what goes wrong with the status socket is said and ends as with
// that of the milter, which is not left behind; one left of another process is taken over.
func TestStatusSocket(t *testing.T) {
	program := buildAssay(t)
	folder := t.TempDir()
	at := filepath.Join(folder, "status.sock")
	start := func(milter, status string) *process {
		t.Helper()
		return startProcess(t, program, "serve", "-c", serveFile(t, "unix:"+milter, "127.0.0.1", "listen.status = \"unix:"+status+"\"\n"))
	}
	left, err := net.Listen("unix", at)
	if err != nil {
		t.Fatal(err)
	}
	left.(*net.UnixListener).SetUnlinkOnClose(false)
	left.Close()
	first := start(filepath.Join(folder, "first"), at)
	first.err.wait(t, "msg=listening status=unix:"+at+"\n", 1)
	if info, err := os.Stat(at); err != nil || info.Mode().Perm() != 0o660 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}

	milter := filepath.Join(folder, "second")
	refused := func(status, wanted string) {
		t.Helper()
		second := start(milter, status)
		if code := second.status(t); code != exitUsage || !strings.Contains(second.err.String(), "assay: listen.status: unix:"+status+": "+wanted) {
			t.Errorf("exit status %d, said %s, want 2 and in it %q", code, second.err, wanted)
		}
		if _, err := os.Stat(milter); err == nil {
			t.Error("the milter's socket is left")
		}
	}
	file := filepath.Join(folder, "file")
	write(t, file, "")
	refused(at, "another process listens there\nassay: hint: \"ss -lxtp\" shows which")
	refused(file, file+" exists and is no socket")
	refused(filepath.Join(folder, "no/s"), "there is no folder "+folder+"/no\nassay: hint: make it for the user")
	if code, _, talk := command("status", "--at", "unix:"+at); code == exitLater {
		t.Errorf("the first is disturbed: %s", talk)
	}
}

// TestSocketInUse: two servers on one socket, and a folder that our user may not
// write to.
func TestSocketInUse(t *testing.T) {
	program := buildAssay(t)
	first, socket := startLogging(t, program, "")
	first.err.wait(t, "msg=listening", 1)
	refused := func(cmd *exec.Cmd, wanted string) {
		t.Helper()
		second := startCommand(t, cmd)
		if status := second.status(t); status != exitUsage {
			t.Errorf("exit status %d, want 2", status)
		}
		if said := second.err.String(); !strings.Contains(said, wanted) {
			t.Errorf("got %q, want in it %q", said, wanted)
		}
	}
	folder := filepath.Dir(socket)
	refused(exec.Command(program, first.cmd.Args[1:]...),
		"assay: listen.milter: unix:"+socket+": another process listens there\nassay: hint: \"ss -lxtp\" shows which")
	sendOne(t, socket) // and the first is not disturbed

	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	serve := func(milter string) *exec.Cmd {
		t.Helper()
		file := filepath.Join(folder, "other.toml")
		if err := os.WriteFile(file, []byte("listen.milter = \""+milter+"\"\ndns.servers = [\"127.0.0.1\"]\n"), 0o644); err != nil {
			t.Fatal(err)
		}
		return exec.Command(program, "serve", "-c", file)
	}
	refused(serve("inet:"+taken.Addr().String()), "assay: listen.milter: inet:"+taken.Addr().String()+": another process listens there\nassay: hint: ")

	locked := filepath.Join(folder, "locked")
	if err := os.Mkdir(locked, 0o555); err != nil {
		t.Fatal(err)
	}
	cmd := serve("unix:" + locked + "/s")
	if os.Geteuid() == 0 { // root may write everywhere
		if err := os.Chmod(filepath.Dir(folder), 0o755); err != nil { // the parent of all of the test's folders
			t.Fatal(err)
		}
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	}
	refused(cmd, "permission denied\nassay: hint: let the user that assay runs as write to "+locked+", or let systemd open the socket: contrib/systemd/assay.socket")
}
