package main

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"assay/contrib"
)

// TestManPages: the pages in contrib/man say what the commands and the settings say
// of themselves; -update writes them. They are kept, and not made with the packages,
// so that whoever packages assay otherwise has them, and a change of them is seen.
func TestManPages(t *testing.T) {
	for file, want := range map[string]string{"assay.1": commandsPage(rootCommand()), "assay.toml.5": settingsPage(contrib.AssayTOML)} {
		file = "../../contrib/man/" + file
		if *updateCases {
			if err := os.WriteFile(file, []byte(want), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if got := string(readFile(t, file)); got != want {
			t.Errorf("%s is not what the commands say; \"go test ./cmd/assay -run TestManPages -update\" writes it", file)
		}
	}
}

// manPage is a manual page in the man macros of roff.
type manPage struct{ strings.Builder }

func newPage(name, section, about string) *manPage {
	p := &manPage{}
	p.macro("TH", strings.ToUpper(name), section, "", "assay "+version, "")
	p.macro("SH", "NAME")
	p.text(name + " - " + about)
	return p
}

func (p *manPage) macro(name string, args ...string) {
	p.WriteString("." + name)
	for _, a := range args {
		p.WriteString(` "` + strings.ReplaceAll(roff(a), `"`, `\(dq`) + `"`)
	}
	p.WriteByte('\n')
}

// text writes lines that are filled to paragraphs.
func (p *manPage) text(text string) {
	for line := range strings.Lines(strings.TrimSpace(text)) {
		line = strings.TrimSpace(line)
		if line == "" {
			p.macro("PP")
			continue
		}
		if strings.HasPrefix(line, ".") || strings.HasPrefix(line, "'") {
			p.WriteString(`\&`) // it is no macro
		}
		p.WriteString(roff(line) + "\n")
	}
}

// verbatim writes lines as they are.
func (p *manPage) verbatim(text string) {
	if text == "" {
		return
	}
	p.macro("PP")
	p.macro("nf")
	for line := range strings.Lines(text) {
		p.WriteString(`\&` + roff(strings.TrimSuffix(line, "\n")) + "\n")
	}
	p.macro("fi")
}

func roff(text string) string {
	return strings.NewReplacer(`\`, `\e`, `-`, `\-`, `^`, `\(ha`, `~`, `\(ti`, "`", "\\`").Replace(text)
}

func commandsPage(root *cobra.Command) string {
	p := newPage("assay", "1", root.Short)
	p.macro("SH", "SYNOPSIS")
	p.text("assay COMMAND")
	p.macro("SH", "COMMANDS")
	p.commands(root)
	p.macro("SH", "EXIT STATUS")
	for _, s := range []struct {
		code int
		what string
	}{
		{exitYes, "It is so, or done."},
		{exitNo, "It is not so."},
		{exitUsage, "A mistake in the call or the configuration: trying again cannot help."},
		{exitLater, "Something outside is not ready, such as the DNS: try later."},
	} {
		p.macro("TP")
		p.text(fmt.Sprint(s.code))
		p.text(s.what)
	}
	p.macro("SH", "FILES")
	p.macro("TP")
	p.text("/etc/assay/assay.toml")
	p.text("The configuration that the packages' service uses. The commands that ask a running assay, status and debug, read it\nwithout -c too; all others read what -c names.")
	p.macro("SH", "SEE ALSO")
	p.text("assay.toml(5)")
	return p.String()
}

func (p *manPage) commands(parent *cobra.Command) {
	for _, cmd := range parent.Commands() {
		if !cmd.IsAvailableCommand() {
			continue
		}
		if cmd.HasSubCommands() {
			p.commands(cmd)
			continue
		}
		p.macro("SS", parent.CommandPath()+" "+cmd.Use)
		if cmd.Long != "" {
			p.text(cmd.Long)
		} else {
			p.text(cmd.Short + ".")
		}
		p.verbatim(cmd.LocalFlags().FlagUsages())
		p.macro("PP")
		p.text("Example:")
		p.verbatim(cmd.Example + "\n")
	}
}

func settingsPage(file string) string {
	p := newPage("assay.toml", "5", "configuration of assay")
	p.macro("SH", "DESCRIPTION")
	p.text("The file below has every setting, with its default and what it is for. It is what \"assay config describe\" prints;\n" +
		"\"assay config check\" finds mistakes, and \"assay config show -n\" shows what differs from the defaults.")
	p.macro("SH", "SETTINGS")
	p.verbatim(file)
	p.macro("SH", "SEE ALSO")
	p.text("assay(1)")
	return p.String()
}
