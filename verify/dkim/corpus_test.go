package dkim_test

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"assay/dnscache/dnstest"
	"assay/verify/dkim"
	"assay/verify/message"
)

var update = flag.Bool("update", false, "write the results found into the want files")

// corpus holds the signed mail of other projects, a folder for each: messages,
// the zone with the keys, the licence, and the file "want" with a line for
// each message:
//
//	file | time of verification | results from the top | expected there | why it differs
const corpus = "../../testdata/dkim"

// corpusFiles is how many messages there are, so that none goes missing
// unseen.
const corpusFiles = 183

func TestCorpus(t *testing.T) {
	wants, err := filepath.Glob(corpus + "/*/want")
	if err != nil || len(wants) == 0 {
		t.Fatalf("no corpus: %v", err)
	}
	ran := 0
	for _, want := range wants {
		t.Run(filepath.Base(filepath.Dir(want)), func(t *testing.T) { ran += runCorpus(t, want) })
	}
	if ran != corpusFiles {
		t.Errorf("%d messages were verified, want %d", ran, corpusFiles)
	}
}

// runCorpus verifies every message of one project and returns their number.
func runCorpus(t *testing.T, want string) int {
	dir := filepath.Dir(want)
	lines := strings.Split(strings.TrimRight(readFile(t, want), "\n"), "\n")
	zone := readFile(t, dir+"/zone")
	listed := []string{}
	for i, line := range lines {
		if strings.HasPrefix(line, "#") || line == "" {
			continue
		}
		columns := strings.Split(line, " | ")
		if len(columns) < 4 || len(columns) > 5 {
			t.Fatalf("%s:%d: %d columns", want, i+1, len(columns))
		}
		file, result, theirs := columns[0], columns[2], columns[3]
		at, err := time.Parse(time.RFC3339, columns[1])
		if err != nil {
			t.Fatalf("%s:%d: %v", want, i+1, err)
		}
		listed = append(listed, file)
		got := corpusResult(t, dir+"/"+file, zone, at)
		if *update {
			columns[2] = got
			lines[i] = strings.Join(columns, " | ")
		} else if got != result {
			t.Errorf("%s/%s at %s:\n got %s\nwant %s", dir, file, columns[1], got, result)
		}
		if differs := !agrees(got, theirs); differs != (len(columns) == 5) {
			t.Errorf("%s:%d: %q against %q there: a reason must be given when they differ, and only then", want, i+1, got, theirs)
		}
	}
	if *update {
		if err := os.WriteFile(want, []byte(strings.Join(lines, "\n")+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		other := e.IsDir() || strings.HasPrefix(e.Name(), "LICENSE") || slices.Contains([]string{"SOURCE.md", "zone", "want"}, e.Name())
		if !other && !slices.Contains(listed, e.Name()) {
			t.Errorf("%s: %s is not listed", want, e.Name())
		}
	}
	return len(listed)
}

// agrees compares our results with the expectation of another project: the fate
// of each signature from the top, or of the message ("message pass"), which is
// the best of its signatures; "-" is unknown.
func agrees(ours, theirs string) bool {
	same := map[string][]string{
		"pass":    {"pass"},
		"fail":    {"fail"},
		"invalid": {"permerror", "neutral", "temperror"},
		"none":    {"none"},
		"-":       {"pass", "fail", "permerror", "neutral", "temperror", "policy"},
	}
	if theirs == "-" {
		return true
	}
	got := strings.Split(ours, " + ")
	for i := range got {
		if _, otherwise, testing := strings.Cut(got[i], " otherwise "); testing {
			got[i] = otherwise
		}
		got[i], _, _ = strings.Cut(got[i], " ")
	}
	if theirs, ok := strings.CutPrefix(theirs, "message "); ok {
		best := slices.MinFunc(got, func(a, b string) int { return rank(a) - rank(b) })
		return slices.Contains(same[theirs], best)
	}
	want := strings.Split(theirs, " + ")
	for i := range got {
		if len(got) != len(want) || !slices.Contains(same[want[i]], got[i]) {
			return false
		}
	}
	return true
}

// rank orders results from the best.
func rank(result string) int {
	return slices.Index([]string{"pass", "fail", "policy", "neutral", "temperror", "permerror", "none"}, result)
}

// flagY finds the flag t=y of key records; with "n" in its place it means
// nothing.
var flagY = regexp.MustCompile(`(\bt ?= ?)y`)

// corpusResult is the result of each signature. Where a key is in test mode, which
// makes every signature neutral, what it would have been is added.
func corpusResult(t *testing.T, file, zone string, at time.Time) string {
	header, body := split(crlf(readFile(t, file)))
	run := func(zone string) []dkim.Signature {
		v := dkim.Verifier{Resolver: dnstest.MustParse(t, zone), Now: func() time.Time { return at }}
		whole := verify(v, header, body)
		for _, size := range []int{1, 3, 64} {
			for i, sig := range verifyChunked(v, header, body, size) {
				if sig.Result != whole[i].Result {
					t.Errorf("%s in chunks of %d: %s, whole: %s", file, size, sig.Result, whole[i].Result)
				}
			}
		}
		return whole
	}
	published, otherwise := run(zone), run(flagY.ReplaceAllString(zone, "${1}n"))
	if len(published) == 0 {
		return "none"
	}
	results := []string{}
	for i, sig := range published {
		text := describe(sig)
		if errors.Is(sig.Err, dkim.ErrTestMode) {
			text += " otherwise " + describe(otherwise[i])
		}
		results = append(results, text)
	}
	return strings.Join(results, " + ")
}

func describe(sig dkim.Signature) string {
	if sig.Err == nil {
		return string(sig.Result)
	}
	return fmt.Sprintf("%s (%v)", sig.Result, sig.Err)
}

// crlf gives a message with the line ends of a text file those of SMTP.
func crlf(text string) []byte {
	if strings.Contains(text, "\r\n") {
		return []byte(text)
	}
	return bytes.ReplaceAll([]byte(text), []byte("\n"), []byte("\r\n"))
}

func readFile(t testing.TB, name string) string {
	t.Helper()
	content, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

// loadMail returns a message of the corpus and the keys of its project.
func loadMail(t testing.TB, name string) (message.Header, []byte, *dnstest.Zone) {
	t.Helper()
	header, body := split(crlf(readFile(t, corpus+"/"+name)))
	return header, body, dnstest.MustParse(t, readFile(t, corpus+"/"+filepath.Dir(name)+"/zone"))
}
