package config

import (
	"errors"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"
)

func TestLimits(t *testing.T) {
	problems := func(text string) Problems {
		_, err := Parse("f", []byte(text), host)
		var ps Problems
		errors.As(err, &ps)
		return ps
	}
	accepted := func(what, text string, want bool) {
		t.Helper()
		if ps := problems(text); (len(ps) == 0) != want {
			t.Errorf("%s: got problems %.200v, want accepted %v", what, ps, want)
		}
	}
	accepted("file at limit", strings.Repeat("#", MaxFileBytes), true)
	accepted("file over limit", strings.Repeat("#", MaxFileBytes+1), false)
	owner := "[[exception]]\nauthor_domain = \"a.example\"\naction = \"tag\"\nreason = \"x\"\nowner = \"%s\"\n"
	accepted("text at limit", fmt.Sprintf(owner, strings.Repeat("o", MaxText)), true)
	accepted("text over limit", fmt.Sprintf(owner, strings.Repeat("o", MaxText+1)), false)
	rule := "[[rule]]\nauthor_domain = \"a.example\"\naction = \"reject\"\nreason = \"x\"\n"
	reply := func(lines, length int) string {
		texts := []string{`"550 5.7.1 ` + strings.Repeat("x", length-len("550 5.7.1 ")) + `"`}
		for range lines - 1 {
			texts = append(texts, `"x"`)
		}
		return rule + "reply = [" + strings.Join(texts, ", ") + "]\n"
	}
	accepted("reply at its limits", reply(MaxReplyLines, MaxReplyLine), true)
	accepted("reply of too many lines", reply(MaxReplyLines+1, 20), false)
	accepted("reply with a long line", reply(1, MaxReplyLine+1), false)
	accepted("name at limit", rule+"name = \""+strings.Repeat("n", 40)+"\"", true)
	accepted("name over limit", rule+"name = \""+strings.Repeat("n", 41)+"\"", false)
	accepted("field at limit", rule+"header = \"X-"+strings.Repeat("n", 60)+": "+strings.Repeat("v", 200)+"\"", true)
	accepted("field name over limit", rule+"header = \"X-"+strings.Repeat("n", 61)+": v\"", false)
	accepted("field value over limit", rule+"header = \"X-n: "+strings.Repeat("v", 201)+"\"", false)
	accepted("lowest", "[listen]\ndrain = \"0s\"\n[dns]\ntimeout = \"10ms\"\nmessage_budget = \"1s\"\ncache_entries = 100\nmax_ttl = \"1m\"\n", true)
	accepted("highest", "[listen]\ndrain = \"1h\"\n[dns]\ntimeout = \"1m\"\nmessage_budget = \"10m\"\ncache_entries = 10000000\nmax_ttl = \"7d\"\n", true)
	accepted("budget of one query", "[dns]\ntimeout = \"3s\"\nmessage_budget = \"3s\"\n", true)

	accepted("sections at limit", strings.Repeat(rule, MaxSections), true)
	for what, text := range map[string]string{
		"sections":        strings.Repeat("[[rule]]\n", 2*MaxSections),
		"inline sections": "rule = [" + strings.Repeat("{},\n", MaxSections+1) + "]",
		"limit+1":         strings.Repeat("[[rule]]\n", MaxSections) + "[[exception]]",
	} {
		if ps := problems(text); len(ps) != 1 || ps[0].Line != MaxSections+1 || ps[0].Text != "more than 10000 sections" {
			t.Errorf("%s over limit: got %.200v", what, ps)
		}
	}

	unknown := func(n int) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, "x%d = 1\n", i)
		}
		return b.String()
	}
	if got := len(problems(unknown(MaxProblems - 1))); got != MaxProblems-1 {
		t.Errorf("below the limit: %d problems, want %d", got, MaxProblems-1)
	}
	for _, n := range []int{MaxProblems, MaxProblems + 1, 90_000} {
		ps := problems(unknown(n))
		if last := ps[len(ps)-1]; len(ps) != MaxProblems+1 || last.Line != MaxProblems || !strings.HasPrefix(last.Text, "too many problems") {
			t.Errorf("%d problems in the file: %d reported, the last %v", n, len(ps), last)
		}
	}
}

// TestHalfWritten: a file that was cut off is refused unless it ends after a
// value; then nobody can tell.
func TestHalfWritten(t *testing.T) {
	text, err := os.ReadFile("testdata/good/full.toml")
	if err != nil {
		t.Fatal(err)
	}
	last, ends := 0, regexp.MustCompile(`(["'\]}\d]|true|false|#[^\n]*|\s|^)$`)
	for n := range text {
		_, err := Parse("f", text[:n], host)
		var problems Problems
		switch {
		case err == nil && !ends.Match(text[:n]):
			t.Fatalf("accepted: %q", text[max(0, n-40):n])
		case err != nil && !errors.As(err, &problems):
			t.Fatalf("got %v, want Problems", err)
		case err != nil:
			last = n
		}
	}
	if last < len(text)*9/10 {
		t.Errorf("what is cut off after byte %d of %d is always accepted", last, len(text))
	}
}

// Values that nest or go on without end are refused, not followed.
func TestHostileShapes(t *testing.T) {
	refused := func(what, text string) {
		t.Helper()
		start := time.Now()
		_, err := Parse("f", []byte(text), host)
		if took := time.Since(start); took > 10*time.Second { // a tenth of a second, on a busy machine with the race detector
			t.Errorf("%s: took %v", what, took)
		}
		var problems Problems
		if !errors.As(err, &problems) {
			t.Errorf("%s: got %v, want Problems", what, err)
		}
		for _, p := range problems {
			if len(p.Error()) > 1000 {
				t.Errorf("%s: a message of %d bytes", what, len(p.Error()))
			}
		}
	}
	const n = MaxFileBytes / 4
	refused("nested lists", "x = "+strings.Repeat("[", n))
	refused("nested known lists", "dns.servers = "+strings.Repeat("[", 5000)+strings.Repeat("]", 5000))
	refused("nested tables", "x = "+strings.Repeat("{a=", n))
	refused("long key", strings.Repeat("k", n)+" = 1")
	refused("long dotted key", strings.Repeat("a.", n)+"a = 1")
	refused("long header", "["+strings.Repeat("a.", n)+"a]")
	refused("long text", `policy.mode = "`+strings.Repeat("m", n)+`"`)
	refused("long number", "dns.timeout = "+strings.Repeat("1", n))
	refused("long fraction", "dns.timeout = 1."+strings.Repeat("1", n))
	refused("long date", "dns.timeout = 2027-03-01T10:00:00."+strings.Repeat("1", n))
	refused("many sections", strings.Repeat("[[rule]]\n", MaxFileBytes/9))
	refused("many inline sections", "rule = ["+strings.Repeat("{},", MaxFileBytes/4)+"]")
	refused("many bad items of one line", "exempt.networks = ["+strings.Repeat(`"::/0",`, n/2)+"]")
	refused("many servers", "dns.servers = ["+strings.Repeat(`"x",`, n/2)+"]")
}
