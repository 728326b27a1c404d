package dmarc

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// recordCase is a line of testdata/record.txt.
type recordCase struct{ section, text, want string }

func recordCases(t testing.TB) []recordCase {
	t.Helper()
	f, err := os.Open("testdata/record.txt")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var cases []recordCase
	lines := bufio.NewScanner(f)
	for n := 1; lines.Scan(); n++ {
		line := lines.Text()
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		parts := strings.Split(line, " | ")
		if len(parts) != 3 || !strings.HasPrefix(parts[0], "§") {
			t.Fatalf("record.txt:%d: want section | text | reading: %s", n, line)
		}
		c := recordCase{parts[0], parts[1], parts[2]}
		if strings.HasPrefix(c.text, `"`) {
			if c.text, err = strconv.Unquote(c.text); err != nil {
				t.Fatalf("record.txt:%d: %v", n, err)
			}
		}
		cases = append(cases, c)
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	return cases
}

func TestParseRecord(t *testing.T) {
	cases := recordCases(t)
	if len(cases) < 100 {
		t.Fatalf("only %d cases read", len(cases))
	}
	for _, c := range cases {
		r, err := ParseRecord(c.text)
		if got := describeRecord(r, err); got != c.want {
			t.Errorf("RFC 9989 %s: %q:\n got %s\nwant %s\n(%v, warnings %q)", c.section, c.text, got, c.want, err, r.Warnings)
		}
	}
}

// describeRecord renders a reading as testdata/record.txt has it.
func describeRecord(r Record, err error) string {
	var words []string
	add := func(name, value, fallback string) {
		if value != fallback {
			words = append(words, name+"="+value)
		}
	}
	switch {
	case errors.Is(err, ErrNotDMARC):
		return "not DMARC"
	case errors.Is(err, ErrUnusable):
		words = append(words, "unusable")
	case err != nil:
		return err.Error()
	}
	add("p", string(r.P), "")
	add("sp", string(r.SP), "")
	add("np", string(r.NP), "")
	add("adkim", string(r.ADKIM), "r")
	add("aspf", string(r.ASPF), "r")
	add("psd", string(r.PSD), "u")
	if r.Test {
		add("t", "y", "")
	}
	add("rua", strings.Join(r.RUA, ","), "")
	add("ruf", strings.Join(r.RUF, ","), "")
	add("fo", describeOptions(r.FO), "0")
	add("w", strconv.Itoa(len(r.Warnings)), "0")
	return strings.Join(words, " ")
}

func describeOptions(fo FailureOptions) string {
	var options []string
	for _, o := range []struct {
		set  bool
		name string
	}{{fo.All, "0"}, {fo.Any, "1"}, {fo.DKIM, "d"}, {fo.SPF, "s"}} {
		if o.set {
			options = append(options, o.name)
		}
	}
	return strings.Join(options, ":")
}

func TestParseRecordNotDMARCIsZero(t *testing.T) {
	r, err := ParseRecord("v=dmarc1; p=reject; rua=mailto:a@example.com")
	if !errors.Is(err, ErrNotDMARC) || r.P != "" || r.RUA != nil || r.Text != "" || r.ADKIM != "" {
		t.Errorf("got %+v, %v; want the zero Record and ErrNotDMARC", r, err)
	}
}

func TestParseRecordKeepsText(t *testing.T) {
	const text = "v=DMARC1; p=none; \xff=\r\n"
	if r, _ := ParseRecord(text); r.Text != text {
		t.Errorf("Text is %q, want %q", r.Text, text)
	}
}

func TestURILimit(t *testing.T) {
	for _, n := range []int{MaxURIs, MaxURIs + 1, 1000} {
		var uris []string
		for i := range n {
			uris = append(uris, fmt.Sprintf("mailto:r%d@example.com", i))
		}
		r, err := ParseRecord("v=DMARC1; p=none; rua=" + strings.Join(uris, ","))
		if err != nil {
			t.Fatal(err)
		}
		want, warnings := min(n, MaxURIs), 0
		if n > MaxURIs {
			warnings = 1
		}
		if !slices.Equal(r.RUA, uris[:want]) || len(r.Warnings) != warnings {
			t.Errorf("%d URIs: got %d and warnings %q, want the first %d", n, len(r.RUA), r.Warnings, want)
		}
	}
}

func TestWarningLimit(t *testing.T) {
	for _, n := range []int{MaxWarnings, MaxWarnings + 1, 10000} {
		r, err := ParseRecord("v=DMARC1; p=reject" + strings.Repeat("; x=y", n))
		if err != nil || r.P != PolicyReject {
			t.Fatalf("%d unknown tags: got p=%s, %v", n, r.P, err)
		}
		if len(r.Warnings) != MaxWarnings {
			t.Errorf("%d unknown tags: %d warnings, want %d", n, len(r.Warnings), MaxWarnings)
		}
	}
}

// Warnings are shown to operators: what a stranger wrote must not control the
// terminal or fill the screen.
func TestWarningsAreQuoted(t *testing.T) {
	r, _ := ParseRecord("v=DMARC1; p=none; \x1b[31m\r\n" + strings.Repeat("\xff", 500) + "; rua=\x07")
	if len(r.Warnings) != 2 {
		t.Fatalf("warnings %q, want 2", r.Warnings)
	}
	for _, w := range r.Warnings {
		for _, c := range w.Text {
			if c < ' ' || c == 0x7f || len(w.Text) > 250 {
				t.Errorf("warning %q is not fit to be shown", w)
				break
			}
		}
	}
}

func FuzzParseRecord(f *testing.F) {
	for _, c := range recordCases(f) {
		f.Add(c.text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		r, err := ParseRecord(text)
		if errors.Is(err, ErrNotDMARC) {
			return
		}
		checkLegal(t, r, err)
		again, errAgain := ParseRecord(publish(r))
		if err == nil && (errAgain != nil || describe(again) != describe(r)) {
			t.Errorf("%q reads %s, written again %s, %v", text, describe(r), describe(again), errAgain)
		}
	})
}

// describe renders r without its warnings.
func describe(r Record) string {
	r.Warnings = nil
	return describeRecord(r, nil)
}

// publish writes r as a record.
func publish(r Record) string {
	text := fmt.Sprintf("v=DMARC1; adkim=%s; aspf=%s; psd=%s", r.ADKIM, r.ASPF, r.PSD)
	add := func(name, value string) {
		if value != "" {
			text += "; " + name + "=" + value
		}
	}
	add("p", string(r.P))
	add("sp", string(r.SP))
	add("np", string(r.NP))
	add("rua", strings.Join(r.RUA, ","))
	add("ruf", strings.Join(r.RUF, ","))
	add("fo", describeOptions(r.FO))
	if r.Test {
		add("t", "y")
	}
	return text
}

func checkLegal(t *testing.T, r Record, err error) {
	t.Helper()
	policies := []Policy{PolicyNone, PolicyQuarantine, PolicyReject}
	modes := []Mode{Relaxed, Strict}
	legal := (r.P == "") == (err != nil) &&
		(r.P == "" || slices.Contains(policies, r.P)) &&
		(r.SP == "" || r.P != "" && slices.Contains(policies, r.SP)) &&
		(r.NP == "" || r.P != "" && slices.Contains(policies, r.NP)) &&
		slices.Contains(modes, r.ADKIM) && slices.Contains(modes, r.ASPF) &&
		slices.Contains([]PSD{PSDYes, PSDNo, PSDUnknown}, r.PSD) &&
		r.FO != FailureOptions{} && !(r.FO.All && r.FO.Any) &&
		len(r.RUA) <= MaxURIs && len(r.RUF) <= MaxURIs && len(r.Warnings) <= MaxWarnings
	if !legal {
		t.Errorf("%q gives illegal values: %+v, %v", r.Text, r, err)
	}
	for _, uri := range slices.Concat(r.RUA, r.RUF) {
		if strings.ContainsAny(uri, " \t\r\n,;!") || !strings.Contains(uri, ":") {
			t.Errorf("%q gives the URI %q", r.Text, uri)
		}
	}
}
