package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestSecurityDocument: every case and test that docs/security.md names is
// there, every attack is in it once, and every case of an attack is named.
func TestSecurityDocument(t *testing.T) {
	raw, err := os.ReadFile("../../docs/security.md")
	if err != nil {
		t.Fatal(err)
	}
	text := string(raw)
	rows := regexp.MustCompile(`(?m)^\| (\d+) \|.*\| ([^|]*) \|$`).FindAllStringSubmatch(text, -1)
	if len(rows) != 44 {
		t.Errorf("%d rows", len(rows))
	}
	for _, row := range rows {
		for name := range strings.SplitSeq(row[2], ",") {
			name = strings.TrimSpace(name)
			folder, test, isTest := strings.Cut(name, ".")
			switch {
			case name == "none": // nothing of the kind exists
			case isTest:
				if !declares(t, folder, test) {
					t.Errorf("attack %s: there is no test %s", row[1], name)
				}
			default:
				if _, err := os.Stat("../../testdata/cases/" + name + ".txtar"); err != nil {
					t.Errorf("attack %s: %v", row[1], err)
				}
			}
		}
	}
	cases, err := filepath.Glob("../../testdata/cases/*.txtar")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range cases {
		name := strings.TrimSuffix(filepath.Base(path), ".txtar")
		if strings.HasPrefix(name, "attack-") && !strings.Contains(text, name) {
			t.Errorf("%s is not in docs/security.md", name)
		}
	}
}

// declares reports whether a package of that name has such a test.
func declares(t *testing.T, folder, test string) bool {
	t.Helper()
	for _, parent := range []string{"../../", "../../verify/"} {
		files, err := filepath.Glob(parent + folder + "/*_test.go")
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range files {
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if strings.Contains(string(text), "func "+test+"(") {
				return true
			}
		}
	}
	return false
}
