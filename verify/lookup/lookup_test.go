package lookup

import (
	"errors"
	"fmt"
	"net"
	"sync"
	"testing"
)

func TestErrors(t *testing.T) {
	check := func(err error, absent, temporary bool) {
		t.Helper()
		if Absent(err) != absent || Temporary(err) != temporary {
			t.Errorf("%v: absent %v, temporary %v; want %v, %v", err, Absent(err), Temporary(err), absent, temporary)
		}
	}
	check(nil, false, false)
	check(&net.DNSError{IsNotFound: true}, true, false)
	check(fmt.Errorf("x: %w", &net.DNSError{IsNotFound: true}), true, false)
	check(&net.DNSError{IsTemporary: true}, false, true)
	check(&net.DNSError{IsTimeout: true}, false, true)
	check(errors.New("anything else"), false, true)
	check(Exhausted("example.com"), false, false)
	if !IsExhausted(fmt.Errorf("x: %w", Exhausted("example.com"))) || IsExhausted(&net.DNSError{Err: "x"}) || IsExhausted(nil) {
		t.Error("IsExhausted")
	}
}

func TestDerive(t *testing.T) {
	answer := &TXT{Records: []string{"a", "b"}}
	calls := 0
	count := func(records []string) int { calls++; return len(records) }
	for range 3 {
		if n := Derive(answer, count); n != 2 {
			t.Errorf("got %d", n)
		}
	}
	if calls != 1 {
		t.Errorf("parsed %d times", calls)
	}
	// A second type does not disturb the first.
	if s := Derive(answer, func(records []string) string { return records[0] }); s != "a" {
		t.Errorf("got %q", s)
	}
	if Derive(answer, count); calls != 1 {
		t.Errorf("parsed %d times", calls)
	}
}

func TestDeriveConcurrently(t *testing.T) {
	answer := &TXT{Records: []string{"a"}}
	var group sync.WaitGroup
	for range 50 {
		group.Go(func() {
			if n := Derive(answer, func(r []string) int { return len(r) }); n != 1 {
				t.Errorf("got %d", n)
			}
		})
	}
	group.Wait()
}
