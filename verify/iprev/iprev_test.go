package iprev

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"assay/dnscache/dnstest"
)

const (
	reverse4 = "3.2.0.192.in-addr.arpa."
	reverse6 = "3.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa."
)

func TestCheck(t *testing.T) {
	check := func(ip, zone string, want Result, name string, reason error, asked ...string) {
		t.Helper()
		z := dnstest.MustParse(t, zone)
		addr, _ := netip.ParseAddr(ip)
		e := Check(context.Background(), z, addr)
		if e.Result != want || e.Name.String() != name || !errors.Is(e.Err, reason) {
			t.Errorf("%s:\n%s\ngot %+v, want %s %q, %v", ip, zone, e, want, name, reason)
		}
		if (e.Err == nil) != (e.Result == Pass) {
			t.Errorf("%s: %s with error %v", ip, e.Result, e.Err)
		}
		if got := z.Questions(); !slices.Equal(got[min(1, len(got)):], asked) {
			t.Errorf("%s:\n%s\nasked %q, want a PTR and %q", ip, zone, got, asked)
		}
	}
	const (
		x4      = "x.org. A 192.0.2.3\n"
		y4      = "y.org. A 192.0.2.3\n"
		other   = "x.org. A 192.0.2.9\n"
		x6      = "x.org. AAAA 2001:db8::3\n"
		named4  = reverse4 + " PTR x.org.\n"
		named6  = reverse6 + " PTR x.org.\n"
		second4 = reverse4 + " PTR y.org.\n"
	)
	check("192.0.2.3", named4+x4+x6, Pass, "x.org", nil, "A x.org")
	check("::ffff:192.0.2.3", named4+x4, Pass, "x.org", nil, "A x.org")
	check("2001:db8::3", named6+x6+x4, Pass, "x.org", nil, "AAAA x.org")
	check("2001:db8::3%eth0", named6+x6, Pass, "x.org", nil, "AAAA x.org")
	check("192.0.2.3", reverse4+" PTR X.ORG.\n"+x4, Pass, "x.org", nil, "A x.org")
	check("192.0.2.3", named4+other+second4+y4, Pass, "y.org", nil, "A x.org", "A y.org")
	check("192.0.2.3", named4+other+"x.org. A 192.0.2.3", Pass, "x.org", nil, "A x.org")
	check("192.0.2.3", named4+"x.org. SERVFAIL\n"+second4+y4, Pass, "y.org", nil, "A x.org", "A y.org")

	check("192.0.2.3", named4+other, Fail, "", ErrMismatch, "A x.org")
	check("192.0.2.3", named4+x6, Fail, "", ErrMismatch, "A x.org")
	check("192.0.2.3", named4, Fail, "", ErrMismatch, "A x.org")
	check("192.0.2.3", reverse4+" PTR bad\\(name.org.", Fail, "", ErrMismatch)
	check("192.0.2.3", named4+"x.org. A TIMEOUT", TempError, "", ErrDNS, "A x.org")
	check("192.0.2.3", named4+"x.org. SERVFAIL\n"+second4, TempError, "", ErrDNS, "A x.org", "A y.org")
	check("192.0.2.3", reverse4+" TIMEOUT", TempError, "", ErrDNS)
	check("192.0.2.3", "", PermError, "", ErrNoName)
	check("192.0.2.3", reverse4+" TXT nothing", PermError, "", ErrNoName)
	check("", "", PermError, "", ErrAddress)
}

func TestMaxNames(t *testing.T) {
	check := func(last int, want Result) {
		t.Helper()
		zone := dnstest.New()
		for i := 1; i <= last; i++ {
			name := fmt.Sprintf("n%d.org", i)
			zone.Add(strings.TrimSuffix(reverse4, "."), "PTR", name)
			zone.Add(name, "A", map[bool]string{true: "192.0.2.3", false: "192.0.2.9"}[i == last])
		}
		e := Check(context.Background(), zone, netip.MustParseAddr("192.0.2.3"))
		if asked := len(zone.Questions()) - 1; e.Result != want || asked != MaxNames {
			t.Errorf("match at name %d: got %s after %d names, want %s after %d", last, e.Result, asked, want, MaxNames)
		}
	}
	check(MaxNames, Pass)
	check(MaxNames+1, Fail)
}

func TestCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	e := Check(ctx, dnstest.MustParse(t, reverse4+" PTR x.org."), netip.MustParseAddr("192.0.2.3"))
	if e.Result != TempError {
		t.Errorf("got %+v, want temperror", e)
	}
}

func TestAuthRes(t *testing.T) {
	check := func(ip, zone, want string) {
		t.Helper()
		addr, _ := netip.ParseAddr(ip)
		got := Check(context.Background(), dnstest.MustParse(t, zone), addr).AuthRes()
		if text := fmt.Sprintf("%s=%s (%s) %v", got.Method, got.Value, got.Comment, got.Props); text != want {
			t.Errorf("got %s, want %s", text, want)
		}
	}
	check("192.0.2.3", reverse4+" PTR x.org.\nx.org. A 192.0.2.3", "iprev=pass (x.org) [{policy iprev 192.0.2.3}]")
	check("2001:db8::3", reverse6+" PTR x.org.", "iprev=fail (no name leads back to the address) [{policy iprev 2001:db8::3}]")
	check("2001:db8::3", reverse6+" REFUSED", "iprev=temperror (DNS failure) [{policy iprev 2001:db8::3}]")
	check("192.0.2.3", "", "iprev=permerror (address without name) [{policy iprev 192.0.2.3}]")
	check("", "", "iprev=permerror (no client address) []")
}
