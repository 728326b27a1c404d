package filter_test

import (
	"errors"
	"io"
	"log/slog"
	"net"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"assay/filter"
	"assay/filter/miltertest"
	"assay/policy"
)

// scarce is a listener that fails before it accepts.
type scarce struct {
	net.Listener
	fails int
	err   error
}

func (s *scarce) Accept() (net.Conn, error) {
	if s.fails > 0 {
		s.fails--
		return nil, &net.OpError{Op: "accept", Err: s.err}
	}
	return s.Listener.Accept()
}

// TestTooManyFiles: what goes by does not end the filter, and is said once.
func TestTooManyFiles(t *testing.T) {
	log := &logBuffer{}
	s := filter.NewServer(slog.New(slog.NewTextHandler(log, nil)), filter.Settings{ID: testID, Rules: &policy.Rules{}})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- s.Serve(&scarce{l, 3, syscall.EMFILE}) }()
	c, err := miltertest.Dial("tcp", l.Addr().String(), miltertest.Postfix())
	if err != nil {
		t.Fatal(err)
	}
	quit(t, c)
	if n := log.count("cannot accept connections"); n != 1 {
		t.Errorf("said %d times", n)
	}
	shutdown(t, &service{Server: s})
	if err := <-served; err != nil {
		t.Errorf("serve: %v", err)
	}
}

// TestAcceptError: what does not go by ends Serve, and Shutdown does not wait for a
// pause.
func TestAcceptError(t *testing.T) {
	serve := func(err error) (*filter.Server, chan error) {
		l, lErr := net.Listen("tcp", "127.0.0.1:0")
		if lErr != nil {
			t.Fatal(lErr)
		}
		s := filter.NewServer(slog.New(slog.DiscardHandler), filter.Settings{ID: testID, Rules: &policy.Rules{}})
		served := make(chan error, 1)
		go func() { served <- s.Serve(&scarce{l, 1 << 30, err}) }()
		return s, served
	}
	_, served := serve(syscall.EINVAL)
	if err := <-served; !errors.Is(err, syscall.EINVAL) {
		t.Errorf("got %v", err)
	}
	s, served := serve(syscall.ENFILE)
	shutdown(t, &service{Server: s})
	if err := <-served; err != nil {
		t.Errorf("got %v", err)
	}
}

// TestSlowWriter: an MTA that sends octet by octet is served, and one that does
// not take its answer loses its connection.
func TestSlowWriter(t *testing.T) {
	s := startZone(t, nil)
	c, err := net.Dial("tcp", s.addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	var answers strings.Builder
	read := make(chan struct{})
	go func() {
		defer close(read)
		_, _ = io.Copy(&answers, c)
	}()
	for _, octet := range recorded() {
		if _, err := c.Write([]byte{octet}); err != nil {
			t.Fatal(err)
		}
	}
	<-read // QUIT was the last
	if n := strings.Count(answers.String(), testID+";"); n != 2 {
		t.Errorf("%d messages have results", n)
	}
}

// TestNeverReads: an MTA that does not take its answers costs a connection and
// nothing else, and not for longer than limits.stage.
func TestNeverReads(t *testing.T) {
	s := startZone(t, func(s *filter.Settings) { s.Limits.Stage = 50 * time.Millisecond })
	ours, theirs := net.Pipe() // which holds nothing
	p := make(pipes)
	served := make(chan error, 1)
	go func() { served <- s.Serve(p) }()
	p <- theirs
	if _, err := ours.Write(offer); err != nil {
		t.Fatal(err)
	}
	waitSessions(t, s, 0)
	wantIn(t, s.log.String(), "i/o timeout")
	close(p)
	if err := <-served; err == nil {
		t.Error("serve: no error")
	}
}

// TestClock: a clock that jumps, even to before 1970, harms no message.
func TestClock(t *testing.T) {
	var mu sync.Mutex
	now := time.Now()
	s := startZone(t, func(s *filter.Settings) {
		s.Verifier.Now = func() time.Time {
			mu.Lock()
			defer mu.Unlock()
			return now
		}
		s.MaxRejects = 50
		s.Rules = &policy.Rules{Enforce: true, OnReject: policy.Reject, Spared: 0}
	})
	c := s.dial(t, miltertest.Postfix())
	for _, jump := range []time.Duration{0, -time.Hour, 48 * time.Hour, -100 * 365 * 24 * time.Hour, 200 * 365 * 24 * time.Hour} {
		mu.Lock()
		now = now.Add(jump)
		mu.Unlock()
		wantIn(t, results(t, deliver(t, c, mail())), "spf=pass", "dmarc=pass")
	}
	quit(t, c)
	if strings.Contains(s.log.String(), "panic") {
		t.Error("a panic was logged")
	}
}

// The memory of one session, in octets.
const (
	mostIdle   = 24 << 10
	mostActive = 96 << 10
)

// TestMemory: five thousand sessions that say nothing, and five hundred with a
// message in flight, cost no more than they may each.
func TestMemory(t *testing.T) {
	if raceEnabled {
		t.Log("not measured with the race detector: it makes everything larger")
		return
	}
	s := startZone(t, nil)
	s.network = "unix"
	path := filepath.Join(t.TempDir(), "milter.sock")
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- s.Serve(l) }()

	measure := func(name string, n, most int, begin func(net.Conn)) {
		before := inUse()
		var conns []net.Conn
		for range n {
			c, err := net.Dial("unix", path)
			if err != nil {
				t.Fatal(err)
			}
			begin(c)
			conns = append(conns, c)
		}
		each := (inUse() - before) / n
		t.Logf("%s: %d octets for each of %d", name, each, n)
		if each > most {
			t.Errorf("%s: a session takes %d octets, want at most %d", name, each, most)
		}
		for _, c := range conns {
			c.Close()
		}
		waitSessions(t, s, 0)
	}
	answer := make([]byte, 512)
	send := func(c net.Conn, octets []byte, answers int) {
		t.Helper()
		if _, err := c.Write(octets); err != nil {
			t.Fatal(err)
		}
		for range answers {
			if _, err := c.Read(answer); err != nil {
				t.Fatal(err)
			}
		}
	}
	measure("idle", 5000, mostIdle, func(c net.Conn) { send(c, offer, 1) })
	// What is announced and does not come is not made room for.
	measure("announcing", 500, mostIdle, func(c net.Conn) {
		send(c, offer, 1)
		send(c, []byte("\x00\x10\x00\x00D"), 0)
	})
	measure("active", 500, mostActive, func(c net.Conn) {
		send(c, offer, 1)
		send(c, frame('C', "out.example.com\x004\x61\xa8192.0.2.7\x00"), 0)
		send(c, frame('M', "<a@example.com>\x00"), 1)
		send(c, frame('R', "<b@rcpt.test>\x00"), 0)
		for range 30 {
			send(c, frame('L', "X-Field\x00 "+strings.Repeat("x", 70)+"\x00"), 0)
		}
		send(c, frame('L', "From\x00 a@example.com\x00"), 0)
		send(c, frame('L', "DKIM-Signature\x00 v=1; a=rsa-sha256; d=example.com; s=x; h=From; bh=eA==; b=eA==\x00"), 0)
		send(c, frame('N', ""), 0)
		send(c, frame('B', strings.Repeat("x", 65000)), 1)
	})
	shutdown(t, s)
	if err := <-served; err != nil {
		t.Errorf("serve: %v", err)
	}
}

// inUse is the memory in use, heap and stacks.
func inUse() int {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int(m.HeapInuse + m.StackInuse)
}

// blocking is a recorder that does not come back until it is let go.
type blocking chan struct{}

func (b blocking) Record(*filter.Outcome) { <-b }

// TestStuck: a session that is at one command for too long is seen, and one that
// waits for its MTA is not.
func TestStuck(t *testing.T) {
	b := make(blocking)
	s := startZone(t, func(s *filter.Settings) { s.Recorder = b })
	c := s.dial(t, miltertest.Postfix())
	later := time.Now().Add(time.Hour)
	want := func(n int, when string) {
		t.Helper()
		for late := time.Now().Add(10 * time.Second); s.Stuck(later, time.Minute) != n; time.Sleep(time.Millisecond) {
			if time.Now().After(late) {
				t.Fatalf("%s: %d are stuck, want %d", when, s.Stuck(later, time.Minute), n)
			}
		}
	}
	want(0, "before the first message")
	done := make(chan struct{})
	go func() {
		defer close(done)
		deliver(t, c, mail())
	}()
	want(1, "while it is recorded")
	if n := s.Stuck(time.Now(), time.Minute); n != 0 {
		t.Errorf("%d are stuck after no time", n)
	}
	close(b)
	<-done
	want(0, "after it")
	quit(t, c)
}
