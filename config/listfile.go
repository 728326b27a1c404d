package config

import (
	"bytes"
	"errors"
	"io"
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"

	"github.com/pelletier/go-toml/v2/unstable"
)

// filePrefix begins an item of a list that stands for all lines of a file.
const filePrefix = "file:"

// MaxListBytes is the size of the largest list file that is read.
const MaxListBytes = 32 << 20

// maxListLine is the longest line of a list file, in bytes.
const maxListLine = 1000

var errNotRegular = errors.New("not a regular file")

// readList returns the text of a list file.
func readList(path string) ([]byte, error) {
	// A pipe would hang, and a device has no end.
	if info, err := os.Stat(path); err != nil {
		return nil, err
	} else if !info.Mode().IsRegular() {
		return nil, errNotRegular
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, MaxListBytes+1))
	if err == nil && len(text) > MaxListBytes {
		return nil, faultf("larger than %d MiB", MaxListBytes>>20)
	}
	return text, err
}

// position is where an item stands.
type position struct {
	line   int    // in the configuration
	file   string // the list file it comes from; "" for none
	inFile int    // line there
}

// reportAt adds a problem of an item.
func (r *reader) reportAt(at position, key string, err error) {
	if r.full() {
		return
	}
	p := Problem{Line: at.line, Key: key, Text: err.Error(), Hint: hintOf(err), at: at.line}
	if at.file != "" {
		p.File, p.Line = at.file, at.inFile
	}
	r.problems = append(r.problems, p)
}

// absolute is a path as it is meant in the configuration.
func (r *reader) absolute(path string) string {
	if path == "" || filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(filepath.Dir(r.file), path)
}

// listFile returns the items in a list file, one a line.
func (r *reader) listFile(s setting, path string, line int) ([]item, bool) {
	path = r.absolute(path)
	if r.open == nil {
		r.report(line, s.key, faultf("%s cannot be read here", quoted(filePrefix+path)).hinted("lists are read with the file that names them"))
		return nil, false
	}
	text, err := r.open(path)
	if err != nil {
		var system *os.PathError
		if errors.As(err, &system) {
			err = system.Err // the path is named already
		}
		r.report(line, s.key, faultf("%s: %v", quoted(path), err).hinted("is it there, and readable for the user that assay runs as?"))
		return nil, false
	}
	items := make([]item, 0, bytes.Count(text, []byte{'\n'})+1)
	number := 0
	for raw := range bytes.Lines(text) {
		number++
		bare := uncommented(raw)
		switch at := (position{line, path, number}); {
		case len(bare) > maxListLine:
			r.reportAt(at, s.key, faultf("longer than %d bytes", maxListLine))
			return nil, false
		case len(bare) > 0:
			items = append(items, item{&unstable.Node{Kind: unstable.String, Data: bare}, at})
		}
	}
	return items, true
}

// uncommented is a line without its comment: "#" at its start or after a blank,
// and all that follows. A mailbox may have one inside.
func uncommented(line []byte) []byte {
	for i, c := range line {
		if c == '#' && (i == 0 || line[i-1] == ' ' || line[i-1] == '\t') {
			line = line[:i]
			break
		}
	}
	return bytes.TrimSpace(line)
}

// item is an item of a list and where it stands.
type item struct {
	node *unstable.Node
	at   position
}

// expand replaces the items that name files by what is in these.
func (r *reader) expand(s setting, nodes []*unstable.Node, line int) (items []item, fromFile, ok bool) {
	ok = true
	for _, n := range nodes {
		at := r.lineOf(n, line)
		path, named := strings.CutPrefix(string(n.Data), filePrefix)
		if n.Kind != unstable.String || !named {
			items = append(items, item{n, position{line: at}})
			continue
		}
		lines, read := r.listFile(s, path, at)
		items = append(items, lines...)
		fromFile, ok = true, ok && read
	}
	return items, fromFile, ok
}

// checkOverlap reports networks of which one is part of another: one of the
// two was meant otherwise.
func (r *reader) checkOverlap(s setting, list reflect.Value, items []item) (ok bool) {
	networks, isNetworks := list.Interface().([]netip.Prefix)
	if !isNetworks {
		return true
	}
	order := make([]int, len(networks))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int {
		if c := networks[a].Addr().Compare(networks[b].Addr()); c != 0 {
			return c
		}
		return networks[a].Bits() - networks[b].Bits()
	})
	ok = true
	outer := 0
	for at, i := range order {
		switch p := networks[i]; {
		case at == 0 || !networks[outer].Overlaps(p):
			outer = i
		default:
			ok = false
			text := faultf("%s is part of %s", p, networks[outer])
			if p == networks[outer] {
				text = faultf("%s is stated twice", p)
			}
			r.reportAt(items[i].at, s.key, text)
		}
	}
	return ok
}
