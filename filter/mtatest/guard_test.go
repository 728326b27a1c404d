package mtatest

import (
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// TestGuard ends a process that has no time for its clean-ups, and waits for what its guard says.
func TestGuard(t *testing.T) {
	const inChild = "MTATEST_GUARDED_FOLDER"
	if folder := os.Getenv(inChild); folder != "" {
		guard(t, folder, `echo stopped >"$1/fifo"`)
		os.Exit(3)
	}
	folder := t.TempDir()
	fifo := filepath.Join(folder, "fifo")
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	// Opened for both so that the opening does not wait for the writer.
	said, err := os.OpenFile(fifo, os.O_RDWR|syscall.O_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer said.Close()

	child := exec.Command(os.Args[0], "-test.run=^TestGuard$")
	child.Env = append(os.Environ(), inChild+"="+folder)
	if err := child.Run(); child.ProcessState.ExitCode() != 3 {
		t.Fatalf("child: %v, want exit status 3", err)
	}
	if err := said.SetReadDeadline(time.Now().Add(arrival)); err != nil {
		t.Fatal(err)
	}
	got := make([]byte, len("stopped\n"))
	if _, err := io.ReadFull(said, got); err != nil || string(got) != "stopped\n" {
		t.Errorf("guard: got %q, %v, want \"stopped\"", got, err)
	}
}
