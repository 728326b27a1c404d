package dnscache

import (
	"context"
	"testing"

	"assay/dnscache/dnstest"
	"assay/verify/lookup"
)

// TestTry: what is kept is answered, failures and absence too; what is not is
// reported, and nobody is asked.
func TestTry(t *testing.T) {
	zone := dnstest.MustParse(t, `
a.example. TXT "kept"
b.example. TXT "never asked for"
broken.example. SERVFAIL
`)
	r := New(Config{Servers: servers(zone.Serve(t))})
	defer r.Close()
	ctx := context.Background()
	for _, name := range []string{"a.example", "absent.example", "broken.example"} {
		resolve(r, ctx, "TXT", name)
	}
	asked, misses := len(zone.Questions()), r.Stats().Misses
	try := func(enough bool, names ...string) {
		t.Helper()
		got := r.Try(func(kept lookup.Resolver) {
			for _, name := range names {
				answer := resolve(kept, ctx, "TXT", name)
				if enough && answer != resolve(r, ctx, "TXT", name) {
					t.Errorf("%s: got %s", name, answer)
				}
			}
		})
		if got != enough {
			t.Errorf("%v: enough is %v", names, got)
		}
	}
	try(true)
	try(true, "a.example")
	try(true, "a.example", "absent.example", "broken.example")
	try(false, "b.example")
	try(false, "a.example", "b.example", "a.example")
	if n := len(zone.Questions()); n != asked {
		t.Errorf("%d questions were asked", n-asked)
	}
	if n := r.Stats().Misses; n != misses {
		t.Errorf("%d misses were counted", n-misses)
	}
	// What a Try finds counts once: where it was enough.
	counted := func(want uint64, names ...string) {
		t.Helper()
		before := r.Stats().Hits
		r.Try(func(kept lookup.Resolver) {
			for _, name := range names {
				resolve(kept, ctx, "TXT", name)
			}
		})
		if got := r.Stats().Hits - before; got != want {
			t.Errorf("%v: %d hits counted, want %d", names, got, want)
		}
	}
	counted(2, "a.example", "absent.example")
	counted(0, "a.example", "b.example")
	if got := resolve(r, ctx, "TXT", "b.example"); got != resolve(zone, ctx, "TXT", "b.example") {
		t.Errorf("afterwards: got %s", got)
	}
}
