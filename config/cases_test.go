package config

import (
	"errors"
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"assay/verify/domain"
)

// TestCasesExplained: the example has every setting, and is accepted as it is
// and with all of its settings in force.
func TestCasesExplained(t *testing.T) {
	text, err := os.ReadFile("../contrib/policy-tests.toml")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ParseCases("policy-tests.toml", text); err != nil {
		t.Error(err)
	}
	for _, s := range settingsOf(reflect.TypeFor[Case](), "case") {
		if s.says == "" || !regexp.MustCompile(`(?m)^(# )?`+s.name+` = .*# `).Match(text) && s.name != "name" {
			t.Errorf("%s is not explained", s.key)
		}
	}
}

func TestCase(t *testing.T) {
	cases, err := ParseCases("c", []byte(`
[[case]]
name = "x"
client = "::ffff:192.0.2.7"
dkim = "fail Example.ORG body"
recipient = "a@example.net"
received = 2026-03-01
want = "tag"
[[case]]
name = "y"
want = "accept"
`))
	if err != nil || len(cases) != 2 {
		t.Fatalf("got %+v, %v", cases, err)
	}
	c := cases[0]
	want := Signature{"fail", domain.MustParse("example.org"), true}
	if c.Client.String() != "192.0.2.7" || len(c.DKIM) != 1 || c.DKIM[0] != want || len(c.Recipients) != 1 ||
		!c.Received.Equal(time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)) || c.Want != Tag || c.Line != 2 || cases[1].Line != 9 {
		t.Errorf("got %+v", cases)
	}
}

// FuzzParseCases checks that no file makes ParseCases panic, and that every
// problem is one printable line about a line of the file.
func FuzzParseCases(f *testing.F) {
	f.Add([]byte("[[case]]\nname = \"x\"\nwant = \"tag\"\ndkim = [\"pass example.org\", \"x\"]\nclient = \"::1\"\n[[case]]\nname = \"x\"\n"))
	f.Add([]byte("case = [{ name = \"x\", want = \"tag\", sealer = \"a.example\" }]\n"))
	f.Add([]byte("[case]\nname = 1\n[[case]]\nheader = \"file:/etc/passwd\"\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		cases, err := ParseCases("f", text)
		if err != nil {
			checkProblems(t, text, err)
			return
		}
		for _, c := range cases {
			if c.Name == "" || c.Want == "" || c.Line < 1 || c.Line > strings.Count(string(text), "\n")+1 {
				t.Errorf("got %+v", c)
			}
		}
	})
}

// TestCasesNoFiles: a list of a case is not read from files.
func TestCasesNoFiles(t *testing.T) {
	var problems Problems
	_, err := ParseCases("c", []byte("[[case]]\nname = \"x\"\nwant = \"tag\"\nrecipient = \"file:/etc/passwd\"\n"))
	if !errors.As(err, &problems) || len(problems) != 1 || problems[0].Key != "case.recipient" {
		t.Errorf("got %v", err)
	}
}
