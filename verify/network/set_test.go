package network

import (
	"encoding/binary"
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"
)

func TestSet(t *testing.T) {
	set := NewSet(
		netip.MustParsePrefix("192.0.2.0/25"), netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("10.1.0.0/16"),
		netip.MustParsePrefix("2001:db8::/32"), netip.MustParsePrefix("::1/128"), netip.MustParsePrefix("10.0.0.0/8"))
	check := func(text string, want bool) {
		t.Helper()
		var a netip.Addr
		if text != "" {
			a = netip.MustParseAddr(text)
		}
		if got := set.Has(a); got != want {
			t.Errorf("%s: got %v", text, got)
		}
	}
	check("9.255.255.255", false)
	check("10.0.0.0", true)
	check("10.2.0.1", true)
	check("10.255.255.255", true)
	check("11.0.0.0", false)
	check("192.0.2.127", true)
	check("192.0.2.128", false)
	check("::ffff:192.0.2.1", true)
	check("::1", true)
	check("::", false)
	check("2001:db8:ffff::", true)
	check("2001:db8::1%eth0", true)
	check("2001:db9::", false)
	check("255.255.255.255", false)
	check("", false)
	if (Set{}).Has(netip.MustParseAddr("192.0.2.1")) {
		t.Error("the zero set has an address")
	}
	all := NewSet(netip.MustParsePrefix("0.0.0.0/0"))
	if !all.Has(netip.MustParseAddr("255.255.255.255")) || all.Has(netip.MustParseAddr("::1")) {
		t.Error("all of IPv4")
	}
}

// some returns n networks of both families, many nested.
func some(n int) []netip.Prefix {
	random := rand.New(rand.NewPCG(1, 2))
	networks := make([]netip.Prefix, n)
	for i := range networks {
		var b [16]byte
		binary.BigEndian.PutUint64(b[:], random.Uint64())
		b[0] = 0x20
		addr := netip.AddrFrom16(b)
		if i%2 == 0 {
			addr = netip.AddrFrom4([4]byte(b[1:5]))
		}
		networks[i] = netip.PrefixFrom(addr, 8+random.IntN(addr.BitLen()-7)).Masked()
	}
	return networks
}

// TestSetAgrees compares with asking each network.
func TestSetAgrees(t *testing.T) {
	networks := some(500)
	set := NewSet(networks...)
	for _, p := range some(20_000) {
		a := p.Addr()
		want := slices.ContainsFunc(networks, func(n netip.Prefix) bool { return n.Contains(a) })
		if got := set.Has(a); got != want {
			t.Fatalf("%s: got %v", a, got)
		}
	}
}

// BenchmarkSet: does a look-up among 100,000 networks stay below a microsecond?
func BenchmarkSet(b *testing.B) {
	var networks []netip.Prefix
	for i := range 100_000 {
		addr := netip.AddrFrom4([4]byte{byte(10 + i>>16), byte(i >> 8), byte(i), 0})
		networks = append(networks, netip.PrefixFrom(addr, 25))
	}
	set := NewSet(networks...)
	for name, text := range map[string]string{"inside": "10.77.12.5", "absent": "10.77.12.200", "ipv6": "2001:db8::1"} {
		a := netip.MustParseAddr(text)
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				set.Has(a)
			}
		})
	}
}
