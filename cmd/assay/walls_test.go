package main

import (
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// walls says which of our packages may import a library, outside of tests.
var walls = map[string][]string{
	"github.com/emersion/go-milter":       {"filter"},
	"github.com/emersion/go-msgauth":      {},
	"blitiri.com.ar/go/spf":               {"verify/spf"},
	"github.com/hashicorp/golang-lru":     {"dnscache"},
	"github.com/miekg/dns":                {"dnscache", "dnscache/dnstest", "dnscache/zone"},
	"github.com/pelletier/go-toml":        {"config"},
	"github.com/spf13/cobra":              {"cmd/assay"},
	"github.com/coreos/go-systemd":        {"cmd/assay"},
	"github.com/prometheus/client_golang": {"web"},
	"filippo.io/bigmod":                   {"verify/dkim"},
	"golang.org/x/net/netutil":            {"web"},
	"golang.org/x/net/publicsuffix":       {"verify/dmarc"},
	"golang.org/x/net/idna":               {"verify/domain"},
	"golang.org/x/sync/errgroup":          {"cmd/assay"},
	"golang.org/x/sync/singleflight":      {"dnscache"},
	"golang.org/x/sys/unix":               {"cmd/assay", "filter"},
}

// testWalls are the libraries that only tests import, and the packages with
// such tests.
var testWalls = map[string][]string{
	"github.com/emersion/go-msgauth": {"verify/dkim", "verify/authres", "verify/arc", "filter", "filter/peers", "cmd/assay"},
	"github.com/emersion/go-milter":  {"cmd/assay", "filter/peers"},
	"gopkg.in/yaml.v3":               {"verify/spf", "verify/dkim", "verify/arc", "web", "contrib"},
	"golang.org/x/tools":             {"cmd/assay"},

	"github.com/prometheus/client_model": {"web"},
}

// directions says which of our packages each may import, outside of tests.
var directions = map[string][]string{
	"cmd/assay":         {"config", "config/legacy", "contrib", "dnscache", "dnscache/zone", "filter", "filter/miltertest", "policy", "verify", "verify/...", "web"},
	"config":            {"verify/domain"},
	"config/legacy":     {"config", "verify/domain"},
	"contrib":           {},
	"dnscache":          {"dnscache/zone", "verify/lookup"},
	"dnscache/dnstest":  {"dnscache/zone", "verify/lookup"},
	"dnscache/zone":     {},
	"filter":            {"policy", "verify", "verify/..."},
	"filter/miltertest": {},
	"filter/mtatest":    {},
	"filter/peers":      {},
	"policy":            {"verify", "verify/..."},
	"verify":            {"verify/..."},
	"verify/arc":        {"verify/authres", "verify/dkim", "verify/domain", "verify/lookup", "verify/message", "verify/tags"},
	"verify/authres":    {"verify/domain"},
	"verify/dkim":       {"verify/authres", "verify/domain", "verify/lookup", "verify/message", "verify/tags"},
	"verify/dmarc":      {"verify/authres", "verify/dkim", "verify/domain", "verify/lookup", "verify/spf"},
	"verify/domain":     {},
	"verify/iprev":      {"verify/authres", "verify/domain", "verify/lookup"},
	"verify/lookup":     {},
	"verify/message":    {"verify/domain"},
	"verify/network":    {},
	"verify/spf":        {"verify/authres", "verify/domain", "verify/lookup"},
	"verify/tags":       {},
	// web reads what filter and dnscache count; nobody but the commands reads it.
	"web": {"dnscache", "filter", "policy", "verify", "verify/..."},
}

// TestWalls fails when a package reaches for what is not its own to use.
func TestWalls(t *testing.T) {
	seen := map[string]bool{}
	err := filepath.WalkDir("../..", func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() && (entry.Name() == "testdata" || strings.HasPrefix(entry.Name(), ".") && len(entry.Name()) > 2) {
			return filepath.SkipDir
		}
		if !strings.HasSuffix(path, ".go") {
			return nil
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		folder, err := filepath.Rel("../..", filepath.Dir(path))
		if err != nil {
			return err
		}
		folder = filepath.ToSlash(folder)
		seen[folder] = true
		for _, spec := range file.Imports {
			checkImport(t, path, folder, strings.Trim(spec.Path.Value, `"`), strings.HasSuffix(path, "_test.go"))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for folder := range directions {
		if !seen[folder] {
			t.Errorf("%s is gone; take it off the list", folder)
		}
	}
}

func checkImport(t *testing.T, path, folder, imported string, test bool) {
	t.Helper()
	if ours, ok := strings.CutPrefix(imported, "assay/"); ok {
		allowed, known := directions[folder]
		if !known {
			t.Errorf("%s: package %s has no place in the house", path, folder)
		}
		if !test && !slices.ContainsFunc(allowed, func(pattern string) bool { return within(ours, pattern) }) {
			t.Errorf("%s imports %s: not a direction of %s", path, ours, folder)
		}
		return
	}
	if !strings.Contains(strings.Split(imported, "/")[0], ".") {
		return // the standard library
	}
	for library, allowed := range walls {
		if within(imported, library+"/...") && slices.Contains(allowed, folder) {
			return
		}
	}
	for library, allowed := range testWalls {
		if test && within(imported, library+"/...") && slices.Contains(allowed, folder) {
			return
		}
	}
	// Tests of a package may use what the package uses; its wall is checked above.
	t.Errorf("%s imports %s: behind a wall for %s", path, imported, folder)
}

// within reports whether a path is that of the pattern, or below it where
// the pattern ends in "/...".
func within(path, pattern string) bool {
	parent, below := strings.CutSuffix(pattern, "/...")
	return path == parent || below && strings.HasPrefix(path, parent+"/")
}
