package spf

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"testing"
)

// TestTrail: whatever an include hides, the term that decided is found. The
// zone makes terms match that must not be taken for it.
func TestTrail(t *testing.T) {
	const zone = "h.org. A 192.0.2.3\nh.org. AAAA 2001:db8::3\nfar.org. A 192.0.2.200\nm.org. MX 0 far.org.\nm.org. MX 1 h.org.\n" +
		"pass.org. TXT \"v=spf1 ip4:192.0.2.3 ip6:2001:db8::3\"\nfail.org. TXT \"v=spf1 -a:h.org ip4:192.0.2.3\"\n" +
		"minus.org. TXT \"v=spf1 -include:pass.org ip4:192.0.2.3\"\nlost.org. TXT \"v=spf1 a:far.org\"\n" +
		"over.org. TXT \"v=spf1 redirect=pass.org\"\n"
	check := func(ip netip.Addr, record, want string) {
		t.Helper()
		c, _ := mailFrom(t, ip, "x.org. TXT \"v=spf1 "+record+"\"\n"+zone, "a@x.org")
		var steps []string
		for _, s := range c.Trail {
			steps = append(steps, s.Term+" of "+s.Domain)
		}
		if got := fmt.Sprintf("%s: %s", c.Result, strings.Join(steps, ", ")); got != want {
			t.Errorf("%s:\ngot  %s\nwant %s (%v)", record, got, want, c.Err)
		}
	}
	check(client4, "", "neutral: ")
	check(client4, "?ip4:192.0.2.4 ~ALL", "softfail: ~ALL of x.org")
	check(client4, "ip6:::/0 +ip4:192.0.2.0/24 -all", "pass: +ip4:192.0.2.0/24 of x.org")
	check(client4, "include:pass.org -all", "pass: include:pass.org of x.org, ip4:192.0.2.3 of pass.org")
	check(client6, "-include:pass.org all", "fail: -include:pass.org of x.org, ip6:2001:db8::3 of pass.org")
	check(client4, "include:fail.org ip4:192.0.2.3", "pass: ip4:192.0.2.3 of x.org")
	check(client4, "include:minus.org include:lost.org -ip4:192.0.0.0/16", "fail: -ip4:192.0.0.0/16 of x.org")
	check(client4, "include:lost.org a:far.org/24", "pass: a:far.org/24 of x.org")
	check(client4, "include:lost.org a:far.org/25 ?all", "neutral: ?all of x.org")
	check(client6, "a:h.org//64 all", "pass: a:h.org//64 of x.org")
	check(client4, "redirect=over.org ?mx", "pass: redirect=over.org of x.org, redirect=pass.org of over.org, ip4:192.0.2.3 of pass.org")
	check(client4, "include:over.org -all", "pass: include:over.org of x.org, redirect=pass.org of over.org, ip4:192.0.2.3 of pass.org")
	check(client4, "redirect=lost.org", "neutral: ")
	check(client4, "redirect=fail.org", "fail: redirect=fail.org of x.org, -a:h.org of fail.org")
	check(client4, "mx:m.org/32 all", "pass: mx:m.org/32 of x.org")
	check(client4, "-exists:h.org all", "fail: -exists:h.org of x.org")
	check(client4, "exists:m.org ptr:h.org ~all", "softfail: ~all of x.org")
}

// TestSyntaxErrorPlace: a caret under that octet shows what is meant.
func TestSyntaxErrorPlace(t *testing.T) {
	check := func(record string) {
		t.Helper()
		before, after, _ := strings.Cut(record, "^")
		_, err := parseRecord(before + after)
		var fault *SyntaxError
		if !errors.As(err, &fault) || fault.At != len(before) || !errors.Is(err, ErrSyntax) {
			t.Errorf("%s: got %+v, want the place of the ^", record, err)
		}
	}
	check("v=spf1  a  -^moo -all")
	check("v=spf1 a^\tmx")
	check("v=spf1 ip4:192.0.2.1 ~ip4^:192.0.2.256")
	check("v=spf1 -all^:x")
	check("v=spf1 include^")
	check("v=spf1 include:^")
	check("v=spf1 a:x.org^/33 -all")
	check("v=spf1 a^/24//129")
	check("v=spf1 exists:%{d}.x^%{x}.org")
	check("v=spf1 mx:%{d}^.123")
	check("v=spf1 mx:^%{c}")
	check("v=spf1 redirect=x.org ^redirect=y.org")
	check("v=spf1 redirect=^")
	check("v=spf1 moo=ab^%z")
}
