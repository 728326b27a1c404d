package web

import (
	"context"
	"time"

	"assay/filter"
)

// Status is how the service is, for people. It is also the JSON that "assay
// status" reads.
type Status struct {
	Version    string    `json:"version"`
	AuthservID string    `json:"authserv_id"`
	Mode       string    `json:"mode"`
	Started    time.Time `json:"started"`
	Now        time.Time `json:"now"`
	// NotReady is why no mail should be sent here now; "" where it should.
	NotReady  string     `json:"not_ready,omitempty"`
	Unhealthy string     `json:"unhealthy,omitempty"` // why a restart would help; "" where it would not
	Milter    []string   `json:"milter"`              // where MTAs find it
	Config    Config     `json:"config"`
	Sessions  Sessions   `json:"sessions"`
	Recent    []Window   `json:"recent"` // the last minute, hour and day
	DNS       DNS        `json:"dns"`
	Failing   []Frequent `json:"failing_author_domains"` // of the last 12 to 24 hours
	Rules     []Rule     `json:"rules"`
	Shadow    *Shadow    `json:"shadow,omitempty"` // the policy to try; nil where there is none
	Debug     *time.Time `json:"debug_until,omitempty"`
	Warnings  []Warning  `json:"warnings"`
}

// Config tells about the configuration in force.
type Config struct {
	File    string    `json:"file,omitempty"`
	Hash    string    `json:"hash"`
	Read    time.Time `json:"read"`
	Refused string    `json:"refused,omitempty"` // why another one, read later, was refused
}

// Sessions tells about the MTAs' connections.
type Sessions struct {
	Open       int    `json:"open"`
	Busy       int    `json:"busy"`
	Accepted   uint64 `json:"accepted"`
	TurnedAway uint64 `json:"turned_away"`
	CannotEdit uint64 `json:"uneditable"`
	Panics     uint64 `json:"panics"`
}

// Window is what came within the last minutes.
type Window struct {
	Minutes  int64             `json:"minutes"`
	Messages uint32            `json:"messages"`
	Actions  map[string]uint32 `json:"actions"`
	DMARC    map[string]uint32 `json:"dmarc"`
	Exempt   uint32            `json:"exempt"`
	Unable   uint32            `json:"unable"` // not examined, by a fault or limit of ours
}

// DNS tells about the resolver.
type DNS struct {
	Lookups uint64   `json:"lookups"`
	Hits    uint64   `json:"hits"` // of these, answered from the cache
	Queries uint64   `json:"queries"`
	Entries int      `json:"cache_entries"`
	Servers []Server `json:"servers"`
}

// Server tells about a DNS server.
type Server struct {
	Server  string  `json:"server"`
	Queries uint64  `json:"queries"`
	Replies uint64  `json:"replies"`
	Lost    uint64  `json:"lost"`                  // not answered within dns.retry_after
	Took    float64 `json:"reply_seconds"`         // a reply, on average
	Average float64 `json:"average_seconds"`       // of late; a query that is lost counts as dns.timeout
	NoTCP   uint64  `json:"without_tcp,omitempty"` // answers since the last success that were to be had over TCP only, and were not
}

// Rule tells how often an exception or rule has decided.
type Rule struct {
	Step   string `json:"step"`
	Name   string `json:"name"`
	Reason string `json:"reason"`
	Owner  string `json:"owner,omitempty"`
	Hits   int64  `json:"hits"`
}

// Shadow tells what the policy to try would have done, since it was read.
type Shadow struct {
	Judged  int64 `json:"judged"`
	Differs int64 `json:"differs"`
}

// mostFailing is how many failing author domains a status names.
const mostFailing = 10

// status tells how the service is.
func (m *Monitor) status(ctx context.Context) Status {
	now := m.now()
	s := Status{Version: m.version, Started: m.started, Now: now, NotReady: m.notReady(ctx), Unhealthy: m.unhealthy(), Rules: []Rule{}, Warnings: []Warning{}}
	day := m.lately(now, &s)
	f := m.facts.Load()
	if f == nil {
		return s
	}
	s.AuthservID, s.Mode, s.Milter = f.AuthservID, f.Mode, f.Milter
	s.Config = Config{File: f.File, Hash: f.Hash, Read: time.Unix(m.reloads.at.Load(), 0).UTC()}
	if problem := m.reloads.problem.Load(); problem != nil {
		s.Config.Refused = *problem
	}
	stats := f.Filter.Stats()
	s.Sessions = Sessions{
		Open: stats.Sessions, Busy: stats.Busy, Accepted: stats.Accepted,
		TurnedAway: stats.TurnedAway, CannotEdit: stats.CannotEdit, Panics: stats.Panics,
	}
	s.dns(f)
	s.policy(f, now)
	s.Warnings = append(s.Warnings, warnings(&s, f, stats, day)...)
	return s
}

// lately completes what is counted message by message, and returns the counts of
// the day.
func (m *Monitor) lately(now time.Time, s *Status) (day counts) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, minutes := range []int64{1, 60, dayMinutes} {
		day = m.recent.last(now, minutes)
		s.Recent = append(s.Recent, window(minutes, &day))
	}
	s.Failing = m.failing.top(now, mostFailing)
	return day
}

func window(minutes int64, c *counts) Window {
	w := Window{Minutes: minutes, Messages: c.messages(), Actions: map[string]uint32{}, DMARC: map[string]uint32{}, Exempt: c.exempt, Unable: c.unable}
	for i, action := range actionPlaces {
		w.Actions[string(action)] = c.actions[i]
	}
	for i, result := range dmarcPlaces {
		w.DMARC[string(result)] = c.dmarc[i]
	}
	return w
}

func (s *Status) dns(f *Facts) {
	stats := f.Resolver.Stats()
	s.DNS = DNS{Lookups: stats.Hits + stats.Misses, Hits: stats.Hits, Queries: stats.Queries, Entries: stats.Entries, Servers: []Server{}}
	for _, u := range stats.Upstreams {
		server := Server{Server: u.Server, Queries: u.Queries, Replies: u.Replies, Lost: u.Lost, Average: u.Average.Seconds(), NoTCP: u.NoTCP}
		if u.Replies > 0 {
			server.Took = u.Took.Seconds() / float64(u.Replies)
		}
		s.DNS.Servers = append(s.DNS.Servers, server)
	}
}

func (s *Status) policy(f *Facts, now time.Time) {
	for _, h := range f.Filter.Hits() {
		s.Rules = append(s.Rules, Rule{string(h.Step), h.Rule, h.Reason, h.Owner, h.Count})
	}
	if trial := f.Filter.Trial(); trial != (filter.Trial{}) {
		s.Shadow = &Shadow{trial.Judged, trial.Differs}
	}
	if d := f.Filter.Debug(now); d != nil {
		s.Debug = &d.Until
	}
}
