package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"assay/config"
	"assay/contrib"
)

func readme(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// blocks returns the fenced blocks of a document that are marked with info.
func blocks(text, info string) []string {
	var found []string
	for _, m := range regexp.MustCompile("(?ms)^```"+info+"\n(.*?)^```$").FindAllStringSubmatch(text, -1) {
		found = append(found, m[1])
	}
	return found
}

// TestReadmeSnippets: what the README says to paste is what the tests run the
// MTAs with.
func TestReadmeSnippets(t *testing.T) {
	all := strings.Join(blocks(readme(t), ""), "\x00")
	for name, text := range map[string]string{"postfix/main.cf": contrib.PostfixMainCF, "sendmail/assay.mc": contrib.SendmailMC} {
		if !strings.Contains(all, text) {
			t.Errorf("the README does not show contrib/%s:\n%s", name, text)
		}
	}
	for name, text := range map[string]string{contrib.DefaultMilter: contrib.PostfixMainCF, contrib.DefaultSendmail: contrib.SendmailMC} {
		if !strings.Contains(text, name) {
			t.Errorf("%s is not in %s", name, text)
		}
	}
	if got := config.Default("x").Listen.Milter[0]; got.String() != contrib.DefaultMilter || got.Sendmail() != contrib.DefaultSendmail {
		t.Errorf("the default address is %s, %s", got, got.Sendmail())
	}
}

// TestReadmeConfig: the examples of the README are good configuration.
func TestReadmeConfig(t *testing.T) {
	examples := blocks(readme(t), "toml")
	if len(examples) == 0 {
		t.Error("no example")
	}
	for _, text := range examples {
		if _, err := config.Parse("README.md", []byte(text), "mx.example.org"); err != nil {
			t.Errorf("%s\n%v", text, err)
		}
	}
}

// TestReadmeLinks: every file that the README points to is there.
func TestReadmeLinks(t *testing.T) {
	for _, m := range regexp.MustCompile(`\]\(([^):]+)\)`).FindAllStringSubmatch(readme(t), -1) {
		if _, err := os.Stat(filepath.Join("../..", m[1])); err != nil {
			t.Error(err)
		}
	}
}

// TestReadmeCommands: the README has every command.
func TestReadmeCommands(t *testing.T) {
	for _, cmd := range rootCommand().Commands() {
		if row := regexp.MustCompile("(?m)^\\| [^|]*`assay " + cmd.Name() + "`[^|]* \\| "); cmd.IsAvailableCommand() && !row.MatchString(readme(t)) {
			t.Errorf("no row for assay %s", cmd.Name())
		}
	}
}

// TestChainDocument: the document has the steps of the policy in their order.
func TestChainDocument(t *testing.T) {
	text, at := guide(t, "policy.md"), 0
	for _, step := range chain() {
		row := "\n| " + step + " | "
		next := strings.Index(text[at:], row)
		if next < 0 {
			t.Fatalf("no row for %s behind the one before", step)
		}
		at += next
	}
}
