package dmarc

import (
	"strings"
	"testing"

	"assay/verify/domain"
)

// RFC 9989 §4.10.2, on any list of records; a walk gives only some of them.
func TestSelectOrganization(t *testing.T) {
	// found is names with their psd value, the longest first: "a.example:n".
	organization := func(start, found, want string, guarded bool) {
		t.Helper()
		var steps []Step
		for _, f := range strings.Fields(found) {
			name, psd, _ := strings.Cut(f, ":")
			steps = append(steps, Step{Name: domain.MustParse(name), Found: FoundRecord, Record: &Record{PSD: PSD(psd)}})
		}
		got := selectOrganization(domain.MustParse(start), steps)
		if got.name != domain.MustParse(want) || got.guarded != guarded {
			t.Errorf("%s, found %q: got %s, guarded %t; want %s, %t", start, found, got.name, got.guarded, want, guarded)
		}
	}
	organization("a.b.example", "", "a.b.example", false)
	organization("a.b.example", "a.b.example:u", "a.b.example", false)
	organization("a.b.example", "b.example:u", "b.example", false)
	organization("a.b.example", "a.b.example:u b.example:u", "b.example", false)
	organization("a.b.example", "a.b.example:n b.example:u", "a.b.example", false)
	organization("c.a.b.example", "a.b.example:n b.example:u", "a.b.example", false)
	organization("c.a.b.example", "a.b.example:u b.example:y", "a.b.example", false)
	organization("c.a.b.example", "b.example:y", "a.b.example", false)
	organization("c.a.b.example", "c.a.b.example:y b.example:u", "b.example", false)
	organization("b.example", "b.example:y", "b.example", false)
	organization("a.b.example", "example:y", "b.example", false)
	organization("a.b.example", "example:u", "b.example", true)
	organization("a.b.example", "a.b.example:u example:u", "b.example", true)
	organization("a.b.example", "example:n", "b.example", true)
	organization("a.b.example", "b.example:n example:n", "b.example", false)
	organization("example", "example:u", "example", false)
	organization("example", "example:n", "example", false)
	organization("example", "example:y", "example", false)
	organization("example", "", "example", false)
}
