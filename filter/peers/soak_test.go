package peers

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"assay/filter/miltertest"
)

var soak = flag.Duration("soak", 10*time.Minute, "how long BenchmarkSoak goes on")

// parts is how many parts of a soak are told apart: minutes of the ten. The first
// is for growing to size.
const parts = 10

// spare is how many goroutines more there may be after a long run: the runtime starts
// some of its own late. What leaks, leaks by the thousand.
const spare = 10

// BenchmarkSoak asks: does anything grow that should not? Mail of all kinds, good,
// hostile and broken off, comes in as fast as it is taken, while the configuration is read again
// and again.
func BenchmarkSoak(b *testing.B) {
	office := newPostOffice(b)
	office.serve(b)
	h := newHouse(b)
	s := soaking{b: b, contender: h.runAssay(b), until: time.Now().Add(*soak / parts / 10), hostile: office.hostile()}
	for _, k := range []kind{office.kind(b, "", 1, plain(2<<10)), office.kind(b, "", 3, plain(20<<10)), office.kind(b, "", 2, realLife)} {
		s.good = append(s.good, k.mails...)
	}
	s.send(rand.New(rand.NewPCG(1, 1)))
	least := goroutines(b, s.contender.filters[0])

	s = soaking{b: b, contender: h.runAssay(b), until: time.Now().Add(*soak), good: s.good, hostile: s.hostile}
	assay := s.contender.filters[0]
	var all sync.WaitGroup
	for i := range 20 {
		all.Go(func() { s.send(rand.New(rand.NewPCG(uint64(i), 1))) })
	}
	all.Go(func() { s.reload(assay) })
	began := time.Now()
	var samples []sample
	for time.Now().Before(s.until) {
		time.Sleep(*soak / (60 * parts))
		samples = append(samples, take(assay))
	}
	all.Wait()
	took := time.Since(began)
	if assay.dead() {
		b.Fatalf("assay has ended:\n%s", assay.said)
	}
	left := goroutines(b, assay)

	second, last := during(samples, 1), during(samples, parts-1)
	fmt.Print("\n| time | messages | verified | hostile | broken off | reloads | RSS, MiB: second part, last | descriptors: second, last | threads: second, last | goroutines left: of a short run, of this |\n" +
		"|---|---|---|---|---|---|---|---|---|---|\n")
	fmt.Printf("| %v | %d | %d | %d | %d | %d | %d, %d | %d, %d | %d, %d | %d, %d |\n\n", took.Round(time.Second), s.sent.Load()+s.attacks.Load(), s.sent.Load(), s.attacks.Load(),
		s.broken.Load(), s.reloads.Load(), second.memory>>10, last.memory>>10, second.files, last.files, second.threads, last.threads, least, left)
	flat := func(what string, second, last int64) {
		if float64(last) > 1.1*float64(second) {
			b.Errorf("%s: %d in the last part, %d in the second", what, last, second)
		}
	}
	flat("memory", second.memory, last.memory)
	flat("descriptors", second.files, last.files)
	if left > least+spare {
		_, stacks, _ := strings.Cut(assay.said.String(), "SIGQUIT")
		b.Errorf("%d goroutines are left, %d after a short run:\n%s", left, least, stacks)
	}
	b.ReportMetric(0, "ns/op") // how long it takes says nothing
}

// soaking is a soak under way.
type soaking struct {
	b             *testing.B
	contender     contender
	until         time.Time
	good, hostile []mail

	sent, attacks, broken, reloads atomic.Int64
}

// send sends mail, some of it hostile, and breaks some off, until the end.
func (s *soaking) send(random *rand.Rand) {
	var w way
	var err error
	for time.Now().Before(s.until) {
		if w == nil {
			if w, err = open(s.contender); err != nil {
				s.b.Errorf("connecting: %v", err)
				return
			}
		}
		switch n := random.IntN(100); {
		case n < 80:
			m := s.good[random.IntN(len(s.good))]
			results, _, err := w.deliver(m.Message)
			if err != nil || !passes(results, m.signatures) {
				s.b.Errorf("a good message: %v, %s", err, results)
				return
			}
			s.sent.Add(1)
		case n < 90:
			// What becomes of it does not matter, as long as it is answered as the protocol wants.
			if _, err := w[0].Deliver(s.hostile[random.IntN(len(s.hostile))].Message); err != nil {
				s.b.Errorf("a hostile message: %v", err)
				return
			}
			s.attacks.Add(1)
		case n < 97:
			if err := s.abort(w[0], random); err != nil {
				s.b.Errorf("aborting: %v", err)
				return
			}
			s.broken.Add(1)
		default:
			s.hangUp(w[0], random)
			w = nil
			s.broken.Add(1)
		}
	}
	if err := w.close(); err != nil {
		s.b.Errorf("quitting: %v", err)
	}
}

// abort gives a message up somewhere on its way.
func (s *soaking) abort(c *miltertest.Conn, random *rand.Rand) error {
	m := s.good[random.IntN(len(s.good))]
	_, err := c.Connect(m.ClientName, m.Client)
	for _, step := range []func() error{
		func() error { _, err := c.Mail(m.From); return err },
		func() error { _, err := c.Rcpt(m.Rcpts[0]); return err },
		func() error { _, err := c.Header("From", " a@"+author(1)); return err },
		func() error { _, err := c.EOH(); return err },
		func() error { _, err := c.Body(m.Raw); return err },
	} {
		if err == nil {
			err = step()
		}
		if random.IntN(5) == 0 {
			break
		}
	}
	if err != nil {
		return err
	}
	return c.Abort()
}

// hangUp closes the connection: at once, in the middle of a message, of a packet, or
// after octets that are no packet.
func (s *soaking) hangUp(c *miltertest.Conn, random *rand.Rand) {
	// Whether what is written arrives is not the question.
	switch random.IntN(4) {
	case 1:
		_, _ = c.Mail("a@" + author(2))
	case 2:
		_ = c.SendRaw([]byte{0, 0, 1, 0, 'L', 'x'})
	case 3:
		_ = c.SendRaw([]byte("GET / HTTP/1.1\r\nHost: mx.bench.test\r\n\r\n"))
	}
	_ = c.Close()
}

// reload makes the filter read its configuration again.
func (s *soaking) reload(p *process) {
	for time.Now().Before(s.until) && !p.dead() {
		time.Sleep(*soak / 300)
		if err := p.cmd.Process.Signal(syscall.SIGHUP); err != nil {
			s.b.Errorf("reloading: %v", err)
			return
		}
		s.reloads.Add(1)
	}
}

// sample is what a process has at a moment: resident memory in KiB, and numbers.
type sample struct{ memory, files, threads int64 }

func take(p *process) sample {
	pid := p.cmd.Process.Pid
	files, _ := os.ReadDir(fmt.Sprintf("/proc/%d/fd", pid)) // none where it has ended, which is seen later
	return sample{status(pid, "VmRSS:"), int64(len(files)), status(pid, "Threads:")}
}

// during is the medians of one part of the samples.
func during(samples []sample, n int) sample {
	some := samples[len(samples)*n/parts : len(samples)*(n+1)/parts]
	middle := func(of func(sample) int64) int64 {
		var all []int64
		for _, s := range some {
			all = append(all, of(s))
		}
		slices.Sort(all)
		return all[len(all)/2]
	}
	return sample{
		middle(func(s sample) int64 { return s.memory }),
		middle(func(s sample) int64 { return s.files }),
		middle(func(s sample) int64 { return s.threads }),
	}
}

// goroutines ends a process and returns how many it had.
func goroutines(t testing.TB, p *process) int {
	t.Helper()
	time.Sleep(2 * time.Second) // connections that were closed are seen to be
	if err := p.cmd.Process.Signal(syscall.SIGQUIT); err != nil {
		t.Fatal(err)
	}
	<-p.ended
	n := strings.Count(p.said.String(), "\ngoroutine ")
	if n == 0 {
		t.Fatalf("assay does not tell its goroutines:\n%s", p.said)
	}
	return n
}
