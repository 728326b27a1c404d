package config

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

// FuzzParse checks that no file makes Parse panic, that what is accepted reads
// back the same from its own Show, and that every problem is one printable
// line about a line of the file.
func FuzzParse(f *testing.F) {
	f.Add([]byte(Describe()))
	f.Add([]byte(commented.ReplaceAllString(Describe(), "$1")))
	for _, pattern := range []string{"testdata/good/*.toml", "testdata/bad/*.toml"} {
		files, err := filepath.Glob(pattern)
		if err != nil || len(files) == 0 {
			f.Fatalf("%s: %d files, %v", pattern, len(files), err)
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(text)
		}
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		cfg, err := Parse("f", text, host)
		if err != nil {
			checkProblems(t, text, err)
			return
		}
		shown := lines(cfg.Show())
		again, err := Parse("f", []byte(shown), host)
		if err != nil {
			t.Fatalf("Show of an accepted file is refused:\n%s\n%v", shown, err)
		}
		cfg.IDStated = true // as everything is by now
		if !reflect.DeepEqual(again, cfg) {
			t.Errorf("Show reads back differently:\n%s\ngot  %+v\nwant %+v", shown, again, cfg)
		}
	})
}

func checkProblems(t *testing.T, text []byte, err error) {
	var problems Problems
	if !errors.As(err, &problems) || len(problems) == 0 {
		t.Fatalf("got error %v, want Problems", err)
	}
	last, lines := Problem{}, strings.Split(string(text), "\n")
	for _, p := range problems {
		if p.Line < last.Line || p.Line == last.Line && p.Column < last.Column {
			t.Errorf("%v comes after %v", p, last)
		}
		last = p
		if !stands(p, lines) {
			t.Errorf("there is no such place in the file: %v", p)
		}
		if strings.ContainsFunc(p.Error()+p.Hint, unicode.IsControl) {
			t.Errorf("control character in %q, hint %q", p.Error(), p.Hint)
		}
	}
}

// stands reports whether the problem is about the file as a whole, or a place
// in one of its lines, or their end.
func stands(p Problem, lines []string) bool {
	if p.Line == 0 || p.Column == 0 {
		return p.Line == p.Column
	}
	return p.Line <= len(lines) && p.Column <= utf8.RuneCountInString(lines[p.Line-1])+1
}

// FuzzListFile checks that no list file makes reading panic, and that every
// problem is one printable line about a place in it.
func FuzzListFile(f *testing.F) {
	f.Add([]byte("192.0.2.0/24\n 192.0.2.128/25 # part of it\r\n\n"), []byte(".example.com\nbücher.example\n"), []byte("user@example.org\nexample.com"))
	f.Add([]byte("\ufeff::/0\n"), []byte("\xff\n\x00\n*.example.com\n"), []byte("a#b@c.example #\n@\n"))
	f.Fuzz(func(t *testing.T, networks, names, people []byte) {
		files := map[string][]byte{"networks": networks, "names": names, "people": people}
		open := func(path string) ([]byte, error) { return files[path], nil }
		const text = "exempt.networks = \"file:networks\"\n[[rule]]\nauthor_domain = \"file:names\"\nrecipient = \"file:people\"\naction = \"tag\"\nreason = \"x\"\n"
		cfg, problems := parse("f", []byte(text), host, open, nil)
		for _, p := range problems {
			if !stands(p, strings.Split(string(files[p.File]), "\n")) && p.File != "f" {
				t.Errorf("there is no such place in the file: %v", p)
			}
			if strings.ContainsFunc(p.Error()+p.Hint, unicode.IsControl) {
				t.Errorf("control character in %q, hint %q", p.Error(), p.Hint)
			}
		}
		if again, more := parse("f", []byte(lines(cfg.Show())), host, open, nil); len(problems)+len(more) == 0 && !reflect.DeepEqual(again, cfg) {
			t.Errorf("Show reads back differently: got %+v, want %+v", again, cfg)
		}
	})
}
