package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"

	"assay/config"
)

// playArchives runs each file of a folder like those of testdata/commands, and
// returns what it printed, by its name.
func playArchives(t *testing.T, folder string) map[string]string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(folder, "*.txtar"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no commands: %v", err)
	}
	printed := map[string]string{}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".txtar")
		t.Run(name, func(t *testing.T) {
			archive, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			got := runArchive(t, archive)
			printed[name] = got["stdout"]
			if *updateCases {
				if err := os.WriteFile(file, txtar.Format(withWanted(archive, got)), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			for _, part := range []string{"stdout", "stderr", "status"} {
				if want := fileOf(archive, "want/"+part); got[part] != want {
					t.Errorf("%s:\n got %s\nwant %s", part, got[part], want)
				}
			}
		})
	}
	return printed
}

// TestImport: every file is imported word for word as wanted, and what comes out
// is a configuration whose every setting differs from the defaults.
func TestImport(t *testing.T) {
	for name, text := range playArchives(t, "testdata/import") {
		if text == "" {
			continue
		}
		c, err := config.Parse(name, []byte(text), "this.host.test")
		if err != nil {
			t.Errorf("%s: %v\n%s", name, err, text)
			continue
		}
		different := len(c.Differences("this.host.test"))
		written := 0
		head, _, _ := strings.Cut(text, "\n[[rule]]")
		for _, line := range strings.Split(head, "\n") {
			if strings.Contains(line, " = ") && !strings.HasPrefix(line, "#") {
				written++
			}
		}
		if len(c.Rules) > 0 {
			written++ // all of them are one setting
		}
		if different != written {
			t.Errorf("%s: %d settings written, %d of them differ:\n%s", name, written, different, text)
		}
	}
}
