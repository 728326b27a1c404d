package contrib_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"assay/filter/mtatest"
)

// need returns a program, or ends the test where it is not installed.
func need(t *testing.T, program string) string {
	t.Helper()
	for _, folder := range []string{"", "/usr/sbin/", "/sbin/"} { // root's PATH may lack the last two
		if path, err := exec.LookPath(folder + program); err == nil {
			return path
		}
	}
	mtatest.Unavailable(t, program+" is not installed; \"make deps\" installs it")
	return ""
}

// TestUnits: systemd finds no fault with the units.
func TestUnits(t *testing.T) {
	analyze := need(t, "systemd-analyze")
	folder := t.TempDir()
	var units []string
	for _, name := range []string{"assay.service", "assay.socket"} {
		text := read(t, "systemd/"+name)
		unit := filepath.Join(folder, name)
		// Any program will do for one that is not installed here.
		if err := os.WriteFile(unit, []byte(strings.ReplaceAll(text, "/usr/bin/assay", "/bin/true")), 0o644); err != nil {
			t.Fatal(err)
		}
		units = append(units, unit)
	}
	if said, err := exec.Command(analyze, append([]string{"verify", "--man=no"}, units...)...).CombinedOutput(); err != nil || len(said) > 0 {
		t.Errorf("systemd-analyze verify: %v\n%s", err, said)
	}
}

// TestExposure: what the service could do if it were taken over does not grow. The
// rest of the score is that it talks to networks which only the operator knows.
func TestExposure(t *testing.T) {
	const bar = 1.1 // 0 is nothing, 10 everything
	said, err := exec.Command(need(t, "systemd-analyze"), "security", "--offline=true", "--no-pager", "systemd/assay.service").CombinedOutput()
	if err != nil {
		t.Fatalf("systemd-analyze security: %v\n%s", err, said)
	}
	found := regexp.MustCompile(`Overall exposure level for assay\.service: ([0-9.]+)`).FindSubmatch(said)
	if found == nil {
		t.Fatalf("no score: %s", said)
	}
	score, err := strconv.ParseFloat(string(found[1]), 64)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("exposure %.1f of 10, bar %.1f", score, bar)
	if score > bar {
		t.Errorf("exposure %.1f of 10, want %.1f at most:\n%s", score, bar, said)
	}
}

// TestAppArmor: the profile that the service names can be read.
func TestAppArmor(t *testing.T) {
	if said, err := exec.Command(need(t, "apparmor_parser"), "--skip-kernel-load", "--skip-cache", "apparmor/assay").CombinedOutput(); err != nil {
		t.Errorf("apparmor_parser: %v\n%s", err, said)
	}
}
