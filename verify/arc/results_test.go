package arc

import (
	"fmt"
	"strings"
	"testing"
)

// TestResults: what is read from a payload, as "method=value type.name=value".
func TestResults(t *testing.T) {
	test := func(payload, want string, unread int) {
		t.Helper()
		s := Set{Instance: 1}
		s.readResults(payload)
		got := s.Results.AuthservID
		for _, r := range s.Results.Results {
			got += "; " + r.Method + "=" + r.Value
			for _, p := range r.Props {
				got += fmt.Sprintf(" %s.%s=%s", p.Type, p.Name, p.Value)
			}
		}
		if s.ResultsErr != nil {
			got = "error"
		}
		if got != want || s.Unread != unread {
			t.Errorf("%q:\n got %s, %d unread (%v)\nwant %s, %d unread", payload, got, s.Unread, s.ResultsErr, want, unread)
		}
	}
	// As RFC 8601 has it.
	test(" mx.example; none", "mx.example", 0)
	test(" mx.example 1; spf=pass smtp.mailfrom=a@b.example;\r\n dmarc=pass (p=none; \\)) header.from=b.example", "mx.example; spf=pass smtp.mailfrom=a@b.example; dmarc=pass header.from=b.example", 0)

	// Dialects.
	test("mx; dmarc=pass action=none header.from=b.example;compauth=pass reason=100", "mx; dmarc=pass policy.action=none header.from=b.example; compauth=pass", 0)
	test("mx; dmarc=fail action=pct.quarantine header.from=b.example", "mx; dmarc=fail policy.action=pct.quarantine header.from=b.example", 0)
	test("mx; dkim=pass header.i=@b.example header.s=s header.b=ab/+c=;\r\n\tspf=pass smtp.mailfrom=b.example;", "mx; dkim=pass header.i=@b.example header.s=s header.b=ab/+c=; spf=pass smtp.mailfrom=b.example", 0)
	test("mx; spf=pass (sender IP is 192.0.2.1) smtp.mailfrom=<>; dmarc=pass header.from=b.example", "mx; dmarc=pass header.from=b.example", 1)
	test("mx;;dmarc=pass header.from=b.example", "mx; dmarc=pass header.from=b.example", 0)

	// Nothing can be told.
	test("", "error", 0)
	test("; dmarc=pass", "error", 0)
	test("a b c; dmarc=pass", "error", 0)
	test("mx 2; dmarc=pass", "error", 0)
	test("mx; dmarc=pass (header.from=b.example", "error", 0)
	test("mx; dmarc=pass header.from=b.example; x=\"", "error", 0)
	test("mx; dmarc=pass) header.from=b.example", "error", 0)
	test(`mx; spf=pass smtp.mailfrom=a\;dmarc=pass header.from=b.example`, "error", 0)

	// What stands in comments and quotes is no result.
	test(`mx; x; spf=pass smtp.mailfrom="; dmarc=pass header.from=b.example; "@c.example`, `mx; spf=pass smtp.mailfrom="; dmarc=pass header.from=b.example; "@c.example`, 1)
	test("mx; x; spf=none (; dmarc=pass header.from=b.example ;)", "mx; spf=none", 1)

	// A result is read whole or not at all.
	test("mx; dkim=pass header.d=good.example .evil.example", "mx", 1)
	test("mx; dkim=pass header.d=good.example(x).evil.example", "mx", 1)
	test("mx; dkim=pass header.d=good.example action=none.evil.example", "mx", 1)
	test("mx; dkim=pass header.d=good.example header.b=a/b.evil.example", "mx", 1)
	test("mx; dkim=pass header.d= action=none good.example", "mx", 1)
	test("mx; dkim=pass header.d= header.b=a/b good.example", "mx", 1)
	test("mx; dkim=pass header.d=good.example\u00a0.evil.example action=none", "mx; dkim=pass header.d=good.example\u00a0.evil.example policy.action=none", 0)
	test("mx; dkim=pass header.d=good.example\u00a0header.i=@evil.example", "mx; dkim=pass header.d=good.example\u00a0header.i=@evil.example", 0) // an address
	test("mx; dkim=pass header.d=good.example\x00.evil.example", "mx", 1)
	test(`mx; dkim=pass header.d="good.example action=none "`, "mx; dkim=pass header.d=good.example action=none ", 0)
}

// TestMaxResults: what is read in dialect is bounded.
func TestMaxResults(t *testing.T) {
	for n, want := range map[int]bool{maxResults: true, maxResults + 1: false} {
		s := Set{}
		s.readResults("mx; dmarc=pass action=none" + strings.Repeat("; x", n-1))
		if ok := s.ResultsErr == nil; ok != want || ok && s.Unread != n-1 || !ok && s.Results.Results != nil {
			t.Errorf("%d results: got %+v, want them read: %v", n, s, want)
		}
	}
}
