package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"assay/config"
	"assay/contrib"
	"assay/filter/mtatest"
)

// guides are the documents that operators install by.
var guides = []string{"install.md", "policy.md", "postfix.md", "sendmail.md", "beside.md", "migration.md"}

// guide reads one of the guides.
func guide(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("../../docs", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// snippet returns the one block of a guide that is marked with info and has these words.
func snippet(t *testing.T, name, info, words string) string {
	t.Helper()
	var found []string
	for _, block := range blocks(guide(t, name), info) {
		if strings.Contains(block, words) {
			found = append(found, block)
		}
	}
	if len(found) != 1 {
		t.Fatalf("docs/%s has %d blocks of %s with %q, want one", name, len(found), info, words)
	}
	return found[0]
}

// TestGuideSnippets hands every block of the guides to the program that it is for.
func TestGuideSnippets(t *testing.T) {
	fence := regexp.MustCompile("(?m)^```(.+)$")
	known := map[string]func(t *testing.T, text string){
		"toml": func(t *testing.T, text string) {
			if _, err := config.Parse("docs", []byte(text), "mx.example.org"); err != nil {
				t.Errorf("%s\n%v", text, err)
			}
		},
		"main.cf": func(t *testing.T, text string) {
			settings := mtatest.CheckPostfix(t, text, "")
			for line := range strings.Lines(text) {
				name, _, _ := strings.Cut(line, " ")
				// postconf -n leaves out what is the default anyway.
				if !strings.Contains("\n"+settings, "\n"+name+" = ") {
					t.Errorf("Postfix does not say that it has read %s", line)
				}
			}
		},
		"master.cf": func(t *testing.T, text string) { mtatest.CheckPostfix(t, "", text) },
		"sendmail.mc": func(t *testing.T, text string) {
			cf := mtatest.CheckSendmail(t, text)
			if want := "\nXassay, S=inet:8891@127.0.0.1, F=T, T=C:10s;S:30s;R:30s;E:60s\n"; !strings.Contains(cf, want) {
				t.Errorf("sendmail.cf has not %q", want)
			}
			if strings.Contains(text, "opendkim") && !strings.Contains(cf, "\nO InputMailFilters=assay, opendkim\n") {
				t.Errorf("another order of filters by\n%s", text)
			}
		},
		"dovecot.conf":  func(t *testing.T, text string) { mtatest.CheckDovecot(t, text) },
		"opendkim.conf": func(*testing.T, string) {}, // TestOpenDKIM runs it
		"sh":            wantCommands,
		"cases": func(t *testing.T, text string) {
			if _, err := config.ParseCases("docs", []byte(text)); err != nil {
				t.Errorf("%s\n%v", text, err)
			}
		},
	}
	for _, name := range guides {
		text := guide(t, name)
		for _, m := range fence.FindAllStringSubmatch(text, -1) {
			if known[m[1]] == nil {
				t.Errorf("docs/%s: nobody checks a block of %s", name, m[1])
			}
		}
		for info, check := range known {
			for i, block := range blocks(text, info) {
				t.Run(fmt.Sprintf("%s/%s/%d", name, info, i+1), func(t *testing.T) {
					t.Parallel()
					check(t, block)
				})
			}
		}
	}
}

// wantCommands looks at commands: those of ours have to be there with their flags, and the files of ours too.
func wantCommands(t *testing.T, text string) {
	for line := range strings.Lines(text) {
		words := strings.Fields(strings.TrimPrefix(line, "sudo "))
		switch words[0] {
		case "assay":
			wantCommand(t, words[1:])
		case "make":
			wantTarget(t, words[1])
		}
		for _, word := range words[1:] {
			if strings.HasPrefix(word, "contrib/") {
				wantFile(t, word)
			}
		}
	}
}

func wantCommand(t *testing.T, words []string) {
	t.Helper()
	if len(words) == 0 {
		return
	}
	cmd, rest, err := rootCommand().Find(words)
	if err != nil || !cmd.Runnable() {
		t.Errorf("assay %s: no such command", strings.Join(words, " "))
		return
	}
	for _, word := range rest {
		name, long := strings.CutPrefix(word, "--")
		flag := cmd.Flags().Lookup(name)
		if short, ok := strings.CutPrefix(word, "-"); ok && !long {
			flag = cmd.Flags().ShorthandLookup(short)
		} else if !long {
			continue
		}
		if flag == nil {
			t.Errorf("assay %s: no flag %s", strings.Join(words, " "), word)
		}
	}
}

func wantTarget(t *testing.T, target string) {
	t.Helper()
	makefile, err := os.ReadFile("../../Makefile")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(makefile), "\n"+target+":") {
		t.Errorf("make %s: no such target", target)
	}
}

func wantFile(t *testing.T, name string) {
	t.Helper()
	if _, err := os.Stat(filepath.Join("../..", name)); err != nil {
		t.Error(err)
	}
}

// TestGuideWords: what stands in the text of the guides between backquotes, and looks like one of our settings, one of
// Postfix's or one of our commands, is one.
func TestGuideWords(t *testing.T) {
	var (
		fences   = regexp.MustCompile("(?ms)^```.*?^```$")
		code     = regexp.MustCompile("`([^`\n]+)`")
		setting  = regexp.MustCompile(`^[a-z]+\.[a-z_.]+$`)
		assigned = regexp.MustCompile(`^([a-z_.]+) = (".*"|\[.*\]|[0-9]+)$`)
		file     = regexp.MustCompile(`\.(cf|mc|service|socket|toml)$`) // of others, or of yours
		postfix  = regexp.MustCompile(`^[a-z]+(_[a-z0-9]+)+$`)
	)
	settings, parameters := ourSettings(t), mtatest.PostfixSettings(t)
	for _, name := range guides {
		for _, m := range code.FindAllStringSubmatch(fences.ReplaceAllString(guide(t, name), ""), -1) {
			word := m[1]
			if a := assigned.FindStringSubmatch(word); a != nil {
				word = a[1]
			}
			switch {
			case strings.HasPrefix(word, "assay "):
				wantCommand(t, strings.Fields(word)[1:])
			case strings.HasPrefix(word, "make "):
				wantTarget(t, strings.Fields(word)[1])
			case strings.HasPrefix(word, "contrib/"):
				wantFile(t, word)
			case file.MatchString(word):
			case setting.MatchString(word):
				if !slices.Contains(settings, word) {
					t.Errorf("docs/%s: %s is no setting of ours", name, word)
				}
			case postfix.MatchString(word):
				isOurs := func(s string) bool { return s == word || strings.HasSuffix(s, "."+word) }
				if !slices.Contains(parameters, word) && !slices.ContainsFunc(settings, isOurs) {
					t.Errorf("docs/%s: %s is a setting neither of ours nor of Postfix", name, word)
				}
			}
		}
	}
}

// ourSettings returns the names of our settings, such as dns.timeout.
func ourSettings(t *testing.T) (names []string) {
	t.Helper()
	section := ""
	for line := range strings.Lines(contrib.AssayTOML) {
		line = strings.TrimPrefix(line, "# ")
		if m := regexp.MustCompile(`^\[+([a-z.]+)\]+`).FindStringSubmatch(line); m != nil {
			section = m[1] + "."
			names = append(names, m[1])
		} else if m := regexp.MustCompile(`^([a-z_]+) = `).FindStringSubmatch(line); m != nil {
			names = append(names, section+m[1])
		}
	}
	return names
}

// TestGuideSocketUnit: systemd starts no socket unit of a service that is running.
func TestGuideSocketUnit(t *testing.T) {
	const want = "sudo systemctl stop assay.service\nsudo systemctl enable --now assay.socket\nsudo systemctl start assay.service\n"
	if got := snippet(t, "install.md", "sh", "enable --now assay.socket"); !strings.Contains(got, want) {
		t.Errorf("got\n%s\nwant in it\n%s", got, want)
	}
}

// TestGuideLinks: every file that the guides point to is there.
func TestGuideLinks(t *testing.T) {
	for _, name := range guides {
		for _, m := range regexp.MustCompile(`\]\(([^):#]+)#?([^)]*)\)`).FindAllStringSubmatch(guide(t, name), -1) {
			text, err := os.ReadFile(filepath.Join("../../docs", m[1]))
			if err != nil {
				t.Errorf("docs/%s: %v", name, err)
			}
			if heading := "\n## " + m[2] + "\n"; m[2] != "" && !strings.Contains(strings.ToLower(string(text)), heading) {
				t.Errorf("docs/%s: %s has no heading %s", name, m[1], m[2])
			}
		}
	}
}
