package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"

	"assay/contrib"
	"assay/dnscache/dnstest"
)

// TestCommands runs each file of testdata/commands: the command in its section
// run, with the other files of the archive beside it and its zone in the DNS.
// What it says and its exit status are wanted word for word.
func TestCommands(t *testing.T) {
	files, err := filepath.Glob("testdata/commands/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no commands: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			archive, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			got := runArchive(t, archive)
			if *updateCases {
				if err := os.WriteFile(file, txtar.Format(withWanted(archive, got)), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			for _, name := range []string{"stdout", "stderr", "status"} {
				if want := fileOf(archive, "want/"+name); got[name] != want && !*updateCases {
					t.Errorf("%s:\n got %s\nwant %s", name, got[name], want)
				}
			}
		})
	}
}

// runArchive lays the files out and runs the command. $DIR stands for their folder
// and $DNS for the address of the name server, in the command, the files and
// what is said.
func runArchive(t *testing.T, archive *txtar.Archive) map[string]string {
	t.Helper()
	folder := t.TempDir()
	zone, err := expand(fileOf(archive, "zone"))
	if err != nil {
		t.Fatal(err)
	}
	dns := dnstest.MustParse(t, zone).Serve(t)
	there := strings.NewReplacer("$DIR", folder, "$DNS", dns)
	for _, f := range archive.Files {
		if strings.Contains(f.Name, ".") {
			name := filepath.Join(folder, f.Name)
			if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(name, []byte(there.Replace(string(f.Data))), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	var out, talk strings.Builder
	args := strings.Fields(there.Replace(fileOf(archive, "run")))
	status := run(context.Background(), args, strings.NewReader(fileOf(archive, "stdin")), &out, &talk)
	back := strings.NewReplacer(folder, "$DIR", dns, "$DNS")
	return map[string]string{
		"stdout": back.Replace(out.String()), "stderr": back.Replace(talk.String()), "status": fmt.Sprintln(status),
	}
}

func fileOf(archive *txtar.Archive, name string) string {
	for _, f := range archive.Files {
		if f.Name == name {
			return string(f.Data)
		}
	}
	return ""
}

func withWanted(archive *txtar.Archive, got map[string]string) *txtar.Archive {
	updated := &txtar.Archive{Comment: archive.Comment}
	for _, f := range archive.Files {
		if !strings.HasPrefix(f.Name, "want/") {
			updated.Files = append(updated.Files, f)
		}
	}
	for _, name := range []string{"stdout", "stderr", "status"} {
		if got[name] != "" {
			updated.Files = append(updated.Files, txtar.File{Name: "want/" + name, Data: []byte(got[name])})
		}
	}
	return updated
}

func TestDescribe(t *testing.T) {
	var out, talk strings.Builder
	if status := run(context.Background(), []string{"config", "describe"}, nil, &out, &talk); status != exitYes || talk.Len() > 0 {
		t.Errorf("status %d, said %s", status, &talk)
	}
	if out.String() != contrib.AssayTOML {
		t.Errorf("differs from contrib/assay.toml:\n%s", &out)
	}
}

// TestCheckJSON: --json says the same as the table, in one JSON value.
func TestCheckJSON(t *testing.T) {
	archive, err := txtar.ParseFile("testdata/commands/check-json.txtar")
	if err != nil {
		t.Fatal(err)
	}
	in := json.NewDecoder(strings.NewReader(runArchive(t, archive)["stdout"]))
	var r report
	if err := in.Decode(&r); err != nil {
		t.Fatal(err)
	}
	if in.More() {
		t.Error("more than one value")
	}
	if r.SPF.Result != "pass" || len(r.DKIM) != 1 || r.DKIM[0].KeyBits != 2048 || !r.DMARC.AlignedSPF || r.Author.Domain != "example.com" {
		t.Errorf("got %+v", r)
	}
}
