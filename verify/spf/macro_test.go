package spf

import (
	"net/netip"
	"strings"
	"testing"

	"assay/verify/domain"
)

// TestMacros holds the examples of RFC 7208 §7.4 and the letters beside them.
func TestMacros(t *testing.T) {
	e := &evaluation{
		ip:     netip.MustParseAddr("192.0.2.3"),
		helo:   "mx.example.org",
		sender: mailbox{"strong-bad", domain.MustParse("email.example.com")},
	}
	check := func(text, want string) {
		t.Helper()
		spec, err := parseMacroString(text)
		if err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		got := spec.expand(func(c byte) string { return e.macro(c, "sub.example.net", "host.example.org") })
		if got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
	check("%{s}", "strong-bad@email.example.com")
	check("%{o}", "email.example.com")
	check("%{d}", "sub.example.net")
	check("%{o4}", "email.example.com")
	check("%{o3}", "email.example.com")
	check("%{o2}", "example.com")
	check("%{o1}", "com")
	check("%{or}", "com.example.email")
	check("%{o2r}", "example.email")
	check("%{o99999999999999999999}", "email.example.com")
	check("%{l}", "strong-bad")
	check("%{l-}", "strong.bad")
	check("%{lr}", "strong-bad")
	check("%{lr-}", "bad.strong")
	check("%{l1r-}", "strong")
	check("%{h}.%{p}", "mx.example.org.host.example.org")
	check("%{ir}.%{v}._spf.%{d2}", "3.2.0.192.in-addr._spf.example.net")
	check("%{lr-}.lp.%{ir}.%{v}._spf.%{o2}", "bad.strong.lp.3.2.0.192.in-addr._spf.example.com")
	check("a%%b%_c%-d", "a%b c%20d")

	e.ip = netip.MustParseAddr("2001:db8::cb01")
	check("%{ir}.%{v}", "1.0.b.c.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6")

	// Empty parts are kept; upper case escapes every octet but the unreserved.
	e.sender.local = "a--b+~c_d.e&\u00ff"
	check("%{l-}", "a..b+~c_d.e&\u00ff")
	check("%{l+-.}", "a..b.~c_d.e&\u00ff")
	check("%{L}", "a--b%2B~c_d.e%26%C3%BF")
	check("%{S}", "a--b%2B~c_d.e%26%C3%BF%40email.example.com")
	e.sender.local = `a b"%`
	check("%{L}", "a%20b%22%25")
}

func TestQueryName(t *testing.T) {
	check := func(text, want string) {
		t.Helper()
		if got, ok := queryName(text); ok != (want != "") || ok && got != want {
			t.Errorf("%q: got %q, %v, want %q", text, got, ok, want)
		}
	}
	label := strings.Repeat("x", domain.MaxLabel)
	long := label + "." + label + "." + label + "." // 192 octets

	check("example.org", "example.org")
	check("example.org.", "example.org")
	check("a b!:/@=%20.org", "a b!:/@=%20.org")
	check("", "")
	check(".", "")
	check("a..b", "")
	check(".a.b", "")
	check("a.b..", "")
	check("a\\.b", "")
	check("a\x1f.b", "")
	check("a\x7f.b", "")
	check("\u00e4.b", "")
	check("a\xff.b", "")
	check(label+".org", label+".org")
	check(label+"x.org", "")
	// RFC 7208 §7.3: 253 stay, of 254 labels go from the left.
	check(long+label[:61], long+label[:61])
	check(long+label[:62], (long + label[:62])[64:])
	check("a.b."+long+label[:59], "b."+long+label[:59])
	check(strings.Repeat("x", 300), "")
	check(strings.Repeat("x", 300)+".org", "org")
}

func TestWithin(t *testing.T) {
	check := func(name, parent string, want bool) {
		t.Helper()
		if got := within(name, parent); got != want {
			t.Errorf("%q within %q: got %v", name, parent, got)
		}
	}
	check("example.org", "example.org", true)
	check("Mx.Example.ORG", "example.org", true)
	check("notexample.org", "example.org", false)
	check("example.org", "mx.example.org", false)
}
