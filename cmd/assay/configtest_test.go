package main

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"assay/contrib"
)

// TestConfigTest runs the commands of testdata/configtest.
func TestConfigTest(t *testing.T) { playArchives(t, "testdata/configtest") }

// testCases runs the given cases against the given configuration.
func testCases(t *testing.T, policy, cases string, flags ...string) (status int, out, talk string) {
	t.Helper()
	folder := t.TempDir()
	for name, text := range map[string]string{"assay.toml": policy, "cases.toml": cases} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	var stdout, stderr strings.Builder
	args := append([]string{"config", "test", "-c", filepath.Join(folder, "assay.toml"), filepath.Join(folder, "cases.toml")}, flags...)
	status = run(context.Background(), args, nil, &stdout, &stderr)
	return status, stdout.String(), stderr.String()
}

// TestPolicyTests: the example holds for the policy in its head, and says every
// setting.
func TestPolicyTests(t *testing.T) {
	head, _, _ := strings.Cut(contrib.PolicyTests, "\n\n#")
	var policy strings.Builder
	for _, line := range strings.Split(head, "\n") {
		if text, ok := strings.CutPrefix(line, "#     "); ok {
			policy.WriteString(text + "\n")
		}
	}
	if status, out, talk := testCases(t, policy.String(), contrib.PolicyTests); status != exitYes || talk != "" {
		t.Errorf("status %d:\n%s%s", status, out, talk)
	}
	// A test that cannot fail is none.
	status, out, _ := testCases(t, `policy.mode = "enforce"`+"\n"+`policy.on_reject = "accept"`, contrib.PolicyTests)
	if status != exitNo || !strings.Contains(out, "a forgery is refused") {
		t.Errorf("another policy: status %d:\n%s", status, out)
	}
}

func TestConfigTestJSON(t *testing.T) {
	status, out, _ := testCases(t, "", "[[case]]\nname = \"x\"\nwant = \"reject\"\n", "--json")
	var r testReport
	if err := json.Unmarshal([]byte(out), &r); err != nil {
		t.Fatal(err)
	}
	if status != exitNo || r.Cases != 1 || r.Failed != 1 || r.Failures[0].Line != 1 || r.Failures[0].Mismatches[0] != (testDifference{"action", "accept", "reject"}) {
		t.Errorf("status %d, got %+v", status, r)
	}
}
