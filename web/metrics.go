package web

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"assay/filter"
	"assay/policy"
	"assay/verify"
	"assay/verify/arc"
	"assay/verify/dkim"
	"assay/verify/dmarc"
	"assay/verify/iprev"
	"assay/verify/spf"
)

// stepUnable is in the place of a step where a message could not be examined.
const stepUnable policy.Step = "unable"

// messageMetrics are what is counted message by message.
type messageMetrics struct {
	messages  *prometheus.CounterVec // by action, step
	results   *prometheus.CounterVec // by method, result
	stages    *prometheus.HistogramVec
	lookups   prometheus.Histogram
	exhausted *prometheus.CounterVec // by budget
	stale     prometheus.Counter
	spared    prometheus.Counter
	differs   prometheus.Counter
}

// stageBuckets are seconds, from what a cached message costs to the longest
// that an MTA waits.
var stageBuckets = []float64{.0001, .0002, .0005, .001, .002, .005, .01, .02, .05, .1, .2, .5, 1, 2, 5, 10, 20}

func newMessageMetrics() messageMetrics {
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels)
	}
	single := func(name, help string) prometheus.Counter {
		return prometheus.NewCounter(prometheus.CounterOpts{Name: name, Help: help})
	}
	m := messageMetrics{
		messages: counter("assay_messages_total", "Messages by what was done with them and the step of the policy that decided.", "action", "step"),
		results:  counter("assay_results_total", "Results of the methods; of dkim one for each signature.", "method", "result"),
		stages: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "assay_stage_seconds", Help: "How long the MTA waited for an answer at each stage of a message.", Buckets: stageBuckets,
		}, []string{"stage"}),
		lookups: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "assay_message_lookups", Help: "DNS questions that one message asked, answered by the cache or not.", Buckets: []float64{2, 5, 10, 20, 40, 64},
		}),
		exhausted: counter("assay_budget_exhausted_total", "Messages that used up what one may take: time (dns.message_budget) or queries (dns.message_queries).", "budget"),
		stale:     single("assay_stale_messages_total", "Messages judged with DNS answers past their time, because servers failed."),
		spared:    single("assay_spared_messages_total", "Messages with which more would have been done if all of the policy were enforced."),
		differs:   single("assay_shadow_differences_total", "Messages with which the policy to try would do something else."),
	}
	m.name()
	return m
}

// name makes everything appear from the start, at 0: what appears late is not
// seen to grow.
func (m messageMetrics) name() {
	for _, action := range []policy.Action{policy.Accept, policy.Tag, policy.Hold, policy.Defer, policy.Reject} {
		for _, step := range append(policy.Chain(), stepUnable) {
			m.messages.WithLabelValues(string(action), string(step))
		}
	}
	results(m, "spf", spf.None, spf.Neutral, spf.Pass, spf.Fail, spf.SoftFail, spf.TempError, spf.PermError)
	results(m, "dkim", dkim.None, dkim.Pass, dkim.Fail, dkim.Policy, dkim.Neutral, dkim.TempError, dkim.PermError)
	results(m, "arc", arc.None, arc.Pass, arc.Fail)
	results(m, "dmarc", dmarc.None, dmarc.Pass, dmarc.Fail, dmarc.TempError, dmarc.PermError)
	results(m, "iprev", iprev.Pass, iprev.Fail, iprev.TempError, iprev.PermError)
	for _, stage := range []string{"mail", "header", "body", "end"} {
		m.stages.WithLabelValues(stage)
	}
	m.exhausted.WithLabelValues("time")
	m.exhausted.WithLabelValues("queries")
}

func results[R ~string](m messageMetrics, method string, words ...R) {
	for _, word := range words {
		m.results.WithLabelValues(method, string(word))
	}
}

func (m messageMetrics) all() []prometheus.Collector {
	return []prometheus.Collector{m.messages, m.results, m.stages, m.lookups, m.exhausted, m.stale, m.spared, m.differs}
}

// count counts a message.
func (m messageMetrics) count(o *filter.Outcome) {
	m.messages.WithLabelValues(string(o.Verdict.Action), string(stepOf(o))).Inc()
	m.took("mail", o.Waits.Mail)
	m.took("header", o.Waits.Header)
	m.took("body", o.Waits.Body)
	m.took("end", o.Waits.End)
	if o.Verdict.Would.Action != "" {
		m.spared.Inc()
	}
	if o.Trial != nil {
		m.differs.Inc()
	}
	if o.Findings != nil {
		m.countFindings(o.Findings)
	}
}

func stepOf(o *filter.Outcome) policy.Step {
	if o.Unable != nil {
		return stepUnable
	}
	return o.Verdict.Step
}

// took counts the time of a stage; one that did not take place took none.
func (m messageMetrics) took(stage string, d time.Duration) {
	if d > 0 {
		m.stages.WithLabelValues(stage).Observe(d.Seconds())
	}
}

func (m messageMetrics) countFindings(f *verify.Findings) {
	result := func(method, word string) {
		if word != "" { // it was evaluated
			m.results.WithLabelValues(method, word).Inc()
		}
	}
	result("spf", string(f.SPF.Result))
	result("arc", string(f.ARC.Result))
	result("dmarc", string(f.DMARC.Result))
	result("iprev", string(f.IPRev.Result))
	for _, signature := range f.DKIM {
		result("dkim", string(signature.Result))
	}
	if len(f.DKIM) == 0 && f.DMARC.Result != "" {
		result("dkim", string(dkim.None))
	}
	m.lookups.Observe(float64(f.Lookups))
	if f.OutOfTime {
		m.exhausted.WithLabelValues("time").Inc()
	}
	if f.Refused > 0 {
		m.exhausted.WithLabelValues("queries").Inc()
	}
	if f.Stale > 0 {
		m.stale.Inc()
	}
}

// newRegistry returns a registry of our own, with what Go and the system tell of
// the process.
func newRegistry(ours ...prometheus.Collector) *prometheus.Registry {
	r := prometheus.NewRegistry()
	r.MustRegister(ours...)
	r.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}), collectors.NewBuildInfoCollector())
	return r
}
