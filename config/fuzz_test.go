package config

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"unicode"
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
	last, count := 0, strings.Count(string(text), "\n")+1
	for _, p := range problems {
		if p.Line < last || p.Line > count {
			t.Errorf("line %d after %d in a file of %d: %v", p.Line, last, count, p)
		}
		last = p.Line
		if strings.ContainsFunc(p.Error()+p.Hint, unicode.IsControl) {
			t.Errorf("control character in %q, hint %q", p.Error(), p.Hint)
		}
	}
}
