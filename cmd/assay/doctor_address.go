package main

import (
	"context"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"assay/config"
)

// listensOn reports whether we listen on an address that an MTA has; a path is
// that from the root of this host.
func (d *doctor) listensOn(ctx context.Context, a config.Address) bool {
	for _, ours := range d.config.Listen.Milter {
		if a == ours || a.Network == "unix" && ours.Network == "unix" && sameFile(a.Addr, ours.Addr) {
			return true
		}
		if a.Network != "unix" && ours.Network != "unix" && sameEnd(ctx, a.Addr, ours.Addr) {
			return true
		}
	}
	return false
}

func sameFile(a, b string) bool {
	first, err := os.Stat(a)
	if err != nil {
		return false
	}
	second, err := os.Stat(b)
	return err == nil && os.SameFile(first, second)
}

// sameEnd reports whether connecting to one leads to a listener on the other.
func sameEnd(ctx context.Context, to, listener string) bool {
	toHost, toPort, err := net.SplitHostPort(to)
	if err != nil {
		return false
	}
	host, port, err := net.SplitHostPort(listener)
	if err != nil || port != toPort {
		return false
	}
	for _, a := range addressesOf(ctx, toHost) {
		for _, b := range addressesOf(ctx, host) {
			if a == b || b.IsUnspecified() && a.Is4() == b.Is4() {
				return true
			}
		}
	}
	return false
}

// addressesOf are those of a host, which may be one already; none where it has
// none.
func addressesOf(ctx context.Context, host string) []netip.Addr {
	if addr, err := netip.ParseAddr(host); err == nil {
		return []netip.Addr{addr.Unmap()}
	}
	ctx, cancel := context.WithTimeout(ctx, doctorPatience)
	defer cancel()
	found, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
	if err != nil {
		return nil
	}
	for i := range found {
		found[i] = found[i].Unmap()
	}
	return found
}

// postfixAddress is where a service of Postfix finds a milter. A path without
// "/" at its beginning is below the queue directory, and so is every path where the
// service is chrooted there.
func postfixAddress(text, queue string, chrooted bool) (config.Address, bool) {
	kind, rest, ok := strings.Cut(text, ":")
	if !ok {
		return config.Address{}, false
	}
	switch kind {
	case "unix":
		if chrooted || !strings.HasPrefix(rest, "/") {
			rest = filepath.Join(queue, rest)
		}
		return config.Address{Network: "unix", Addr: filepath.Clean(rest)}, true
	case "inet":
		host, port, err := net.SplitHostPort(rest)
		if err != nil {
			return config.Address{}, false
		}
		if n, err := net.LookupPort("tcp", port); err == nil {
			port = strconv.Itoa(n)
		}
		return config.Address{Network: "tcp", Addr: net.JoinHostPort(host, port)}, true
	}
	return config.Address{}, false
}
