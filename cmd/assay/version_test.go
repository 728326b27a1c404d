package main

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"

	"assay/filter/mtatest"
)

// TestBuild: two checkouts in different folders give the same program, which knows
// its revision; a changed one says so.
func TestBuild(t *testing.T) {
	need(t, "git", "make")
	first, second := checkout(t), checkout(t)
	buildIn(t, first)
	buildIn(t, second)
	program := filepath.Join(first, "assay")
	if a, b := readFile(t, program), readFile(t, filepath.Join(second, "assay")); !bytes.Equal(a, b) {
		t.Error("two builds of the same tree differ")
	}
	revision := strings.TrimSpace(inFolder(t, first, "git", "rev-parse", "HEAD"))
	want := "assay " + version + " (revision " + revision + " of 2026-01-02T03:04:05Z, " + runtime.Version() + " " + runtime.GOOS + "/" + runtime.GOARCH + ")\n"
	if got := inFolder(t, first, program, "version"); got != want {
		t.Errorf("got %s want %s", got, want)
	}
	if modules := inFolder(t, first, "go", "version", "-m", program); !regexp.MustCompile(`\tdep\tgithub\.com/miekg/dns\tv\S+\th1:\S+\n`).MatchString(modules) {
		t.Errorf("no list of modules: %s", modules)
	}

	if err := os.WriteFile(filepath.Join(second, "cmd/assay/more.go"), []byte("package main\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	buildIn(t, second)
	var got build
	if err := json.Unmarshal([]byte(inFolder(t, second, "./assay", "version", "--json")), &got); err != nil {
		t.Fatal(err)
	}
	wanted := build{version, revision, "2026-01-02T03:04:05Z", true, runtime.Version(), runtime.GOOS + "/" + runtime.GOARCH}
	if got != wanted {
		t.Errorf("got %+v, want %+v", got, wanted)
	}
}

// need ends the test where a program is not installed.
func need(t *testing.T, programs ...string) {
	t.Helper()
	for _, p := range programs {
		if _, err := exec.LookPath(p); err != nil {
			mtatest.Unavailable(t, p+" is not installed; \"make deps\" installs it")
		}
	}
}

// TestVersion: a program that was not built from a repository says that, too.
func TestVersion(t *testing.T) {
	if got, want := (build{Version: "1.2.3", Go: "go1.26", Platform: "linux/amd64"}).String(), "assay 1.2.3 (unknown revision, go1.26 linux/amd64)"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// checkout makes a repository of the present tree, the same each time.
func checkout(t *testing.T) string {
	t.Helper()
	folder := t.TempDir()
	entries, err := os.ReadDir("../..")
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		name := entry.Name()
		source, copied := filepath.Join("../..", name), filepath.Join(folder, name)
		switch {
		case strings.HasPrefix(name, ".") || name == "assay": // not of the tree: caches, and what make build left
		case entry.IsDir():
			err = os.CopyFS(copied, os.DirFS(source))
		default:
			err = os.WriteFile(copied, readFile(t, source), 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	inFolder(t, folder, "git", "init", "-q")
	inFolder(t, folder, "git", "add", ".")
	inFolder(t, folder, "git", "commit", "-q", "-m", "x")
	return folder
}

func buildIn(t *testing.T, folder string) { inFolder(t, folder, "make", "-s", "build") }

// inFolder runs a command and returns what it says on stdout.
func inFolder(t *testing.T, folder, program string, args ...string) string {
	t.Helper()
	cmd := exec.Command(program, args...)
	cmd.Dir = folder
	cmd.Env = append(os.Environ(), "GOFLAGS=-buildvcs=true", "GIT_CONFIG_GLOBAL=/dev/null", "GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=a@example.org", "GIT_AUTHOR_DATE=2026-01-02T03:04:05Z",
		"GIT_COMMITTER_NAME=a", "GIT_COMMITTER_EMAIL=a@example.org", "GIT_COMMITTER_DATE=2026-01-02T03:04:05Z")
	var said strings.Builder
	cmd.Stderr = &said
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", program, strings.Join(args, " "), err, &said)
	}
	return string(out)
}

func readFile(t *testing.T, name string) []byte {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return text
}
