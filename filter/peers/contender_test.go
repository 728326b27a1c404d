package peers

import (
	"embed"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"text/template"

	"assay/filter/mtatest"
)

const (
	testID = "mx.bench.test"
	// nameServer is where private.sh tells filters to ask, on port 53.
	nameServer = "192.0.2.53"
)

//go:embed templates
var templates embed.FS

// contender is one filter, or several that a message passes in a row.
type contender struct {
	name    string
	filters []*process
	idle    bool // it verifies nothing
}

// house is where the filters live for the time of a benchmark.
type house struct {
	folder string
	assay  string // the program
}

// newHouse writes all configurations into a folder, and builds assay.
func newHouse(t testing.TB) *house {
	t.Helper()
	h := &house{folder: mtatest.Folder(t)}
	data := struct{ ID, DNS, Folder string }{testID, nameServer, h.folder}
	parsed := template.Must(template.ParseFS(templates, "templates/*"))
	for _, one := range parsed.Templates() {
		var text strings.Builder
		if err := one.Execute(&text, data); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(h.path(one.Name()), []byte(text.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	h.assay = h.path("assay")
	build := exec.Command("go", "build", "-trimpath", "-o", h.assay, "../../cmd/assay")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if said, err := build.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, said)
	}
	return h
}

func (h *house) path(name string) string { return filepath.Join(h.folder, name) }

// run starts a filter that listens on NAME.sock in the folder.
func (h *house) run(t testing.TB, name string, args ...string) *process {
	t.Helper()
	if _, err := exec.LookPath(args[0]); err != nil {
		t.Fatalf("%s is not installed; filter/peers/deps.sh installs it", args[0])
	}
	p := &process{name: name, socket: h.path(name + ".sock"), args: args}
	t.Cleanup(p.stop)
	p.start(t)
	return p
}

func (h *house) runAssay(t testing.TB) contender {
	return contender{name: "assay", filters: []*process{h.run(t, "assay", h.assay, "serve", "-c", h.path("assay.toml"))}}
}

// runStack starts the three in the order in which an MTA asks them: OpenDMARC
// reads the results of the others.
func (h *house) runStack(t testing.TB) contender {
	return contender{name: "OpenDKIM + OpenDMARC + pyspf-milter", filters: []*process{
		h.run(t, "pyspf-milter", "/usr/bin/pyspf-milter", h.path("pyspf-milter.conf")),
		h.run(t, "opendkim", "/usr/sbin/opendkim", "-f", "-x", h.path("opendkim.conf")),
		h.run(t, "opendmarc", "/usr/sbin/opendmarc", "-f", "-c", h.path("opendmarc.conf")),
	}}
}

func (h *house) runRspamd(t testing.TB) contender {
	return contender{name: "Rspamd", filters: []*process{h.run(t, "rspamd", "/usr/bin/rspamd", "-f", "-i", "-c", h.path("rspamd.conf"))}}
}

func (h *house) runNoOp(t testing.TB, quiet bool) contender {
	name, title := "no-op", "no-op"
	if quiet {
		name, title = "quiet", "no-op, no replies"
	}
	return contender{name: title, filters: []*process{h.run(t, name, os.Args[0], noOpFlag, h.path(name+".sock"), name)}, idle: true}
}
