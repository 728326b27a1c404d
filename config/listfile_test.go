package config

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// write makes files in a folder of their own and returns the path of the first.
func write(t testing.TB, nameAndText ...string) string {
	t.Helper()
	folder := t.TempDir()
	for i := 0; i < len(nameAndText); i += 2 {
		if err := os.WriteFile(filepath.Join(folder, nameAndText[i]), []byte(nameAndText[i+1]), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return filepath.Join(folder, nameAndText[0])
}

const rulesOfLists = `
[exempt]
networks = ["192.0.2.1/32", "file:relays", "192.0.2.2/32"]

[[rule]]
author_domain = "file:banks"
recipient = ["file:people"]
action = "tag"
reason = "x"
`

func TestListFiles(t *testing.T) {
	path := write(t, "assay.toml", rulesOfLists,
		"relays", "# ours\n\n198.51.100.0/24\r\n  2001:db8::/32\t# and theirs\n203.0.113.0/24",
		"banks", "bank.example\n.bank.example\n", "people", "A#b@example.org\nexample.com # all\n")
	c, err := Load(path, host)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := fmt.Sprint(c.Exempt.Networks), "[192.0.2.1/32 198.51.100.0/24 2001:db8::/32 203.0.113.0/24 192.0.2.2/32]"; got != want {
		t.Errorf("networks: got %s, want %s", got, want)
	}
	if got, want := fmt.Sprint(c.Rules[0].AuthorDomain, c.Rules[0].Recipient), "[bank.example .bank.example] [a#b@example.org example.com]"; got != want {
		t.Errorf("rule: got %s, want %s", got, want)
	}
	// What is shown names the files, and reads back as the same.
	shown := lines(c.Show())
	folder := filepath.Dir(path)
	for _, want := range []string{
		`exempt.networks = ["192.0.2.1/32", "file:` + folder + `/relays", "192.0.2.2/32"]`,
		`author_domain = ["file:` + folder + `/banks"], recipient = ["file:` + folder + `/people"]`,
	} {
		if !strings.Contains(shown, want) {
			t.Errorf("no %s in\n%s", want, shown)
		}
	}
	again, err := Load(write(t, "shown.toml", shown), host)
	if err != nil {
		t.Fatal(err)
	}
	c.IDStated = true // as Show states everything
	checkConfig(t, "Show read back", again, c)
}

// TestEmptyListFile: a condition on a list that is empty today holds for
// nobody; it is not a condition that was left out.
func TestEmptyListFile(t *testing.T) {
	c, err := Load(write(t, "assay.toml", "[[rule]]\nauthor_domain = \"file:none\"\naction = \"reject\"\nreason = \"x\"\n", "none", "# later\n"), host)
	if err != nil || c.Rules[0].AuthorDomain == nil || len(c.Rules[0].AuthorDomain) != 0 || c.Rules[0].Helo != nil {
		t.Errorf("got %+v, %v", c.Rules, err)
	}
}

// refused checks what is said of the file at path; files are named without
// their folder.
func refused(t *testing.T, what, path string, want ...string) {
	t.Helper()
	_, err := Load(path, host)
	var problems Problems
	if !errors.As(err, &problems) {
		t.Fatalf("%s: got %v, want Problems", what, err)
	}
	got := strings.ReplaceAll(said(problems), filepath.Dir(path)+"/", "")
	if got != strings.Join(want, "\n")+"\n" {
		t.Errorf("%s: got\n%s", what, got)
	}
}

func TestBadListFiles(t *testing.T) {
	refused(t, "unreadable", write(t, "a.toml", "dns.timeout = \"3\"\nexempt.networks = \"file:absent\"\npolicy.mode = 1\n"),
		`a.toml:1:15: dns.timeout: "3" has no unit`, `hint: write "3s"`,
		`a.toml:2:19: exempt.networks: "absent": no such file or directory`, "hint: is it there, and readable for the user that assay runs as?",
		"a.toml:3:15: policy.mode: 1 is a number, not a word", `hint: write it in quotes, such as "observe"`)
	refused(t, "bad lines", write(t, "a.toml", "\nexempt.networks = \"file:list\"\npolicy.mode = \"x\"\n", "list", "10.0.0.0/8\n10.0.0.300\n\n \u00a0\tx\n"),
		`list:2:1: exempt.networks: "10.0.0.300" is not a network`, `hint: write it as "192.0.2.0/24" or "2001:db8::/32"`,
		`list:4:4: exempt.networks: "x" is not a network`, `hint: write it as "192.0.2.0/24" or "2001:db8::/32"`,
		`a.toml:3:15: policy.mode: "x" is not one of observe, enforce`)
	refused(t, "two lists", write(t, "a.toml", "exempt.networks = [\"file:absent\", \"file:list\", \"x\"]\n", "list", "y\n"),
		`a.toml:1:20: exempt.networks: "absent": no such file or directory`, "hint: is it there, and readable for the user that assay runs as?",
		`list:1:1: exempt.networks: "y" is not a network`, `hint: write it as "192.0.2.0/24" or "2001:db8::/32"`,
		`a.toml:1:48: exempt.networks: "x" is not a network`, `hint: write it as "192.0.2.0/24" or "2001:db8::/32"`)
	refused(t, "overlap", write(t, "a.toml", "exempt.networks = [\"10.0.0.0/8\", \"file:list\"]", "list", "10.2.0.0/16\n192.0.2.0/24\n  10.1.0.0/16\n"),
		"list:1:1: exempt.networks: 10.2.0.0/16 is part of 10.0.0.0/8",
		"list:3:3: exempt.networks: 10.1.0.0/16 is part of 10.0.0.0/8")
	refused(t, "long line", write(t, "a.toml", "exempt.networks = \"file:list\"", "list", "10.0.0.0/8\n"+strings.Repeat("x", maxListLine+1)),
		"list:2:1: exempt.networks: longer than 1000 bytes")
	refused(t, "byte order mark", write(t, "a.toml", "exempt.networks = \"file:list\"", "list", "\ufeff10.0.0.0/8\n"),
		"list:1:1: exempt.networks: begins with a byte order mark", "hint: save it as UTF-8 without one")
	refused(t, "names", write(t, "a.toml", "exempt.networks = [\"file:/\", \"file:\", \"file:a\\u001Bb\"]"),
		`a.toml:1:20: exempt.networks: "/": not a regular file`,
		`a.toml:1:30: exempt.networks: "file:" names no file`,
		`a.toml:1:39: exempt.networks: "a\x1bb" has a line break or another control character`)
}

// hundredThousand is a list of domains, and of networks, with one bad line.
func hundredThousand(bad int) (domains, networks string) {
	var d, n strings.Builder
	for i := range 100_000 {
		fmt.Fprintf(&d, "host%d.example.com\n", i)
		if i == bad {
			n.WriteString("10.0.0.0/33\n")
		} else {
			fmt.Fprintf(&n, "%d.%d.%d.0/24\n", 10+i>>16, i>>8&255, i&255)
		}
	}
	return d.String(), n.String()
}

// TestLargeLists: two lists of 100,000 entries are read within a second, and one
// bad line among them is named.
func TestLargeLists(t *testing.T) {
	const text = "exempt.networks = \"file:networks\"\n[[rule]]\nauthor_domain = \"file:domains\"\naction = \"tag\"\nreason = \"x\"\n"
	domains, networks := hundredThousand(-1)
	path := write(t, "a.toml", text, "domains", domains, "networks", networks)
	start := time.Now()
	c, err := Load(path, host)
	if err != nil || len(c.Exempt.Networks) != 100_000 || len(c.Rules[0].AuthorDomain) != 100_000 {
		t.Fatalf("%d, %v", len(c.Exempt.Networks), err)
	}
	took := time.Since(start)
	t.Logf("200,000 entries in %v", took)
	if limit := 5 * time.Second; took > limit { // a second, and five on a busy machine with the race detector
		t.Errorf("took %v", took)
	}
	_, networks = hundredThousand(77_776)
	path = write(t, "a.toml", text, "domains", domains, "networks", networks)
	_, err = Load(path, host)
	if want := filepath.Dir(path) + `/networks:77777:1: exempt.networks: "10.0.0.0/33" is not a network`; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

// BenchmarkLoad: how long do 200,000 entries take?
func BenchmarkLoad(b *testing.B) {
	domains, networks := hundredThousand(-1)
	path := write(b, "a.toml", "exempt.networks = \"file:networks\"\ndns.timeout = \"3s\"\n[[rule]]\nauthor_domain = \"file:domains\"\naction = \"tag\"\nreason = \"x\"\n",
		"domains", domains, "networks", networks)
	for b.Loop() {
		if _, err := Load(path, host); err != nil {
			b.Fatal(err)
		}
	}
}

// TestListFileSize: what all list files may have together, however often one is
// named, and a byte more. Of a larger file no more is read.
func TestListFileSize(t *testing.T) {
	half := []byte(strings.Repeat("#", MaxListBytes/2))
	for _, extra := range []int{0, 1} {
		open := func(path string) ([]byte, error) {
			if path == "more" {
				return append(half, half[:extra]...), nil
			}
			return half, nil
		}
		_, problems := parse("f", []byte(`exempt.networks = ["file:half", "file:more"]`), host, open, nil)
		if (len(problems) > 0) != (extra > 0) || extra > 0 && problems.Error() != "f:1:33: exempt.networks: the list files are larger than 32 MiB together" {
			t.Errorf("%d bytes more: %v", extra, problems)
		}
	}
	path := write(t, "list", "")
	if err := os.Truncate(path, MaxListBytes+2); err != nil {
		t.Fatal(err)
	}
	if text, err := readNamed(path); err != nil || len(text) != MaxListBytes+1 {
		t.Errorf("%d bytes read, %v", len(text), err)
	}
}
