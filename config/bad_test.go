package config

import (
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "rewrite the expected messages of testdata/bad")

// Every broken file of testdata/bad is refused with the words of the .txt file
// beside it: problems in the order of lines and columns, hints below them.
func TestBadFiles(t *testing.T) {
	files, err := filepath.Glob("testdata/bad/*.toml")
	if err != nil || len(files) < 40 {
		t.Fatalf("%d broken files, %v; want at least 40", len(files), err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".toml"), func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			cfg, err := Parse(filepath.Base(file), text, "mx.example.org")
			var problems Problems
			if !errors.As(err, &problems) || len(problems) == 0 {
				t.Fatalf("%s: got error %v, want Problems", file, err)
			}
			if cfg.AuthservID != "" {
				t.Errorf("%s: got a Config beside the problems", file)
			}
			checkGolden(t, strings.TrimSuffix(file, ".toml")+".txt", said(problems))
		})
	}
}

func said(problems Problems) string {
	var b strings.Builder
	for _, p := range problems {
		b.WriteString(p.Error() + "\n")
		if p.Hint != "" {
			b.WriteString("hint: " + p.Hint + "\n")
		}
	}
	return b.String()
}

func checkGolden(t *testing.T, file, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s:\ngot\n%s\nwant\n%s", file, got, want)
	}
}
