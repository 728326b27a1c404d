package message

import (
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"
)

func TestRead(t *testing.T) {
	check := func(text, wantHeader, wantBody string) {
		t.Helper()
		for name, r := range map[string]io.Reader{"whole": strings.NewReader(text), "bytewise": iotest.OneByteReader(strings.NewReader(text))} {
			header, body, err := Read(r)
			if err != nil {
				t.Errorf("%q: %v", text, err)
				continue
			}
			got := ""
			for _, f := range header {
				got += fmt.Sprintf("[%s|%s]", f.Name, f.Value)
			}
			rest, err := io.ReadAll(body)
			if got != wantHeader || string(rest) != wantBody || err != nil {
				t.Errorf("%s: %q:\n got %q and %q, %v\nwant %q and %q", name, text, got, rest, err, wantHeader, wantBody)
			}
		}
	}
	check("A: b\r\nC:d\r\n\te\r\n\r\nbody\r\n", "[A| b][C|d\r\n\te]", "body\r\n")
	check("A: b\nC:d\n e\n\nbody\nmore\r\n\n", "[A| b][C|d\r\n e]", "body\r\nmore\r\n\r\n")
	check("A: b\r\n\r\nbare\nLF\r\n", "[A| b]", "bare\nLF\r\n")
	check("A: b\n c\n\td\nE: f\n g\nno field\n", "[A| b\r\n c\r\n\td][E| f\r\n g]", "no field\r\n")
	check("A: b\n c", "[A| b\r\n c]", "")
	check("A: b\r\n", "[A| b]", "")
	check("A: b", "[A| b]", "")
	check("", "", "")
	check("\r\nbody", "", "body")
	check("\nbody\n", "", "body\r\n")
	check("A: b\r\nno field\r\n\r\nx", "[A| b]", "no field\r\n\r\nx")
	check("From a@b Tue\nA: b\n\nFrom x\n", "[A| b]", "From x\r\n")
	check("A : b\r\n\r\n", "[A | b]", "")
	check(" leading: x\r\n\r\n", "", " leading: x\r\n\r\n")
}

func TestReadLimit(t *testing.T) {
	text := func(n int) io.Reader {
		return strings.NewReader("A:" + strings.Repeat("x", n-6) + "\r\n\r\n")
	}
	if h, _, err := Read(text(MaxHeaderBytes)); err != nil || len(h) != 1 {
		t.Errorf("%d octets: %v", MaxHeaderBytes, err)
	}
	if _, _, err := Read(text(MaxHeaderBytes + 1)); !errors.Is(err, ErrHeaderSize) {
		t.Errorf("%d octets: %v", MaxHeaderBytes+1, err)
	}
}

// TestReadFolded: a field of very many lines costs a few times its size, not the
// square of it.
func TestReadFolded(t *testing.T) {
	text := "A: b\n" + strings.Repeat(" \n", 32<<10) + "\n"
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	if h, _, err := Read(strings.NewReader(text)); err != nil || len(h) != 1 {
		t.Fatalf("%d fields, %v", len(h), err)
	}
	runtime.ReadMemStats(&after)
	if took := after.TotalAlloc - before.TotalAlloc; took > 16<<20 {
		t.Errorf("%d bytes for a header of %d", took, len(text))
	}
}
