package main

import (
	"bytes"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"text/template"

	"golang.org/x/tools/txtar"

	"assay/config"
	"assay/dnscache/dnstest"
	"assay/filter"
)

const (
	casesFolder = "../../testdata/cases"
	testID      = "mx.example.net"
)

// testCase is one file of testdata/cases: a message, the session and the DNS it
// comes with, and what is wanted of us. Its README says how they are written.
type testCase struct {
	name    string
	file    string
	archive *txtar.Archive

	client     netip.Addr
	clientName string
	helo       string
	mail       []string // arguments of MAIL; the first has its angle brackets
	rcpts      []string // without angle brackets
	login      string
	refused    []string // senders, in angle brackets, refused at MAIL before the message on the same connection
	mtas       []string // the real MTAs that can play it, in lower case
	leadingGap bool     // it matters whether a blank follows the colon

	message []byte // as it is sent
	want    outcome
}

// readCases reads every case.
func readCases(t *testing.T) []*testCase {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(casesFolder, "*.txtar"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no cases: %v", err)
	}
	var cases []*testCase
	for _, file := range files {
		c, err := readCase(file)
		if err != nil {
			t.Errorf("%s: %v", file, err)
			continue
		}
		cases = append(cases, c)
	}
	return cases
}

func readCase(file string) (*testCase, error) {
	archive, err := txtar.ParseFile(file)
	if err != nil {
		return nil, err
	}
	c, err := parseCase(strings.TrimSuffix(filepath.Base(file), ".txtar"), archive)
	if err != nil {
		return nil, err
	}
	c.file = file
	if strings.TrimSpace(string(archive.Comment)) == "" {
		return nil, fmt.Errorf("does not say what it shows")
	}
	return c, nil
}

// parseCase makes a case of an archive.
func parseCase(name string, archive *txtar.Archive) (*testCase, error) {
	c := &testCase{
		name: name, archive: archive,
		client: netip.MustParseAddr("192.0.2.7"), clientName: "out.example.com", helo: "out.example.com",
		mail: []string{"<a@example.com>"},
		mtas: []string{"postfix", "sendmail"},
	}
	if err := c.known(); err != nil {
		return nil, err
	}
	for line := range strings.Lines(c.section("session")) {
		line, err := expand(strings.TrimSuffix(line, "\n"))
		if err != nil {
			return nil, err
		}
		if err := c.sessionLine(line); err != nil {
			return nil, err
		}
	}
	if len(c.rcpts) == 0 {
		c.rcpts = []string{name + "@rcpt.test"} // unlike that of any other case
	}
	var err error
	if c.message, err = c.compose(); err != nil {
		return nil, err
	}
	c.want = outcome{
		refused: c.section("want/refused"),

		reply:  strings.TrimSpace(c.section("want/reply")),
		field:  c.section("want/field"),
		fields: c.section("want/fields"),
		log:    c.section("want/log"),
	}
	return c, nil
}

// known refuses a section that nobody reads.
func (c *testCase) known() error {
	known := []string{"session", "zone", "config", "message", "sign", "tamper", "want/refused", "want/reply", "want/field", "want/fields", "want/log"}
	for i, f := range c.archive.Files {
		again := func(g txtar.File) bool { return g.Name == f.Name }
		if !slices.Contains(known, f.Name) || slices.ContainsFunc(c.archive.Files[:i], again) {
			return fmt.Errorf("section %q is unknown, or there twice", f.Name)
		}
	}
	return nil
}

func (c *testCase) section(name string) string {
	for _, f := range c.archive.Files {
		if f.Name == name {
			return string(f.Data)
		}
	}
	return ""
}

func (c *testCase) sessionLine(line string) error {
	verb, rest, _ := strings.Cut(line, " ")
	var err error
	switch verb {
	case "connect":
		addr, name, _ := strings.Cut(rest, " ")
		c.client, err = netip.ParseAddr(addr)
		c.clientName = name
	case "helo":
		c.helo = rest
	case "mail":
		end := strings.LastIndexByte(rest, '>') + 1
		if end == 0 || rest[0] != '<' {
			return fmt.Errorf("session: %q: no angle brackets", line)
		}
		c.mail = append([]string{rest[:end]}, strings.Fields(rest[end:])...)
	case "rcpt":
		c.rcpts = append(c.rcpts, path(rest))
	case "refused":
		c.refused = append(c.refused, rest)
	case "login":
		c.login = rest
	case "through":
		c.mtas = strings.Fields(rest)
		for _, mta := range c.mtas {
			if !slices.Contains([]string{"postfix", "sendmail", "none"}, mta) {
				err = fmt.Errorf("unknown MTA")
			}
		}
	case "blank-matters":
		c.leadingGap = true
	default:
		err = fmt.Errorf("unknown line")
	}
	if err != nil {
		return fmt.Errorf("session: %q: %w", line, err)
	}
	return nil
}

// compose returns the message as it is sent: signed, and tampered with.
func (c *testCase) compose() ([]byte, error) {
	text, err := expand(c.section("message"))
	if err != nil {
		return nil, err
	}
	message := []byte(strings.ReplaceAll(text, "\n", "\r\n"))
	lines := strings.Split(strings.TrimSpace(c.section("sign")), "\n")
	for _, line := range slices.Backward(lines) {
		if line == "" {
			continue
		}
		if message, err = sign(message, line); err != nil {
			return nil, fmt.Errorf("sign: %q: %w", line, err)
		}
	}
	tampers, err := expand(c.section("tamper"))
	if err != nil {
		return nil, err
	}
	for line := range strings.Lines(tampers) {
		if message, err = tamper(message, strings.TrimSuffix(line, "\n")); err != nil {
			return nil, err
		}
	}
	return message, nil
}

// tamper does to a message what somebody on its way may do.
func tamper(message []byte, line string) ([]byte, error) {
	verb, rest, _ := strings.Cut(line, " ")
	switch verb {
	case "prepend":
		return append([]byte(rest+"\r\n"), message...), nil
	case "append":
		return append(message, rest+"\r\n"...), nil
	case "replace":
		from, to, found := strings.Cut(rest, " => ")
		if !found || bytes.Count(message, []byte(from)) != 1 {
			return nil, fmt.Errorf("tamper: %q: not there once", line)
		}
		return bytes.Replace(message, []byte(from), []byte(to), 1), nil
	}
	return nil, fmt.Errorf("tamper: %q: unknown line", line)
}

// expand fills in a template.
func expand(text string) (string, error) {
	parsed, err := template.New("").Funcs(template.FuncMap{
		"rsa":     func() (string, error) { return publicKey("rsa") },
		"ed25519": func() (string, error) { return publicKey("ed25519") },
		"repeat":  func(n int, text string) string { return strings.Repeat(text, n) },
	}).Parse(text)
	if err != nil {
		return "", err
	}
	var filled strings.Builder
	err = parsed.Execute(&filled, nil)
	return filled.String(), err
}

// place is where a case is played: with the addresses it names, or with those
// that a client on this machine can have.
type place func(text string) string

func asWritten(text string) string { return text }

// onLoopback makes 127.0.1.N of every 192.0.2.N.
func onLoopback(text string) string {
	return strings.NewReplacer("192.0.2.", "127.0.1.", ".2.0.192.in-addr.arpa", ".1.0.127.in-addr.arpa").Replace(text)
}

func (c *testCase) zone(t *testing.T, at place) *dnstest.Zone {
	t.Helper()
	text, err := expand(c.section("zone"))
	if err != nil {
		t.Fatal(err)
	}
	return dnstest.MustParse(t, at(text))
}

// settings returns what the case's configuration makes, with its DNS served at
// the given address.
func (c *testCase) settings(t *testing.T, at place, dns string) filter.Settings {
	t.Helper()
	text := at(c.section("config"))
	cfg, err := config.Parse("config", []byte(text), testID)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(text, "[exempt]") {
		cfg.Exempt.Networks = nil
	}
	cfg.DNS.Servers = []config.Server{{Network: "udp", Addr: netip.MustParseAddrPort(dns)}}
	settings, err := settingsOf(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return settings
}

// update writes the wanted sections anew.
func (c *testCase) update(got outcome) error {
	archive := &txtar.Archive{Comment: c.archive.Comment}
	for _, f := range c.archive.Files {
		if !strings.HasPrefix(f.Name, "want/") {
			archive.Files = append(archive.Files, f)
		}
	}
	add := func(name, text string) {
		if text != "" {
			archive.Files = append(archive.Files, txtar.File{Name: name, Data: []byte(text)})
		}
	}
	add("want/refused", got.refused)
	add("want/reply", got.reply+"\n")
	add("want/field", got.field)
	add("want/fields", got.fields)
	add("want/log", got.log)
	return os.WriteFile(c.file, txtar.Format(archive), 0o644)
}
