package config

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"slices"
	"unicode/utf8"
)

// MaxFileBytes is the size of the largest file that is read.
const MaxFileBytes = 1 << 20

// Load reads the file at path over the defaults of the host of that name. The
// error is [Problems], or that of the system when the file cannot be read.
func Load(path, hostname string) (Config, error) {
	f, err := os.Open(path)
	if err != nil {
		return Config{}, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, MaxFileBytes+1))
	if err != nil {
		return Config{}, err
	}
	c, err := parse(path, text, hostname, readList)
	if err != nil || c.Shadow.File == "" {
		return c, err
	}
	if c.Next, err = loadShadow(string(c.Shadow.File), hostname); err != nil {
		return Config{}, err
	}
	return c, nil
}

// loadShadow reads the policy to try. It may itself name one: that is for
// when it is in force.
func loadShadow(path, hostname string) (*Config, error) {
	text, err := readList(path)
	if err != nil {
		return nil, fmt.Errorf("policy.shadow.file: %w", err)
	}
	c, err := parse(path, text, hostname, readList)
	return &c, err
}

// Parse reads text over the defaults of the host of that name; file is what
// problems call it. The error is [Problems], and then there is no Config. No
// other file is read: lists in files are refused.
func Parse(file string, text []byte, hostname string) (Config, error) {
	return parse(file, text, hostname, nil)
}

func parse(file string, text []byte, hostname string, open func(path string) ([]byte, error)) (Config, error) {
	cfg := Default(hostname)
	problems := unreadable(text)
	if problems == nil {
		problems = read(file, text, open, &cfg)
	}
	if len(problems) == 0 {
		return cfg, nil
	}
	return Config{}, problems.of(file)
}

// of completes the problems of a file and puts them in order.
func (ps Problems) of(file string) Problems {
	for i := range ps {
		if ps[i].File == "" {
			ps[i].File, ps[i].at = file, ps[i].Line
		}
	}
	slices.SortStableFunc(ps, func(a, b Problem) int { return a.at - b.at })
	return ps
}

// unreadable says why text cannot be TOML at all.
func unreadable(text []byte) Problems {
	switch {
	case len(text) > MaxFileBytes:
		return Problems{{Text: "larger than 1 MiB", Hint: "is this the configuration file?"}}
	case bytes.HasPrefix(text, []byte("\xef\xbb\xbf")):
		return Problems{{Line: 1, Text: "begins with a byte order mark", Hint: "save it as UTF-8 without one"}}
	case !utf8.Valid(text):
		return Problems{{Line: invalidLine(text), Text: "not valid UTF-8", Hint: "save the file as UTF-8"}}
	}
	return nil
}

// invalidLine is the line of the first byte that is not UTF-8.
func invalidLine(text []byte) int {
	line := 1
	for rest := text; len(rest) > 0; {
		r, size := utf8.DecodeRune(rest)
		if r == utf8.RuneError && size == 1 {
			break
		}
		if r == '\n' {
			line++
		}
		rest = rest[size:]
	}
	return line
}
