package dkim_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"assay/verify/authres"
	"assay/verify/dkim"
	"assay/verify/domain"
)

// TestAuthRes: the result as it is written (RFC 8601 §2.7.1).
func TestAuthRes(t *testing.T) {
	example := domain.MustParse("example.com")
	check := func(want string, signatures ...dkim.Signature) {
		t.Helper()
		field := authres.Field{AuthservID: "mx.example.org", Results: dkim.AuthRes(signatures)}
		got := strings.Join(strings.Fields(field.Value()), " ")
		if got != "mx.example.org; "+want {
			t.Errorf("got  %s\nwant mx.example.org; %s", got, want)
		}
	}
	check("dkim=none")
	check("dkim=pass (2048-bit key) header.d=example.com header.i=@example.com header.s=s1 header.a=rsa-sha256 header.b=abcdefgh",
		dkim.Signature{Result: dkim.Pass, SDID: example, AUID: "@example.com", Selector: domain.MustParse("s1"), Algorithm: "rsa-sha256", KeyBits: 2048, B: "abcdefgh"})
	check("dkim=permerror (malformed signature)", dkim.Signature{Result: dkim.PermError, Err: dkim.ErrSyntax})
	check("dkim=fail (body hash differs, 1024-bit key) header.d=example.com", dkim.Signature{Result: dkim.Fail, SDID: example, KeyBits: 1024, Err: dkim.ErrBodyHash})
	check("dkim=temperror (key unavailable) header.d=example.com",
		dkim.Signature{Result: dkim.TempError, SDID: example, Err: fmt.Errorf("%w: %w", dkim.ErrLookup, errors.New("lookup by 192.0.2.53"))})

	// A pass comes first, and the surplus is one result.
	surplus := dkim.Signature{Result: dkim.Neutral, SDID: example, Err: dkim.ErrTooMany}
	pass := dkim.Signature{Result: dkim.Pass, SDID: example}
	check("dkim=pass header.d=example.com; dkim=neutral (too many signatures: 3 not evaluated)", surplus, surplus, pass, surplus)
	broken := dkim.Signature{Result: dkim.PermError, Err: dkim.ErrVersion}
	results := dkim.AuthRes(append(slices.Repeat([]dkim.Signature{broken}, 1000), pass))
	if n := len(results); n != 2*dkim.MaxSignatures+1 {
		t.Errorf("%d results for 1,001 signatures, want %d", n, 2*dkim.MaxSignatures+1)
	}
	if results[0].Value != "pass" {
		t.Errorf("the pass is not first: %+v", results[0])
	}
}
