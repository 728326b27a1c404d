package config

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"unicode"
	"unicode/utf8"

	"github.com/pelletier/go-toml/v2/unstable"
)

// filePrefix begins an item of a list that stands for all lines of a file.
const filePrefix = "file:"

// MaxListBytes is the size of all list files of a configuration together, each
// counted as often as it is named.
const MaxListBytes = 32 << 20

// maxListLine is the longest line of a list file, in bytes.
const maxListLine = 1000

var errNotRegular = errors.New("not a regular file")

// readNamed returns the text of a file that a configuration names, and a byte
// more than MaxListBytes at most.
func readNamed(path string) ([]byte, error) {
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
	return io.ReadAll(io.LimitReader(f, MaxListBytes+1))
}

// cannotRead is the fault of a file that a configuration names.
func cannotRead(path string, err error) error {
	var system *os.PathError
	if !errors.As(err, &system) {
		return faultf("%q: %v", path, err)
	}
	// The error of the system has named the path already.
	return faultf("%q: %v", path, system.Err).hinted("is it there, and readable for the user that assay runs as?")
}

// absolute is a path as it is meant in the configuration.
func (r *reader) absolute(path string) string {
	if path == "" || filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(filepath.Dir(r.file), path)
}

// listFile returns the items in a list file, one a line. The item that names it
// is at that place.
func (r *reader) listFile(s setting, path string, named place) ([]item, bool) {
	text, err := r.openList(path)
	if err != nil {
		r.report(named, s.key, err)
		return nil, false
	}
	path = r.absolute(path)
	items := make([]item, 0, bytes.Count(text, []byte{'\n'})+1)
	line := 0
	for raw := range bytes.Lines(text) {
		line++
		bare := uncommented(raw)
		before := raw[:len(raw)-len(bytes.TrimLeftFunc(raw, unicode.IsSpace))]
		switch at := (position{named, path, line, utf8.RuneCount(before) + 1}); {
		case line == 1 && bytes.HasPrefix(raw, []byte(byteOrderMark)):
			r.reportAt(at, s.key, faultf("begins with a byte order mark").hinted("save it as UTF-8 without one"))
			return nil, false
		case len(bare) > maxListLine:
			r.reportAt(at, s.key, faultf("longer than %d bytes", maxListLine))
			return nil, false
		case len(bare) > 0:
			items = append(items, item{&unstable.Node{Kind: unstable.String, Data: bare}, at})
		}
	}
	return items, true
}

// openList returns the text of a list file that is named so.
func (r *reader) openList(path string) ([]byte, error) {
	full := r.absolute(path)
	switch _, err := parsePath(full); {
	case err != nil:
		return nil, err
	case path == "":
		return nil, faultf("%s names no file", quoted(filePrefix))
	case r.lists == nil:
		return nil, faultf("%s cannot be read here", quoted(filePrefix+full)).hinted("lists are read with the file that names them")
	}
	text, err := r.lists(full)
	if err != nil {
		return nil, cannotRead(full, err)
	}
	if r.listBytes += len(text); r.listBytes > MaxListBytes {
		return nil, faultf("the list files are larger than %d MiB together", MaxListBytes>>20)
	}
	return text, nil
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
