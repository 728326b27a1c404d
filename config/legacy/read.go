package legacy

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"
	"unicode/utf8"
)

// Format is one of the three kinds of file.
type Format string

// The formats, by the name of the program.
const (
	OpenDKIM   Format = "OpenDKIM"
	OpenDMARC  Format = "OpenDMARC"
	PolicydSPF Format = "policyd-spf"
)

// Limits of what is read.
const (
	MaxFileBytes = 1 << 20   // of a configuration, or of a list that it names
	MaxIncludes  = 5         // how deep configurations may include others, as in OpenDKIM
	MaxFiles     = 100       // configurations and lists together
	MaxSettings  = 10_000    // of all files together
	MaxItems     = 10_000    // of all lists together
	MaxItemBytes = 512 << 10 // the same in bytes, so that the result is a file that assay reads
)

// Reasons why nothing is imported.
var (
	ErrFormat = errors.New("neither OpenDKIM's, OpenDMARC's nor policyd-spf's configuration")
	ErrTwice  = errors.New("a second file of this format")
	ErrSize   = fmt.Errorf("longer than %d MiB", MaxFileBytes>>20)
	ErrMany   = errors.New("too many files")

	ErrSettings = fmt.Errorf("more than %d settings", MaxSettings)
)

// Source is one configuration file.
type Source struct {
	Path string
	Text []byte
}

// directive is one setting in a file.
type directive struct {
	file  string // where it stands
	line  int
	name  string // as written
	value string // without the blanks around it
}

// lines returns the directives of a text, in order. Those with an "=" are
// policyd-spf's, those without the other two's.
func lines(path string, text []byte, format Format) []directive {
	var all []directive
	number := 0
	for raw := range bytes.Lines(text) {
		number++
		line, _, _ := strings.Cut(strings.ToValidUTF8(string(raw), "?"), "#")
		line = strings.TrimSpace(line)
		if line == "" {
			continue
		}
		name, value := line, ""
		if format == PolicydSPF {
			name, value, _ = strings.Cut(line, "=")
		} else if at := strings.IndexAny(line, " \t"); at > 0 {
			name, value = line[:at], line[at:]
		}
		all = append(all, directive{path, number, strings.TrimSpace(name), strings.TrimSpace(value)})
	}
	return all
}

// formatOf tells the format of a file by its name or, where that does not
// tell, by which settings it knows.
func formatOf(s Source) (Format, error) {
	name := strings.ToLower(filepath.Base(s.Path))
	switch {
	case strings.Contains(name, "opendkim"):
		return OpenDKIM, nil
	case strings.Contains(name, "opendmarc"):
		return OpenDMARC, nil
	case strings.Contains(name, "spf"):
		return PolicydSPF, nil
	}
	best, most := Format(""), 0
	for _, format := range []Format{OpenDKIM, OpenDMARC, PolicydSPF} {
		count := 0
		for _, d := range lines(s.Path, s.Text, format) {
			// Many settings of one are the other's too; these tell nothing.
			if _, known := tableOf(format)[strings.ToLower(d.name)]; known && !shared(d.name, format) {
				count++
			}
		}
		if count > most {
			best, most = format, count
		}
	}
	if best == "" {
		return "", fmt.Errorf("%s: %w", s.Path, ErrFormat)
	}
	return best, nil
}

func shared(name string, format Format) bool {
	for _, other := range []Format{OpenDKIM, OpenDMARC, PolicydSPF} {
		if _, known := tableOf(other)[strings.ToLower(name)]; known && other != format {
			return true
		}
	}
	return false
}

// read returns the directives of a file and of those it includes, each once.
func (im *importer) read(s Source, format Format, depth int) ([]directive, error) {
	if len(s.Text) > MaxFileBytes {
		return nil, fmt.Errorf("%s: %w", s.Path, ErrSize)
	}
	found := lines(s.Path, s.Text, format)
	if im.settings += len(found); im.settings > MaxSettings {
		return nil, fmt.Errorf("%s: %w", s.Path, ErrSettings)
	}
	var all []directive
	for _, d := range found {
		if format != OpenDKIM || !strings.EqualFold(d.name, "Include") {
			all = append(all, d)
			continue
		}
		if depth == MaxIncludes {
			im.note(d, Missing, fmt.Sprintf("more than %d files deep, not read", MaxIncludes))
			continue
		}
		if im.included[d.value] {
			im.note(d, Missing, "read before, not read again")
			continue
		}
		im.included[d.value] = true
		text, err := im.open(d.value)
		if err != nil {
			im.note(d, Missing, unread(err))
			continue
		}
		included, err := im.read(Source{d.value, text}, format, depth+1)
		if err != nil {
			im.note(d, Missing, unread(err))
			continue
		}
		im.note(d, Equivalent, "read as part of this file")
		all = append(all, included...)
	}
	return all, nil
}

// open reads a file that a configuration names.
func (im *importer) open(path string) ([]byte, error) {
	if im.files++; im.files > MaxFiles {
		return nil, ErrMany
	}
	if im.base != "" && !filepath.IsAbs(path) {
		path = filepath.Join(im.base, path)
	}
	text, err := im.openFile(path)
	if err == nil && len(text) > MaxFileBytes {
		err = ErrSize
	}
	return text, err
}

// unread says why a file was not read, without its name.
func unread(err error) string {
	var system *fs.PathError
	if errors.As(err, &system) {
		err = system.Err
	}
	return "not read: " + shown(err.Error())
}

// maxShown is how much of a foreign text is repeated, in bytes.
const maxShown = 60

// shown is text of a file made fit for a comment or message of one line.
func shown(text string) string {
	if len(text) > maxShown {
		cut := maxShown
		for cut > 0 && !utf8.RuneStart(text[cut]) {
			cut--
		}
		text = text[:cut] + "…"
	}
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r >= 0x80 && r < 0xa0 || r == utf8.RuneError || r == '\u2028' || r == '\u2029' {
			return '?'
		}
		return r
	}, text)
}
