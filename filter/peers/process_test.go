package peers

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// tick is the unit of processor time in /proc, on every Linux that Go runs on.
const tick = time.Second / 100

// patience is how long a filter may take to start: Rspamd compiles patterns first.
const patience = 3 * time.Minute

// process is a filter of its own, with all that it forks.
type process struct {
	name   string
	socket string
	args   []string
	said   *tail
	cmd    *exec.Cmd
	ended  chan struct{}
}

// start runs the filter and waits until it listens.
func (p *process) start(t testing.TB) {
	t.Helper()
	_ = os.Remove(p.socket) // of one that has crashed
	p.cmd = exec.Command(p.args[0], p.args[1:]...)
	p.cmd.Env = append(os.Environ(), "PATH=/usr/sbin:/usr/bin:/sbin:/bin")
	p.said = &tail{}
	p.cmd.Stdout, p.cmd.Stderr = p.said, p.said
	if err := p.cmd.Start(); err != nil {
		t.Fatalf("%s: %v", p.name, err)
	}
	ended := make(chan struct{})
	p.ended = ended
	go func(cmd *exec.Cmd) {
		defer close(ended)
		_ = cmd.Wait() // whether it still runs is asked where it matters
	}(p.cmd)
	for late := time.Now().Add(patience); ; time.Sleep(10 * time.Millisecond) {
		c, err := net.Dial("unix", p.socket)
		if err == nil {
			c.Close()
			return
		}
		if p.dead() || time.Now().After(late) {
			t.Fatalf("%s does not listen: %v\n%s", p.name, err, p.said)
		}
	}
}

func (p *process) dead() bool {
	select {
	case <-p.ended:
		return true
	default:
		return false
	}
}

func (p *process) stop() {
	if p.ended == nil { // it was never started
		return
	}
	family := p.family()
	_ = p.cmd.Process.Signal(os.Interrupt) // it may have ended
	select {
	case <-p.ended:
	case <-time.After(5 * time.Second):
		for _, pid := range family {
			if child, err := os.FindProcess(pid); err == nil {
				_ = child.Kill()
			}
		}
		<-p.ended
	}
}

// tail keeps the end of what is written to it.
type tail struct {
	mu   sync.Mutex
	text []byte
}

func (t *tail) Write(p []byte) (int, error) {
	const most = 1 << 20
	t.mu.Lock()
	defer t.mu.Unlock()
	t.text = append(t.text, p...)
	if len(t.text) > 2*most {
		t.text = slices.Clone(t.text[len(t.text)-most:])
	}
	return len(p), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(t.text)
}

// family are the ids of the process and its descendants.
func (p *process) family() []int {
	children := map[int][]int{}
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, file := range stats {
		pid, err := strconv.Atoi(filepath.Base(filepath.Dir(file)))
		if fields := readStat(pid); err == nil && fields != nil {
			parent, _ := strconv.Atoi(fields[1])
			children[parent] = append(children[parent], pid)
		}
	}
	all := []int{p.cmd.Process.Pid}
	for i := 0; i < len(all); i++ {
		all = append(all, children[all[i]]...)
	}
	return all
}

// readStat returns the fields of /proc/PID/stat after the name, nil where
// the process is gone.
func readStat(pid int) []string {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return nil
	}
	return strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:]))
}

// cpu is the processor time taken so far, user and system, with that of children
// that have ended.
func (p *process) cpu() time.Duration {
	var ticks int64
	for _, pid := range p.family() {
		fields := readStat(pid)
		if len(fields) < 15 {
			continue
		}
		for _, field := range fields[11:15] {
			n, _ := strconv.ParseInt(field, 10, 64)
			ticks += n
		}
	}
	return time.Duration(ticks) * tick
}

// forgetPeak makes peak mean what comes from now on.
func (p *process) forgetPeak() {
	for _, pid := range p.family() {
		_ = os.WriteFile(fmt.Sprintf("/proc/%d/clear_refs", pid), []byte("5"), 0) // it may be gone
	}
}

// peak is the most memory that was resident, in octets, summed over the processes:
// what they share is counted for each.
func (p *process) peak() int64 {
	var sum int64
	for _, pid := range p.family() {
		sum += status(pid, "VmHWM:") << 10
	}
	return sum
}

// status is a number of /proc/PID/status.
func status(pid int, name string) int64 {
	text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, name); ok {
			n, _ := strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
			return n
		}
	}
	return 0
}
