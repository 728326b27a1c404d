package arc

import (
	"fmt"
	"net/netip"
	"testing"

	"assay/verify/authres"
	"assay/verify/dkim"
)

func TestAuthRes(t *testing.T) {
	test := func(c Chain, client, want string) {
		t.Helper()
		addr, _ := netip.ParseAddr(client)
		got := authres.Field{AuthservID: "mx", Results: []authres.Result{c.AuthRes(addr)}}.Value()
		if want = "mx;\n\t" + want; got != want {
			t.Errorf("%v from %q:\n got %q\nwant %q", c, client, got, want)
		}
	}
	two := make([]Set, 2)
	test(Chain{Result: None}, "192.0.2.1", "arc=none")
	test(Chain{Result: Pass, Sets: two}, "192.0.2.1", "arc=pass (i=2) smtp.remote-ip=192.0.2.1 header.oldest-pass=0")
	test(Chain{Result: Pass, Sets: two, OldestPass: 2}, "::ffff:192.0.2.1", "arc=pass (i=2) smtp.remote-ip=192.0.2.1 header.oldest-pass=2")
	test(Chain{Result: Pass, Sets: two}, "2001:db8::1", `arc=pass (i=2) smtp.remote-ip="2001:db8::1" header.oldest-pass=0`)
	test(Chain{Result: Pass, Sets: two}, "", "arc=pass (i=2) header.oldest-pass=0")
	test(Chain{Result: Pass, Sets: two, Caveat: dkim.ErrFrom}, "", "arc=pass (i=2, unsigned From field) header.oldest-pass=0")
	test(Chain{Result: Fail, Sets: two, Err: ErrDeclared}, "192.0.2.1", "arc=fail (chain declared failed by its last sealer)\n\tsmtp.remote-ip=192.0.2.1")
	test(Chain{Result: Fail, Sets: two, Err: fmt.Errorf("ARC-Seal 1: %w: lookup x: i/o timeout", ErrUnavailable)}, "", "arc=fail (key unavailable)")
}

// TestSetsOfFailure: a chain that fails is still described, for the log.
func TestSetsOfFailure(t *testing.T) {
	got := relayed(t, 1).seal(station{domain: "b.example", cv: "fail"}).validate()
	if len(got.Sets) != 2 || got.Sets[1].Sealer.String() != "b.example" || got.Sets[1].CV != CVFail || got.Sets[1].Results.AuthservID != "" {
		t.Errorf("got %+v", got.Sets)
	}
}

func TestNone(t *testing.T) {
	m := newMail(t).top("X-ARC-Seal", " i=1").top("ARC", " i=1")
	if got := m.validate(); got.Result != None || got.Err != nil || len(got.Sets) != 0 {
		t.Errorf("got %s (%v) with %d sets, want none", got.Result, got.Err, len(got.Sets))
	}
	if asked := m.zone.Questions(); len(asked) > 0 {
		t.Errorf("asked %q", asked)
	}
}
