package config

import (
	"bytes"
	"io"
	"os"
	"unicode/utf8"
)

// MaxFileBytes is the size of the largest file that is read.
const MaxFileBytes = 1 << 20

// opener returns the text of a file that a configuration names.
type opener func(path string) ([]byte, error)

// Load reads the file at path, the lists that it names and the policy that it
// is to try, over the defaults of the host of that name. The error is
// [Problems], or that of the system when the file itself cannot be read.
func Load(path, hostname string) (Config, error) {
	text, err := readFile(path)
	if err != nil {
		return Config{}, err
	}
	return whole(parse(path, text, hostname, readNamed, readNamed))
}

// Parse reads text over the defaults of the host of that name; file is what
// problems call it. The error is [Problems], and then there is no Config. No
// other file is read: lists in files are refused.
func Parse(file string, text []byte, hostname string) (Config, error) {
	return whole(parse(file, text, hostname, nil, nil))
}

// whole is a configuration without problems, or these.
func whole(cfg Config, problems Problems) (Config, error) {
	if len(problems) > 0 {
		return Config{}, problems
	}
	return cfg, nil
}

// parse is Parse with what opens list files and the policy to try; nil opens
// none.
func parse(file string, text []byte, hostname string, lists, shadow opener) (Config, Problems) {
	if problems := unreadable(file, text); problems != nil {
		return Config{}, problems
	}
	cfg := Default(hostname)
	r := newReader(file, text, &cfg)
	r.lists, r.shadow, r.cfg, r.reference = lists, shadow, &cfg, "assay config describe lists every setting"
	problems := r.read(func() { r.checkRelations(&cfg) })
	if r.next != nil {
		// The policy to try may itself name one: that is for when it is in force.
		next, more := parse(string(cfg.Shadow.File), r.next, hostname, lists, nil)
		cfg.Next, problems = &next, append(problems, more...)
	}
	return cfg, problems
}

// readShadow reads the text of the policy to try.
func (r *reader) readShadow(path string) error {
	if r.shadow == nil || path == "" {
		return nil
	}
	text, err := r.shadow(path)
	if err != nil {
		return cannotRead(path, err)
	}
	r.next = text
	return nil
}

// readFile returns the text of a configuration.
func readFile(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, MaxFileBytes+1))
}

// unreadable says why text cannot be TOML at all.
func unreadable(file string, text []byte) Problems {
	switch {
	case len(text) > MaxFileBytes:
		return Problems{{File: file, Text: "larger than 1 MiB", Hint: "is this the configuration file?"}}
	case bytes.HasPrefix(text, []byte(byteOrderMark)):
		return Problems{{File: file, Line: 1, Column: 1, Text: "begins with a byte order mark", Hint: "save it as UTF-8 without one"}}
	case !utf8.Valid(text):
		line, column := invalid(text)
		return Problems{{File: file, Line: line, Column: column, Text: "not valid UTF-8", Hint: "save the file as UTF-8"}}
	}
	return nil
}

// byteOrderMark begins the files of some editors.
const byteOrderMark = "\ufeff"

// invalid returns where the first byte is that is not UTF-8.
func invalid(text []byte) (line, column int) {
	line, column = 1, 1
	for rest := text; len(rest) > 0; {
		r, size := utf8.DecodeRune(rest)
		if r == utf8.RuneError && size == 1 {
			break
		}
		column++
		if r == '\n' {
			line, column = line+1, 1
		}
		rest = rest[size:]
	}
	return line, column
}
