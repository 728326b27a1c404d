package web

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"assay/dnscache"
	"assay/filter"
	"assay/verify/dmarc"
)

// Monitor is told of every message, and tells how the service is. It is safe for
// concurrent use. Make one with New.
type Monitor struct {
	version  string
	now      func() time.Time
	started  time.Time
	registry *prometheus.Registry
	metrics  messageMetrics
	facts    atomic.Pointer[Facts]
	reloads  reloads

	mu      sync.Mutex
	recent  recent
	failing heavy
}

// Facts is what a monitor tells besides what it counts. They are those of one
// configuration; a reload gives others.
type Facts struct {
	Filter   *filter.Server
	Resolver *dnscache.Resolver
	Log      *slog.Logger // that details are logged is said there

	Milter     []string // where MTAs find it, as listen.milter has it
	File       string   // the configuration; "" where there is none
	Hash       string   // of its content, hexadecimal
	AuthservID string
	IDStated   bool   // AuthservID is in the file, and not this host's name
	Mode       string // observe or enforce
	// Submitted means that a rule asks whether the client has logged in: that such
	// mail is examined is meant.
	Submitted bool
	// Ended returns the exceptions that no longer hold, by their number.
	Ended func(now time.Time) []string
	// SlowAfter is what a DNS server may take on average before it is called slow,
	// where an answer that does not come in time counts as dns.timeout.
	SlowAfter time.Duration
	// StuckAfter is what one command of an MTA may take before something is wrong
	// with us.
	StuckAfter time.Duration
	Pprof      bool // serve profiles too
}

// reloads counts readings of the configuration.
type reloads struct {
	taken, refused atomic.Uint64
	at             atomic.Int64           // when the one in force was read, in seconds since the epoch
	problem        atomic.Pointer[string] // why the last one was refused; nil where it was taken
}

// New returns a monitor of the given version of the program, which began now.
func New(version string, now func() time.Time) *Monitor {
	m := &Monitor{version: version, now: now, started: now(), metrics: newMessageMetrics(), recent: newRecent()}
	m.registry = newRegistry(append(m.metrics.all(), &collector{monitor: m})...)
	return m
}

// Use tells the configuration that is in force from now on.
func (m *Monitor) Use(f Facts) {
	m.facts.Store(&f)
	m.reloads.at.Store(m.now().Unix())
	m.reloads.problem.Store(nil)
	m.reloads.taken.Add(1)
}

// Refused tells that another configuration was read, and why it was refused.
func (m *Monitor) Refused(problem string) {
	m.reloads.problem.Store(&problem)
	m.reloads.refused.Add(1)
}

// Record implements filter.Recorder.
func (m *Monitor) Record(o *filter.Outcome) {
	m.metrics.count(o)
	now := m.now()
	m.mu.Lock()
	defer m.mu.Unlock()
	m.recent.count(now, o)
	if f := o.Findings; f != nil && f.DMARC.Result == dmarc.Fail {
		m.failing.add(now, f.AuthorDomain().String())
	}
}

// noServer is why we are not ready without DNS.
const noServer = "no DNS server answers"

// readyWait bounds how long a DNS server is waited for to tell whether we are
// ready.
const readyWait = 2 * time.Second

// notReady returns why no mail should be sent here now; "" where it should.
func (m *Monitor) notReady(ctx context.Context) string {
	f := m.facts.Load()
	switch {
	case f == nil:
		return "starting"
	case f.Filter.Draining():
		return "stopping: messages in flight are being finished"
	}
	ctx, cancel := context.WithTimeout(ctx, readyWait)
	defer cancel()
	if !f.Resolver.Answering(ctx) {
		return noServer
	}
	return ""
}

// unhealthy returns why a restart would help; "" where it would not.
func (m *Monitor) unhealthy() string {
	if f := m.facts.Load(); f != nil && f.Filter.Stuck(m.now(), f.StuckAfter) > 0 {
		return "sessions make no progress"
	}
	return ""
}
