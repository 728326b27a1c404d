// Package network holds sets of IP networks that answer at once, whatever
// their size: your own relays, or a list of a hundred thousand clients.
package network

import (
	"net/netip"
	"slices"
)

// Set is a set of addresses, made of networks. The zero Set is empty. A Set
// does not change and may be shared.
type Set struct {
	// Networks are nested or have nothing in common. Without those within
	// another, an address can be in one only: the last that begins before it.
	apart []netip.Prefix
}

// NewSet returns the set of all addresses in one of the networks. An
// IPv4-mapped IPv6 network has no addresses: clients are IPv4 ones.
func NewSet(networks ...netip.Prefix) Set {
	sorted := make([]netip.Prefix, len(networks))
	for i, p := range networks {
		sorted[i] = p.Masked()
	}
	slices.SortFunc(sorted, Compare)
	s := Set{}
	for _, p := range sorted {
		if last := len(s.apart) - 1; last < 0 || !s.apart[last].Overlaps(p) {
			s.apart = append(s.apart, p)
		}
	}
	return s
}

// Compare orders networks by their first address, the larger first.
func Compare(a, b netip.Prefix) int {
	if c := a.Addr().Compare(b.Addr()); c != 0 {
		return c
	}
	return a.Bits() - b.Bits()
}

// Has reports whether a is in the set; an IPv4-mapped address counts as the
// IPv4 address. The zero Addr is in none.
func (s Set) Has(a netip.Addr) bool {
	a = a.Unmap().WithZone("")
	at, _ := slices.BinarySearchFunc(s.apart, a, func(p netip.Prefix, a netip.Addr) int {
		if p.Addr().Compare(a) <= 0 {
			return -1
		}
		return 1
	})
	return at > 0 && s.apart[at-1].Contains(a)
}
