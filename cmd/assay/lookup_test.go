package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode"

	"golang.org/x/tools/txtar"

	"assay/dnscache/dnstest"
	"assay/verify/lookup"
)

// TestLookup runs the commands of each file of testdata/lookup, one a line of
// its section run, against its zone. What they say and their exit statuses are
// wanted word for word.
func TestLookup(t *testing.T) {
	files, err := filepath.Glob("testdata/lookup/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no files: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			archive, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			got := transcript(t, archive)
			if *updateCases {
				var updated txtar.Archive
				updated.Comment = archive.Comment
				for _, f := range archive.Files {
					if f.Name != "want" {
						updated.Files = append(updated.Files, f)
					}
				}
				updated.Files = append(updated.Files, txtar.File{Name: "want", Data: []byte(got)})
				if err := os.WriteFile(file, txtar.Format(&updated), 0o644); err != nil {
					t.Fatal(err)
				}
			} else if want := fileOf(archive, "want"); got != want {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
		})
	}
}

// transcript returns what an operator would see. A command that asks the
// DNS gets a configuration with the name server of the test.
func transcript(t *testing.T, archive *txtar.Archive) string {
	t.Helper()
	zone, err := expand(fileOf(archive, "zone"))
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	dns := dnstest.MustParse(t, zone).Serve(t)
	config := fmt.Sprintf("authserv_id = \"mx.example.net\"\n[dns]\nservers = [%q]\n", dns)
	if err := os.WriteFile(filepath.Join(folder, "assay.toml"), []byte(config), 0o644); err != nil {
		t.Fatal(err)
	}
	var all strings.Builder
	for line := range strings.Lines(fileOf(archive, "run")) {
		line = strings.TrimSpace(line)
		args := strings.Fields(line)
		if args[0] == "lookup" && len(args) > 2 && args[1] != "mx" {
			args = append(args, "-c", filepath.Join(folder, "assay.toml"))
		}
		var out, talk strings.Builder
		status := run(context.Background(), args, strings.NewReader(""), &out, &talk)
		fmt.Fprintf(&all, "$ assay %s\n%s", line, &out)
		for said := range strings.Lines(talk.String()) {
			fmt.Fprintf(&all, "! %s", said)
		}
		fmt.Fprintf(&all, "exit %d\n\n", status)
	}
	said := all.String()
	if at := strings.IndexFunc(said, func(r rune) bool { return r != '\n' && !unicode.IsPrint(r) }); at >= 0 {
		t.Errorf("said %q, which is not fit for a terminal", said[at:])
	}
	return strings.NewReplacer(folder, "$DIR", dns, "$DNS").Replace(strings.TrimSuffix(said, "\n"))
}

// TestExcerpt: the caret stands under its octet wherever that is.
func TestExcerpt(t *testing.T) {
	const width = 12
	check := func(text string, at int, wanted string, column int) {
		t.Helper()
		shown, got := excerpt(text, at, width)
		if shown != wanted || got != column {
			t.Errorf("%q at %d: got %q and %d, want %q and %d", text, at, shown, got, wanted, column)
		}
	}
	const long = "0123456789abcdefghijklmnopqrstuvwxyz"
	check("", 0, "", 0)
	check("abc", -1, "abc", 0)
	check("abc", 3, "abc", 3)
	check("abc", 99, "abc", 3)
	check(long[:width], 11, long[:width], 11)
	check(long[:width+1], 0, "0123456789ab…", 0)
	check(long[:width+1], 12, "…123456789abc", 12)
	check(long, 0, "0123456789ab…", 0)
	check(long, 8, "0123456789ab…", 8)
	check(long, 9, "…123456789abc…", 9)
	check(long, 35, "…opqrstuvwxyz", 12)
	check(long, 36, "…opqrstuvwxyz", 13)
	for at := range len(long) {
		shown, column := excerpt(long, at, width)
		if got := []rune(shown)[column]; got != rune(long[at]) {
			t.Errorf("octet %d: the caret is under %c in %s", at, got, shown)
		}
	}
}

func TestWrap(t *testing.T) {
	check := func(text string, wanted ...string) {
		t.Helper()
		if got := wrap(text, 10); strings.Join(got, "|") != strings.Join(wanted, "|") || strings.Join(got, "") != text {
			t.Errorf("%q: got %q, want %q", text, got, wanted)
		}
	}
	check("", "")
	check("0123456789", "0123456789")
	check("0123456789a", "0123456789", "a")
	check("abcdef ghijklm", "abcdef ", "ghijklm")
	check("abc defghijklm", "abc defghi", "jklm")
}

func FuzzExcerpt(f *testing.F) {
	f.Add("v=spf1 a:\xff\u202e -all", 9)
	f.Add(strings.Repeat("x", 200), 199)
	f.Fuzz(func(t *testing.T, text string, at int) {
		var p page
		p.record(2, text, caret{at, text})
		for line := range strings.Lines(p.String()) {
			if body := strings.TrimSuffix(line, "\n"); strings.ContainsFunc(body, func(r rune) bool { return !unicode.IsPrint(r) }) {
				t.Fatalf("%q: line %q", text, line)
			}
		}
	})
}

// once answers each question about TXT once, and then no more.
type once struct {
	lookup.Resolver
	asked map[string]bool
}

func (o once) TXT(ctx context.Context, name string) (*lookup.TXT, error) {
	if o.asked[name] {
		name = "down.example"
	}
	o.asked[name] = true
	return o.Resolver.TXT(ctx, name)
}

// TestKeyNotKept: an answer that is not there a second time is an outage, and
// brings nothing down.
func TestKeyNotKept(t *testing.T) {
	key, err := publicKey("ed25519")
	if err != nil {
		t.Fatal(err)
	}
	zone := dnstest.MustParse(t, "s._domainkey.example.com. TXT \"v=DKIM1; "+key+"\"\ndown.example. SERVFAIL\n")
	found, err := findKey(t.Context(), once{zone, map[string]bool{}}, lookupFlags{}, "s._domainkey.example.com")
	if err != nil {
		t.Fatal(err)
	}
	var p page
	found.writeText(&p)
	if got := lookupStatus(found.fault()); got != status(exitLater) || !strings.Contains(p.String(), "unknown: ") {
		t.Errorf("status %v:\n%s", got, &p)
	}
	found.report()
}
