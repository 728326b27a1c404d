package config

import (
	"net/netip"
	"strings"

	"assay/verify/domain"
)

// Server is a DNS server that we ask. Servers are compared with ==.
type Server struct {
	// Network is "udp", "tcp" or "tls".
	Network string
	// Name is what the certificate must be valid for, where Network is "tls".
	Name domain.Name
	Addr netip.AddrPort
}

// String is the server as parseServer reads it, with its port; UDP is not
// named.
func (s Server) String() string {
	switch s.Network {
	case "tls":
		return "tls://" + s.Name.String() + "@" + s.Addr.String()
	case "tcp":
		return "tcp://" + s.Addr.String()
	}
	return s.Addr.String()
}

// The ports of DNS servers (RFC 1035 §4.2, RFC 7858 §3.1).
const (
	dnsPort    = 53
	dnsTLSPort = 853
)

// parseServer reads IP, IP:PORT, the same after udp:// or tcp://, or
// tls://NAME@IP.
func parseServer(text string) (Server, error) {
	network, rest, ok := strings.Cut(text, "://")
	if !ok {
		network, rest = "udp", text
	}
	switch network {
	case "udp", "tcp":
		addr, ok := parseServerAddr(rest, dnsPort)
		if !ok {
			return Server{}, faultf("%s is not the address of a DNS server", quoted(text)).
				hinted(`write it as "192.0.2.53", "192.0.2.53:5353" or "[2001:db8::53]:5353"`)
		}
		return Server{Network: network, Addr: addr}, nil
	case "tls":
		return parseTLSServer(text, rest)
	}
	return Server{}, faultf("%s does not begin with udp://, tcp:// or tls://", quoted(text)).
		hinted(`write it as "192.0.2.53", "tcp://192.0.2.53" or "tls://dns.example.net@192.0.2.53"`)
}

func parseTLSServer(text, rest string) (Server, error) {
	const form = `write it as "tls://dns.example.net@192.0.2.53"`
	host, at, found := strings.Cut(rest, "@")
	if !found {
		return Server{}, faultf("%s does not say whose certificate it must have", quoted(text)).hinted(form)
	}
	addr, ok := parseServerAddr(at, dnsTLSPort)
	if !ok {
		return Server{}, faultf("%s has no IP address after @", quoted(text)).hinted(form)
	}
	name, err := domain.Parse(host)
	if err != nil {
		return Server{}, faultf("%s has no host name before @: %v", quoted(text), err).hinted(form)
	}
	return Server{Network: "tls", Name: name, Addr: addr}, nil
}

func parseServerAddr(text string, port uint16) (netip.AddrPort, bool) {
	addr, err := netip.ParseAddrPort(text)
	if ip, ipErr := netip.ParseAddr(text); ipErr == nil {
		addr, err = netip.AddrPortFrom(ip, port), nil
	}
	if err != nil || addr.Addr().Zone() != "" || addr.Port() == 0 {
		return netip.AddrPort{}, false
	}
	return netip.AddrPortFrom(addr.Addr().Unmap(), addr.Port()), true
}
