package dmarc

import (
	"testing"

	"assay/verify/domain"
)

// TestStricter: RFC 9989 §11.5: of several authors the strictest counts.
func TestStricter(t *testing.T) {
	ranked := []Evaluation{
		{Result: Fail, Requested: PolicyReject},
		{Result: Fail, Requested: PolicyQuarantine},
		{Result: PermError},
		{Result: TempError},
		{Result: Fail, Requested: PolicyNone},
		{Result: None},
		{Result: Pass, Requested: PolicyReject},
	}
	for i, a := range ranked {
		for j, b := range ranked {
			if got := a.Stricter(b); got != (i < j) {
				t.Errorf("%s %s stricter than %s %s: %v", a.Result, a.Requested, b.Result, b.Requested, got)
			}
		}
	}
}

// TestDisagreement: where RFC 7489 would have found another organizational
// domain (RFC 9989 §C.3).
func TestDisagreement(t *testing.T) {
	check := func(author, org, want string) {
		t.Helper()
		e := Evaluation{AuthorDomain: domain.MustParse(author)}
		if org != "" {
			e.OrgDomain = domain.MustParse(org)
		}
		if got := e.Disagreement().String(); got != want {
			t.Errorf("%s, %s: got %q, want %q", author, org, got, want)
		}
	}
	check("a.example.com", "example.com", "")
	check("a.b.example.com", "b.example.com", "example.com")
	check("tenant.github.io", "github.io", "tenant.github.io")
	check("a.example.com", "", "")
	check("co.uk", "co.uk", "") // a public suffix has no organizational domain
}
