package web

import (
	"strconv"

	"github.com/prometheus/client_golang/prometheus"

	"assay/dnscache"
	"assay/filter"
)

// collector reads what others count, whenever the numbers are asked for.
type collector struct {
	monitor *Monitor
}

// Describe implements prometheus.Collector: what there is, Collect shows.
func (c *collector) Describe(chan<- *prometheus.Desc) {}

// Collect implements prometheus.Collector.
func (c *collector) Collect(out chan<- prometheus.Metric) {
	s := sink{out}
	m := c.monitor
	s.counter("assay_config_reads_total", "Readings of the configuration, the first included.", float64(m.reloads.taken.Load()), label{"outcome", "taken"})
	s.counter("assay_config_reads_total", "Readings of the configuration, the first included.", float64(m.reloads.refused.Load()), label{"outcome", "refused"})
	s.gauge("assay_config_last_read_successful", "1 where the configuration read last is in force, 0 where it was refused.", truth(m.reloads.problem.Load() == nil))
	s.gauge("assay_config_timestamp_seconds", "When the configuration in force was read, in seconds since the epoch.", float64(m.reloads.at.Load()))
	f := m.facts.Load()
	if f == nil {
		return
	}
	s.gauge("assay_config_hash", "The first 48 bits of the SHA-256 of the configuration in force: the same where it is the same.", hashNumber(f.Hash))
	s.filter(f.Filter.Stats(), f.Filter.Stuck(m.now(), f.StuckAfter))
	s.dns(f.Resolver.Stats())
}

// sink takes metrics.
type sink struct {
	out chan<- prometheus.Metric
}

type label struct{ name, value string }

func (s sink) counter(name, help string, value float64, labels ...label) {
	s.send(name, help, prometheus.CounterValue, value, labels)
}

func (s sink) gauge(name, help string, value float64, labels ...label) {
	s.send(name, help, prometheus.GaugeValue, value, labels)
}

func (s sink) send(name, help string, kind prometheus.ValueType, value float64, labels []label) {
	names, values := split(labels)
	s.out <- prometheus.MustNewConstMetric(prometheus.NewDesc(name, help, names, nil), kind, value, values...)
}

func split(labels []label) (names, values []string) {
	for _, l := range labels {
		names, values = append(names, l.name), append(values, l.value)
	}
	return names, values
}

func (s sink) filter(f filter.Stats, stuck int) {
	s.gauge("assay_sessions", "Open connections of MTAs.", float64(f.Sessions))
	s.gauge("assay_sessions_busy", "Of these, those with a message in flight.", float64(f.Busy))
	s.gauge("assay_sessions_stuck", "Of these, those that make no progress, by a fault of ours.", float64(stuck))
	s.gauge("assay_refusing_stopped", "1 where policy.max_reject_share has stopped refusing, until the configuration is read again.", truth(f.Stopped))
	s.counter("assay_sessions_total", "Connections of MTAs accepted.", float64(f.Accepted))
	s.counter("assay_sessions_uneditable_total", "Connections of MTAs that do not allow header changes; their messages are deferred.", float64(f.CannotEdit))
	s.counter("assay_turned_away_total", "Connections and messages that a limit forbade.", float64(f.TurnedAway))
	s.counter("assay_panics_total", "Faults of ours that cost the examination of a message at most.", float64(f.Panics))
}

func (s sink) dns(d dnscache.Stats) {
	const lookups, answers = "DNS look-ups by where the answer was from.", "DNS answers by what they say; failure: no server gave one."
	s.counter("assay_dns_lookups_total", lookups, float64(d.Hits), label{"source", "cache"})
	s.counter("assay_dns_lookups_total", lookups, float64(d.Misses), label{"source", "server"})
	s.counter("assay_dns_answers_total", answers, float64(d.Answers), label{"answer", "records"})
	s.counter("assay_dns_answers_total", answers, float64(d.NoData), label{"answer", "nodata"})
	s.counter("assay_dns_answers_total", answers, float64(d.Absent), label{"answer", "nxdomain"})
	s.counter("assay_dns_answers_total", answers, float64(d.Failures), label{"answer", "failure"})
	s.counter("assay_dns_queries_total", "Queries sent to DNS servers; one question may take several.", float64(d.Queries))
	s.counter("assay_dns_stale_total", "Look-ups answered with what was past its time, because servers failed.", float64(d.Stale))
	s.counter("assay_dns_prefetches_total", "Answers asked for anew before their end.", float64(d.Prefetches))
	s.gauge("assay_dns_queries_in_flight", "Queries to DNS servers that are out now.", float64(d.InFlight))
	s.gauge("assay_dns_cache_entries", "Answers in the cache.", float64(d.Entries))
	s.gauge("assay_dns_cache_bytes", "What they weigh, about.", float64(d.Bytes))
	for _, u := range d.Upstreams {
		server := label{"server", u.Server}
		s.counter("assay_dns_server_queries_total", "Queries sent to this server.", float64(u.Queries), server)
		s.counter("assay_dns_server_lost_total", "Of these, those not answered within dns.retry_after.", float64(u.Lost), server)
		s.gauge("assay_dns_server_without_tcp", "Answers since the last success that were to be had over TCP only, and were not.", float64(u.NoTCP), server)
		s.latency(u, server)
	}
}

// latency is how long a server takes to answer.
func (s sink) latency(u dnscache.UpstreamStats, server label) {
	below, upTo := map[float64]uint64{}, uint64(0)
	for i, bound := range dnscache.LatencyBounds {
		upTo += u.Latency[i]
		below[bound.Seconds()] = upTo
	}
	desc := prometheus.NewDesc("assay_dns_server_seconds", "How long this server takes to answer.", []string{server.name}, nil)
	s.out <- prometheus.MustNewConstHistogram(desc, upTo+u.Latency[len(dnscache.LatencyBounds)], u.Took.Seconds(), below, server.value)
}

func truth(yes bool) float64 {
	if yes {
		return 1
	}
	return 0
}

// hashNumber is the beginning of a hash as a number that a float64 holds.
func hashNumber(hash string) float64 {
	const digits = 12 // of 4 bits each
	n, _ := strconv.ParseUint(hash[:min(len(hash), digits)], 16, 64)
	return float64(n)
}
