package spf

import (
	"context"
	"errors"
	"fmt"
	"net"
	"testing"

	library "blitiri.com.ar/go/spf"
)

// scripted is a resolver of the library that says what a test wants, and keeps
// the names it was asked for.
type scripted struct {
	texts map[string]string
	err   error
	asked []string
}

func (s *scripted) LookupTXT(_ context.Context, name string) ([]string, error) {
	if text, ok := s.texts[name]; ok {
		return []string{text}, nil
	}
	s.asked = append(s.asked, "TXT "+name)
	return nil, s.err
}

func (s *scripted) LookupMX(_ context.Context, name string) ([]*net.MX, error) {
	s.asked = append(s.asked, "MX "+name)
	return []*net.MX{{Host: "#9"}}, nil
}

func (s *scripted) LookupIPAddr(_ context.Context, name string) ([]net.IPAddr, error) {
	s.asked = append(s.asked, "IP "+name)
	return []net.IPAddr{{IP: net.IPv6unspecified}}, s.err
}

func (s *scripted) LookupAddr(_ context.Context, name string) ([]string, error) {
	s.asked = append(s.asked, "PTR "+name)
	return nil, s.err
}

func (s *scripted) check() (library.Result, error) {
	return library.CheckHostWithSender(net.IPv4(192, 0, 2, 3), "", "@#0", library.WithResolver(s))
}

// TestLibraryErrors pins how the library reads the errors of its resolver; the
// contract of lookup.Resolver and LookupTXT build on it.
func TestLibraryErrors(t *testing.T) {
	temporary := &net.DNSError{IsTemporary: true}
	check := func(what string, err error, record, term library.Result) {
		t.Helper()
		if got, same := (&scripted{err: err}).check(); got != record || record != library.None && same != err {
			t.Errorf("%s for the record: got %s, %v, want %s and the error itself", what, got, same, record)
		}
		s := &scripted{err: err, texts: map[string]string{"#0": "v=spf1 a:#1 ~all"}}
		if got, _ := s.check(); got != term {
			t.Errorf("%s for a term: got %s, want %s", what, got, term)
		}
	}
	check("bare temporary", temporary, library.TempError, library.TempError)
	check("wrapped temporary", fmt.Errorf("wrapped: %w", temporary), library.PermError, library.TempError)
	check("deadline", context.DeadlineExceeded, library.PermError, library.TempError)
	check("our own", errors.New("own"), library.PermError, library.TempError)
	check("not found", &net.DNSError{IsNotFound: true}, library.None, library.SoftFail)
}

// TestLibraryReferences pins that references reach the resolver as they are,
// and that each term is asked for once, ptr never.
func TestLibraryReferences(t *testing.T) {
	s := &scripted{texts: map[string]string{
		"#0": "v=spf1 include:#1 -a:#2/24//64 ~mx:#3//64 ?exists:#4 redirect=#5",
		"#1": "v=spf1",
	}}
	result, err := s.check()
	want := "[IP #2 MX #3 IP #9 IP #4 TXT #5]"
	if got := fmt.Sprint(s.asked); result != library.PermError || err != library.ErrNoResult || got != want {
		t.Errorf("got %s, %v, asked %s, want permerror, asked %s", result, err, got, want)
	}
}

// TestUnknownReference shows what a library that asks for something else gets.
func TestUnknownReference(t *testing.T) {
	for _, name := range []string{"", "#0", "#-1", "example.org", "#x"} {
		if _, err := new(evaluation).LookupTXT(t.Context(), name); err == nil {
			t.Errorf("%q is taken for a reference", name)
		}
		if _, err := new(evaluation).LookupIPAddr(t.Context(), name); err == nil {
			t.Errorf("%q is taken for a reference", name)
		}
		if _, err := new(evaluation).LookupMX(t.Context(), name); err == nil {
			t.Errorf("%q is taken for a reference", name)
		}
	}
}
