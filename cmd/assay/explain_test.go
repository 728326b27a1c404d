package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"assay/verify/message"
)

// examineCase examines the message of a case.
func examineCase(t *testing.T, c *testCase) *examination {
	t.Helper()
	settings := c.settings(t, asWritten, "127.0.0.1:53")
	settings.Verifier.Resolver = c.zone(t, asWritten)
	header, body, err := message.Read(bytes.NewReader(c.message))
	if err != nil {
		t.Fatal(err)
	}
	e, err := examine(t.Context(), settings, &message.Message{
		Connection: message.Connection{Addr: c.client, Name: c.clientName, Helo: c.helo},
		Envelope:   message.Envelope{Sender: path(c.mail[0]), Recipients: c.rcpts},
		Header:     header,
		Received:   time.Now(),
	}, body)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// headerHash is what differs every time, because a signature tells its time.
var headerHash = regexp.MustCompile(`(header hash[a-z :]*) [A-Za-z0-9+/]{43}=`)

// TestExplain: what --explain says of the cases in testdata/lookup/explain, word
// for word; and without it the same table without what is indented.
func TestExplain(t *testing.T) {
	files, err := filepath.Glob("testdata/lookup/explain/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no cases: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			c, err := readCase(file)
			if err != nil {
				t.Fatal(err)
			}
			e := examineCase(t, c)
			var long, short strings.Builder
			if err := e.writeTable(&long, true); err != nil {
				t.Fatal(err)
			}
			if err := e.writeTable(&short, false); err != nil {
				t.Fatal(err)
			}
			got, _, _ := strings.Cut(headerHash.ReplaceAllString(long.String(), "$1 *"), "iprev ") // the rest explains nothing
			golden := strings.TrimSuffix(file, ".txtar") + ".want"
			if *updateCases {
				if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if got != string(want) {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
			var kept strings.Builder
			for line := range strings.Lines(long.String()) {
				if !strings.HasPrefix(line, strings.Repeat(" ", 9)) {
					kept.WriteString(line)
				}
			}
			if kept.String() != short.String() {
				t.Errorf("without --explain\n%s\nwith it\n%s", &short, &long)
			}
			checkEvidence(t, e)
		})
	}
}

// checkEvidence: JSON always carries what --explain says.
func checkEvidence(t *testing.T, e *examination) {
	t.Helper()
	var b strings.Builder
	if err := e.writeJSON(&b); err != nil {
		t.Fatal(err)
	}
	var r report
	if err := json.Unmarshal([]byte(b.String()), &r); err != nil {
		t.Fatal(err)
	}
	if len(r.SPF.Trail) != len(e.findings.SPF.Trail) || len(r.DMARC.Steps) != len(e.findings.DMARC.Steps) ||
		len(r.DMARC.Comparisons) != len(e.findings.DMARC.Comparisons) {
		t.Errorf("JSON %s for %+v", &b, e.findings)
	}
	for i, s := range e.findings.DKIM {
		if !bytes.Equal(r.DKIM[i].BodyHash, s.BodySum) || !bytes.Equal(r.DKIM[i].SignedBodyHash, s.SignedBody) || !bytes.Equal(r.DKIM[i].HeaderHash, s.HeaderSum) {
			t.Errorf("JSON %s for %+v", &b, s)
		}
	}
}
