package web

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"
)

const (
	alertsFile    = "../contrib/prometheus/alerts.yml"
	dashboardFile = "../contrib/prometheus/grafana.json"
	alertsTest    = "testdata/alerts.yml"
)

func read(t *testing.T, file string, decode func([]byte, any) error, into any) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err == nil {
		err = decode(text, into)
	}
	if err != nil {
		t.Fatalf("%s: %v", file, err)
	}
}

// TestAlerts: every alert asks for what there is, and says what to do.
func TestAlerts(t *testing.T) {
	var alerts struct {
		Groups []struct {
			Rules []struct {
				Alert, Expr string
				Labels      struct{ Severity string }
				Annotations struct{ Summary string }
			}
		}
	}
	read(t, alertsFile, yaml.Unmarshal, &alerts)
	tried, err := os.ReadFile(alertsTest)
	if err != nil {
		t.Fatal(err)
	}
	there := exist(t)
	seen := map[string]bool{}
	for _, g := range alerts.Groups {
		for _, r := range g.Rules {
			if seen[r.Alert] || !strings.HasPrefix(r.Alert, "Assay") || r.Labels.Severity == "" || r.Annotations.Summary == "" {
				t.Errorf("%+v: twice, without name, severity or words", r)
			}
			seen[r.Alert] = true
			if !strings.Contains(string(tried), `"`+r.Alert+`"`) {
				t.Errorf("%s: never fires in %s", r.Alert, alertsTest)
			}
			there.check(t, r.Alert, r.Expr)
		}
	}
	if len(seen) < 10 {
		t.Errorf("%d alerts are read", len(seen))
	}
}

// TestDashboard: every panel asks for what there is.
func TestDashboard(t *testing.T) {
	var dashboard struct {
		Panels []struct {
			ID      int
			Title   string
			Targets []struct{ Expr string }
		}
		Templating struct {
			List []struct {
				Name  string
				Query string
			}
		}
	}
	read(t, dashboardFile, json.Unmarshal, &dashboard)
	there := exist(t)
	seen := map[int]bool{}
	for _, p := range dashboard.Panels {
		if seen[p.ID] || p.Title == "" || len(p.Targets) == 0 {
			t.Errorf("panel %d %q: twice, without title or numbers", p.ID, p.Title)
		}
		seen[p.ID] = true
		for _, target := range p.Targets {
			there.check(t, p.Title, target.Expr)
		}
	}
	if len(seen) < 10 || len(dashboard.Templating.List) != 2 {
		t.Errorf("%d panels, %d variables are read", len(seen), len(dashboard.Templating.List))
	}
	there.check(t, "variable", dashboard.Templating.List[1].Query)
}

// existing are the metrics that there are, with the values of their labels: "" is
// any.
type existing map[string]map[string]string

func exist(t *testing.T) existing {
	t.Helper()
	all := existing{}
	for _, f := range gather(t, start(t, testZone)) {
		labels := map[string]string{}
		for _, m := range f.GetMetric() {
			for _, l := range m.GetLabel() {
				labels[l.GetName()] += " " + l.GetValue() + " "
			}
		}
		for _, ending := range []string{"", "_bucket", "_count", "_sum"} {
			if ending == "" || f.GetType().String() == "HISTOGRAM" {
				all[f.GetName()+ending] = labels
			}
		}
	}
	return all
}

var (
	metric  = regexp.MustCompile(`\b(assay_[a-z_]+)(?:\{([^}]*)\})?`)
	matcher = regexp.MustCompile(`([a-z]+)(=~?|!=)"([^"]*)"`)
)

// check reports metrics, labels and values in an expression that do not exist.
func (e existing) check(t *testing.T, where, expr string) {
	t.Helper()
	for _, found := range metric.FindAllStringSubmatch(expr, -1) {
		labels, ok := e[found[1]]
		if !ok {
			t.Errorf("%s: there is no metric %s", where, found[1])
		}
		for _, m := range matcher.FindAllStringSubmatch(found[2], -1) {
			values, ok := labels[m[1]]
			if m[1] == "instance" || m[1] == "job" {
				continue // of Prometheus
			}
			if !ok {
				t.Errorf("%s: %s has no label %s", where, found[1], m[1])
			}
			for value := range strings.SplitSeq(m[3], "|") {
				if !strings.Contains(values, " "+value+" ") {
					t.Errorf("%s: no %s of %s is ever %s", where, m[1], found[1], value)
				}
			}
		}
	}
}

// TestPromtool has Prometheus itself read the alerts, and try them: each fires where
// it should, and none where all is well.
func TestPromtool(t *testing.T) {
	promtool, err := exec.LookPath("promtool")
	if err != nil {
		promtool = "../.cache/prometheus/usr/bin/promtool" // see filter/mtatest/deps.sh
	}
	if _, err := os.Stat(promtool); err != nil {
		if os.Getenv("ASSAY_REQUIRE_MTA") == "1" {
			t.Fatal("promtool is missing: \"make deps\" brings it")
		}
		fmt.Fprintln(os.Stderr, "web: SKIPPED TestPromtool: promtool is missing")
		t.Skip("promtool is missing")
	}
	said, err := exec.Command(promtool, "check", "rules", "--lint-fatal", alertsFile).CombinedOutput()
	if err != nil {
		t.Errorf("%v\n%s", err, said)
	}
	if said, err := exec.Command(promtool, "test", "rules", alertsTest).CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, said)
	}
	c := start(t, testZone).serve(t)
	_, metrics := get(t, c, "/metrics")
	lint := exec.Command(promtool, "check", "metrics")
	lint.Stdin = strings.NewReader(metrics)
	if said, err := lint.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, said)
	}
}
