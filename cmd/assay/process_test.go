package main

import (
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// patience is how long a test waits for a process: far longer than it takes.
const patience = 30 * time.Second

// buildAssay builds the program.
func buildAssay(t *testing.T) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), "assay")
	if said, err := exec.Command("go", "build", "-buildvcs=false", "-o", program, ".").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, said)
	}
	return program
}

// process is the program while it runs.
type process struct {
	cmd   *exec.Cmd
	out   *talk // what it says on stdout
	err   *talk // and on stderr
	ended chan struct{}
}

// startProcess runs the program, until the end of the test at the latest.
func startProcess(t *testing.T, program string, args ...string) *process {
	t.Helper()
	return startCommand(t, exec.Command(program, args...))
}

// startCommand starts what has been made ready.
func startCommand(t *testing.T, cmd *exec.Cmd) *process {
	t.Helper()
	p := &process{cmd: cmd, out: newTalk(), err: newTalk(), ended: make(chan struct{})}
	p.cmd.Stdout, p.cmd.Stderr = p.out, p.err
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(p.ended)
		_ = p.cmd.Wait() // the exit status is read where it matters
	}()
	t.Cleanup(func() {
		_ = p.cmd.Process.Kill() // it has ended already where all went well
		<-p.ended
		if t.Failed() {
			t.Logf("stdout:\n%s\nstderr:\n%s", p.out, p.err)
		}
	})
	return p
}

func (p *process) signal(t *testing.T, s syscall.Signal) {
	t.Helper()
	if err := p.cmd.Process.Signal(s); err != nil {
		t.Fatal(err)
	}
}

// status waits for the end and returns the exit status.
func (p *process) status(t *testing.T) int {
	t.Helper()
	select {
	case <-p.ended:
	case <-time.After(patience):
		t.Fatalf("still running after %v", patience)
	}
	return p.cmd.ProcessState.ExitCode()
}

// talk is what a process has said so far.
type talk struct {
	mu   sync.Mutex
	text strings.Builder
	more chan struct{} // closed, and replaced, when there is more
}

func newTalk() *talk { return &talk{more: make(chan struct{})} }

func (b *talk) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	close(b.more)
	b.more = make(chan struct{})
	return b.text.Write(p)
}

func (b *talk) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

// wait returns when the process has said the words n times.
func (b *talk) wait(t *testing.T, words string, n int) {
	t.Helper()
	late := time.After(patience)
	for {
		b.mu.Lock()
		said, more := strings.Count(b.text.String(), words), b.more
		b.mu.Unlock()
		if said >= n {
			return
		}
		select {
		case <-more:
		case <-late:
			t.Fatalf("%q has been said %d times, want %d", words, said, n)
		}
	}
}
