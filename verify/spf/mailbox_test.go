package spf

import (
	"errors"
	"strings"
	"testing"
)

func TestParseMailbox(t *testing.T) {
	good := func(text, local, host string) {
		t.Helper()
		got, err := parseMailbox(text)
		if err != nil || got.local != local || got.domain.String() != host {
			t.Errorf("%q: got %q at %q, %v, want %q at %q", text, got.local, got.domain, err, local, host)
		}
	}
	bad := func(text string, want error) {
		t.Helper()
		got, err := parseMailbox(text)
		if !errors.Is(err, want) || !got.domain.IsZero() {
			t.Errorf("%q: got %+v, %v, want %v", text, got, err, want)
		}
	}
	good("a@example.org", "a", "example.org")
	good("A.b+c=d!e%f@EXAMPLE.org", "A.b+c=d!e%f", "example.org")
	good("@example.org", "postmaster", "example.org")
	good(`""@example.org`, "postmaster", "example.org")
	good(`"a b"@example.org`, "a b", "example.org")
	good(`"a@legit.com"@example.org`, "a@legit.com", "example.org")
	good(`"a\"\\\@"@example.org`, `a"\@`, "example.org")
	good("j\u00f6rg@example.org", "j\u00f6rg", "example.org")
	good("\"j\u00f6rg\"@example.org", "j\u00f6rg", "example.org")
	good("a@b\u00fccher.example", "a", "xn--bcher-kva.example")
	good("legit.com!user@example.org", "legit.com!user", "example.org")
	good("user%legit.com@example.org", "user%legit.com", "example.org")

	bad("a", ErrMailbox)
	bad(" ", ErrMailbox)
	bad("a b@example.org", ErrMailbox)
	bad(".a@example.org", ErrMailbox)
	bad("a.@example.org", ErrMailbox)
	bad("a..b@example.org", ErrMailbox)
	bad("<a@example.org>", ErrMailbox)
	bad("a@example.org.", ErrMailbox)
	bad("a\x00@example.org", ErrMailbox)
	bad("a\xff@example.org", ErrMailbox)
	bad("(any@legit.com", ErrMailbox)
	bad("any@legit.com'@a.attack.com", ErrNoDomain)
	bad("any@legit.com(.attack.com", ErrNoDomain)
	bad("@legit.com,@any.com:'any@attack.com", ErrNoDomain)
	bad("@attack.com,@any.com:admin@legit.com", ErrNoDomain)
	bad("@a.example:b@example.org", ErrNoDomain)
	bad(`"a@example.org`, ErrMailbox)
	bad(`"a"b@example.org`, ErrMailbox)
	bad(`"a"`, ErrMailbox)
	bad(`a"b"@example.org`, ErrMailbox)
	bad(`"a\`, ErrMailbox)
	bad("\"a\\\r\n\"@example.org", ErrMailbox)
	bad("\"a\r\n\"@example.org", ErrMailbox)
	bad("\"a\x7f\"@example.org", ErrMailbox)
	bad("a@", ErrNoDomain)
	bad("@", ErrNoDomain)
	bad("a@localhost", ErrNoDomain)
	bad("a@[192.0.2.1]", ErrNoDomain)
	bad("a@192.0.2.1", ErrNoDomain)
	bad("a@example..org", ErrNoDomain)
	bad("a@exa mple.org", ErrNoDomain)
	bad("a@example.org\x00.any", ErrNoDomain)

	const host = "@example.org"
	good(strings.Repeat("x", MaxSenderBytes-len(host))+host, strings.Repeat("x", MaxSenderBytes-len(host)), host[1:])
	bad(strings.Repeat("x", MaxSenderBytes-len(host)+1)+host, ErrMailbox)
}
