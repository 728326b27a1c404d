package legacy

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"assay/verify/domain"
)

// errDatabase says that a list is kept in what is no text file.
var errDatabase = errors.New("the list is in no text file")

// errLong says that a list would make the file too large.
var errLong = errors.New(`too long; write "file:PATH" into assay.toml`)

// networks is a list of networks and of what it came from.
type networks struct {
	list []netip.Prefix
	from []string
}

// hosts is a list of clients as the old filters have it.
type hosts struct {
	networks []netip.Prefix
	names    []string // "host.example" or ".example.net"
	unread   []string // items that say nothing to us
	tooMany  bool     // exceptions, so that there are no networks
}

// dataset returns the items of a list that stands in the value or in a file
// that the value names.
func (im *importer) dataset(value string) ([]string, error) {
	kind, rest, named := strings.Cut(value, ":")
	var items []string
	switch {
	case named && (kind == "file" || kind == "refile"):
		return im.listFile(strings.TrimSpace(rest))
	case strings.HasSuffix(value, ".db"):
		return nil, errDatabase
	case named && slices.Contains([]string{"db", "dsn", "ldap", "ldaps", "ldapi", "lua", "mdb", "memcache", "erlang", "socket"}, kind):
		return nil, errDatabase
	case strings.HasPrefix(value, "/"), strings.HasPrefix(value, "./"), strings.HasPrefix(value, "../"):
		return im.listFile(value)
	case named && kind == "csl":
		value = rest
	}
	for _, item := range strings.Split(value, ",") {
		if item = strings.TrimSpace(item); item != "" {
			items = append(items, item)
		}
	}
	return im.counted(items)
}

// listFile returns the first word of each line of a file.
func (im *importer) listFile(path string) ([]string, error) {
	text, err := im.open(path)
	if err != nil {
		return nil, err
	}
	var items []string
	for raw := range bytes.Lines(text) {
		line, _, _ := bytes.Cut(raw, []byte("#"))
		if words := bytes.Fields(line); len(words) > 0 {
			items = append(items, string(words[0]))
		}
	}
	return im.counted(items)
}

func (im *importer) counted(items []string) ([]string, error) {
	im.items += len(items)
	for _, item := range items {
		im.itemBytes += len(item)
	}
	if im.items > MaxItems || im.itemBytes > MaxItemBytes {
		return nil, errLong
	}
	return items, nil
}

// parseHosts reads the items of a list of clients. One that begins with "!" is
// an exception from the others; the more precise one counts.
func parseHosts(items []string) hosts {
	var h hosts
	var taken, left []netip.Prefix
	for _, item := range items {
		bare, not := strings.CutPrefix(item, "!")
		switch p, ok := parseNetwork(bare); {
		case ok && not:
			left = append(left, p)
		case ok:
			taken = append(taken, p)
		case strings.EqualFold(bare, "localhost") && !not: // loopback is exempt anyway
		case not:
			h.unread = append(h.unread, item)
		default:
			p, err := domain.ParsePattern(strings.TrimPrefix(bare, "*"))
			if err != nil || p.Name.Labels() < 2 && !p.Below {
				h.unread = append(h.unread, item)
				continue
			}
			h.names = append(h.names, p.String())
		}
	}
	h.networks, h.tooMany = without(taken, left), len(left) > maxLeft
	return h
}

// parseNetwork reads an address or network, perhaps in brackets. An
// IPv4-mapped one is the IPv4 one; bits beyond the length are dropped.
func parseNetwork(text string) (netip.Prefix, bool) {
	text = strings.NewReplacer("[", "", "]", "").Replace(text)
	if a, err := netip.ParseAddr(text); err == nil && a.Zone() == "" {
		a = a.Unmap()
		return netip.PrefixFrom(a, a.BitLen()), true
	}
	p, err := netip.ParsePrefix(text)
	if err != nil {
		return netip.Prefix{}, false
	}
	if p.Addr().Is4In6() {
		if p.Bits() < 96 {
			return netip.Prefix{}, false
		}
		p = netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-96)
	}
	return p.Masked(), true
}

// maxLeft bounds the exceptions in lists of networks: each costs a walk over
// the list. What is beyond it empties the list.
const maxLeft = 256

// without returns what is in taken and not in left, where of two networks the
// longer prefix decides.
func without(taken, left []netip.Prefix) []netip.Prefix {
	if len(left) > maxLeft {
		return nil
	}
	slices.SortFunc(left, func(a, b netip.Prefix) int { return a.Bits() - b.Bits() })
	slices.SortFunc(taken, func(a, b netip.Prefix) int { return a.Bits() - b.Bits() })
	var result []netip.Prefix
	for len(taken) > 0 || len(left) > 0 {
		if len(left) == 0 || len(taken) > 0 && taken[0].Bits() <= left[0].Bits() {
			result, taken = append(result, taken[0]), taken[1:]
			continue
		}
		var rest []netip.Prefix
		for _, p := range apart(result) { // so that the hole is in one of them at most
			rest = append(rest, minus(p, left[0])...)
		}
		result, left = rest, left[1:]
	}
	return apart(result)
}

// minus returns the networks that p consists of without hole.
func minus(p, hole netip.Prefix) []netip.Prefix {
	if !p.Overlaps(hole) {
		return []netip.Prefix{p}
	}
	var parts []netip.Prefix
	for p.Bits() < hole.Bits() {
		a, b := halves(p)
		if a.Contains(hole.Addr()) {
			p, parts = a, append(parts, b)
		} else {
			p, parts = b, append(parts, a)
		}
	}
	return parts
}

func halves(p netip.Prefix) (low, high netip.Prefix) {
	bits := p.Bits() + 1
	bytes := p.Addr().AsSlice()
	bytes[(bits-1)/8] |= 0x80 >> ((bits - 1) % 8)
	second, _ := netip.AddrFromSlice(bytes)
	return netip.PrefixFrom(p.Addr(), bits), netip.PrefixFrom(second, bits)
}

// apart returns the networks, sorted, without those that are within another.
func apart(all []netip.Prefix) []netip.Prefix {
	all = slices.Clone(all)
	slices.SortFunc(all, func(a, b netip.Prefix) int {
		return cmp.Or(a.Addr().Compare(b.Addr()), a.Bits()-b.Bits())
	})
	var result []netip.Prefix
	for _, p := range all {
		if last := len(result) - 1; last < 0 || !result[last].Overlaps(p) {
			result = append(result, p)
		}
	}
	return result
}

func texts[T fmt.Stringer](all []T) []string {
	result := make([]string, len(all))
	for i, one := range all {
		result[i] = one.String()
	}
	return result
}
