package legacy

import (
	"cmp"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
)

// Kind says how a setting of the old filter relates to assay.
type Kind string

// The kinds of notes.
const (
	Equivalent Kind = "the same"       // assay does the same, by a setting or always
	Changed    Kind = "changed"        // assay does something like it
	Missing    Kind = "no counterpart" // assay does nothing of the kind
	Unknown    Kind = "unknown"        // it is in no manual
)

// Note is what becomes of one setting.
type Note struct {
	File string
	Line int    // 0 where the file does not say the setting, so that its default counted
	Name string // of the setting; its value may be a secret and is not repeated
	Kind Kind
	Text string // one sentence, without control characters
}

// String is the note in one line.
func (n Note) String() string {
	text := shown(n.File)
	if n.Line > 0 {
		text = fmt.Sprintf("%s:%d", text, n.Line)
	}
	return fmt.Sprintf("%s: %s: %s: %s", text, n.Name, n.Kind, n.Text)
}

// Result is what an import comes to.
type Result struct {
	TOML  string // an assay.toml with the settings that are not assay's defaults
	Notes []Note // in the order of the files and their lines
}

// entry is what is known about a setting.
type entry struct {
	kind Kind
	says string
	take func(*importer, directive) // in place of kind and says
}

// table is the settings of a format, by their names in small letters.
type table map[string]entry

func tableOf(f Format) table {
	switch f {
	case OpenDKIM:
		return opendkimTable
	case OpenDMARC:
		return opendmarcTable
	}
	return policydTable
}

// importer carries one import.
type importer struct {
	openFile  func(path string) ([]byte, error)
	files     int // that were opened
	settings  int // that were found in files
	items     int // of lists
	itemBytes int
	base      string // BaseDirectory
	draft     draft
	notes     []Note
	given     map[string]directive // of the file at hand, by name in small letters

	included map[string]bool
	id       *directive // that authserv_id is from
	sockets  []directive

	dmarc    dmarcWishes
	spf      spfWishes
	unsigned *directive // On-NoSignature, where it refuses
	deferDNS *directive // what asks to defer a message where DNS fails
	exempt   networks
	sealers  []string
}

// Import says what the sources, at most one of each format, say. open reads the
// files that they name. hostname is that of the machine, which need not be
// written as the authserv-id.
func Import(sources []Source, hostname string, open func(path string) ([]byte, error)) (Result, error) {
	im := &importer{openFile: open, draft: newDraft(hostname), included: map[string]bool{}}
	order := map[Format]int{PolicydSPF: 0, OpenDKIM: 1, OpenDMARC: 2} // the last word is OpenDMARC's
	formats := map[Format]Source{}
	for _, s := range sources {
		f, err := formatOf(s)
		if err != nil {
			return Result{}, err
		}
		if before, twice := formats[f]; twice {
			return Result{}, fmt.Errorf("%s: %w as %s: %s", s.Path, ErrTwice, before.Path, f)
		}
		formats[f] = s
	}
	for _, f := range slices.SortedFunc(maps.Keys(formats), func(a, b Format) int { return order[a] - order[b] }) {
		if err := im.importFile(formats[f], f); err != nil {
			return Result{}, err
		}
	}
	im.finish()
	at := map[string]int{}
	for i, s := range sources {
		at[s.Path] = i - len(sources)
	}
	slices.SortStableFunc(im.notes, func(a, b Note) int {
		return cmp.Or(at[a.File]-at[b.File], strings.Compare(a.File, b.File), a.Line-b.Line)
	})
	var names []string
	for _, s := range sources {
		names = append(names, shown(filepath.Base(s.Path)))
	}
	return Result{im.draft.text(names), im.notes}, nil
}

// importFile carries one file over.
func (im *importer) importFile(s Source, f Format) error {
	im.base, im.included[s.Path] = "", true
	all, err := im.read(s, f, 0)
	if err != nil {
		return err
	}
	// The last one counts in all three programs.
	im.given = map[string]directive{}
	last := map[string]int{}
	for i, d := range all {
		key := strings.ToLower(d.name)
		if before, twice := im.given[key]; twice {
			im.note(before, Changed, fmt.Sprintf("stated again on line %d, which counts", d.line))
		}
		im.given[key], last[key] = d, i
	}
	if d, ok := im.given["basedirectory"]; ok {
		im.base = d.value
	}
	known := tableOf(f)
	for i, d := range all {
		key := strings.ToLower(d.name)
		if last[key] != i {
			continue
		}
		switch e, ok := known[key]; {
		case !ok:
			im.note(d, Unknown, "no setting of "+string(f)+" that we know; nothing is made of it")
		case e.take != nil:
			e.take(im, d)
		default:
			im.note(d, e.kind, e.says)
		}
	}
	im.unsaid(s.Path, f)
	return nil
}

// unsaid speaks of the settings that the file leaves out and whose defaults are
// not ours.
func (im *importer) unsaid(path string, f Format) {
	for _, n := range defaults {
		if _, given := im.given[strings.ToLower(n.name)]; n.format == f && !given {
			im.note(directive{file: path, name: n.name}, Changed, n.says)
		}
	}
	if f == PolicydSPF {
		im.finishSPF(path)
	}
}

// note says what becomes of a directive.
func (im *importer) note(d directive, kind Kind, text string) {
	im.notes = append(im.notes, Note{d.file, d.line, shown(d.name), kind, text})
}

// origin is where a directive stands, for a comment.
func (d directive) origin() string {
	name := shown(filepath.Base(d.file))
	if d.line == 0 {
		return name + " leaves out " + d.name
	}
	return fmt.Sprintf("%s:%d %s", name, d.line, shown(d.name))
}

// yes reads a boolean of OpenDKIM and OpenDMARC: its first letter counts.
func (d directive) yes() bool {
	return d.value != "" && strings.ContainsRune("TtYy1", rune(d.value[0]))
}
