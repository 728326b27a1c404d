package web

import (
	"flag"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus/testutil"
	dto "github.com/prometheus/client_model/go"

	"assay/filter"
	"assay/filter/miltertest"
	"assay/policy"
	"assay/verify/dmarc"
)

var update = flag.Bool("update", false, "write the tables of docs/metrics.md anew")

// gather returns the metrics of ours that a running service has.
func gather(t *testing.T, s *service) []*dto.MetricFamily {
	t.Helper()
	families, err := s.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	return slices.DeleteFunc(families, func(f *dto.MetricFamily) bool { return !strings.HasPrefix(f.GetName(), "assay_") })
}

// TestMetricsDocument: docs/metrics.md lists the metrics that there are, all of
// them from the first scrape on.
func TestMetricsDocument(t *testing.T) {
	const file, begin, end = "../docs/metrics.md", "<!-- metrics -->\n", "<!-- end -->\n"
	var table strings.Builder
	table.WriteString("| Metric | Type | Labels | Meaning |\n|---|---|---|---|\n")
	for _, f := range gather(t, start(t, testZone)) {
		fmt.Fprintf(&table, "| `%s` | %s | %s | %s |\n", f.GetName(), strings.ToLower(f.GetType().String()), labelsOf(f), f.GetHelp())
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(text), begin)
	listed, after, closed := strings.Cut(rest, end)
	if !ok || !closed {
		t.Fatalf("%s has no table between %q and %q", file, begin, end)
	}
	if *update {
		if err := os.WriteFile(file, []byte(before+begin+table.String()+end+after), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if listed != table.String() {
		t.Errorf("%s differs from the code; -update writes it anew:\n%s", file, table.String())
	}
}

// labelsOf names the labels of a metric, with their values where these are ours.
func labelsOf(f *dto.MetricFamily) string {
	var names []string
	values := map[string][]string{}
	for _, m := range f.GetMetric() {
		for _, l := range m.GetLabel() {
			if !slices.Contains(names, l.GetName()) {
				names = append(names, l.GetName())
			}
			if !slices.Contains(values[l.GetName()], l.GetValue()) {
				values[l.GetName()] = append(values[l.GetName()], l.GetValue())
			}
		}
	}
	for i, name := range names {
		if name == "server" {
			names[i] = "`server`: as in the configuration"
			continue
		}
		slices.Sort(values[name])
		names[i] = "`" + name + "`: " + strings.Join(values[name], ", ")
	}
	return strings.Join(names, "; ")
}

// TestMetricsLint holds names and units to the custom of Prometheus.
func TestMetricsLint(t *testing.T) {
	s := start(t, testZone)
	problems, err := testutil.GatherAndLint(s.registry)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		if strings.HasPrefix(p.Metric, "assay_") {
			t.Errorf("%s: %s", p.Metric, p.Text)
		}
	}
}

// TestMetricsCount sends mail and wants it counted.
func TestMetricsCount(t *testing.T) {
	s := start(t, testZone)
	c := s.serve(t)
	s.deliver(t, "example.com")
	s.deliver(t, "example.com")
	s.deliver(t, "forged.example")
	_, text := get(t, c, "/metrics")
	want := func(line string) {
		t.Helper()
		if !regexp.MustCompile(`(?m)^` + line + `$`).MatchString(text) {
			t.Errorf("no line %s", line)
		}
	}
	want(`assay_messages_total\{action="accept",step="dmarc"\} 2`)
	want(`assay_messages_total\{action="reject",step="dmarc"\} 1`)
	want(`assay_messages_total\{action="hold",step="rule"\} 0`)
	want(`assay_results_total\{method="dmarc",result="pass"\} 2`)
	want(`assay_results_total\{method="dmarc",result="fail"\} 1`)
	want(`assay_results_total\{method="spf",result="pass"\} 3`)
	want(`assay_results_total\{method="dkim",result="none"\} 3`)
	want(`assay_stage_seconds_count\{stage="end"\} 3`)
	want(`assay_message_lookups_count 3`)
	want(`assay_sessions_total 3`)
	want(`assay_config_hash 1.250999896491e\+12`)
	want(`assay_config_reads_total\{outcome="taken"\} 1`)
	want(`assay_dns_answers_total\{answer="records"\} [1-9][0-9]*`)
	want(`assay_dns_server_seconds_count\{server="[0-9.:]+"\} [1-9][0-9]*`)
	want(`go_goroutines [0-9]+`)
	if t.Failed() {
		t.Log(text)
	}
}

// TestMetricsRare counts what seldom happens.
func TestMetricsRare(t *testing.T) {
	s := start(t, testZone)
	c := s.serve(t)
	want := func(n int) {
		t.Helper()
		_, text := get(t, c, "/metrics")
		for _, name := range []string{
			`assay_budget_exhausted_total{budget="time"}`, `assay_budget_exhausted_total{budget="queries"}`, `assay_stale_messages_total`,
			`assay_spared_messages_total`, `assay_shadow_differences_total`, `assay_messages_total{action="defer",step="unable"}`,
			`assay_panics_total`, `assay_sessions_uneditable_total`, `assay_config_reads_total{outcome="refused"}`,
		} {
			if line := fmt.Sprintf("\n%s %d\n", name, n); !strings.Contains(text, line) {
				t.Errorf("no line %s", strings.TrimSpace(line))
			}
		}
		for _, line := range []string{`assay_config_last_read_successful %d`, `assay_refusing_stopped 0`, `assay_sessions_stuck 0`} {
			if strings.Contains(line, "%") {
				line = fmt.Sprintf(line, 1-n)
			}
			if !strings.Contains(text, "\n"+line+"\n") {
				t.Errorf("no line %s", line)
			}
		}
	}
	want(0)
	o := judged(policy.Accept, dmarc.TempError)
	o.Findings.OutOfTime, o.Findings.Refused, o.Findings.Stale = true, 3, 2
	o.Verdict.Would.Action, o.Trial = policy.Reject, &policy.Verdict{}
	s.Record(o)
	s.Record(&filter.Outcome{Message: o.Message, Verdict: policy.Verdict{Action: policy.Defer}, Unable: dnsFault{}})
	s.Refused("colour: unknown setting")
	cannotEdit(t, s)
	s.settings.Recorder = breaking{}
	s.filter.Use(s.settings)
	s.deliver(t, "example.com")
	want(1)
}

func TestMetricsTurnedAway(t *testing.T) {
	s := start(t, testZone)
	s.settings.Limits = filter.Limits{Sessions: 1}
	s.filter.Use(s.settings)
	first, err := miltertest.Dial("tcp", s.milter, miltertest.Postfix())
	if err != nil {
		t.Fatal(err)
	}
	defer first.Close()
	deliverRaw(t, s, "", nil)
	if _, text := get(t, s.serve(t), "/metrics"); !strings.Contains(text, "\nassay_turned_away_total 1\n") {
		t.Error("it is not counted")
	}
}

// TestLabelsAreBounded: whatever senders write, no label has it.
func TestLabelsAreBounded(t *testing.T) {
	s := start(t, testZone)
	count := func() (n int) {
		for _, f := range gather(t, s) {
			n += len(f.GetMetric())
		}
		return n
	}
	before := count()
	for i := range 20 {
		s.deliver(t, fmt.Sprintf("stranger%d.example", i))
	}
	if after := count(); after != before {
		t.Errorf("%d series before, %d after mail of 20 domains", before, after)
	}
}
