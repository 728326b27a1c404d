package dnscache

import (
	"fmt"
	"net/netip"

	"github.com/miekg/dns"
)

// port is where name servers listen.
const port = 53

// Network is the way to a name server.
type Network string

// The networks. The zero Network is UDP.
const (
	UDP Network = "udp" // and TCP where an answer is truncated
	TCP Network = "tcp"
	TLS Network = "tls" // RFC 7858
)

// Server is one name server. Servers are compared with ==.
type Server struct {
	Network Network
	// Name is the name that the certificate must be valid for; TLS only.
	Name string
	Addr netip.AddrPort
}

// String is the server as the configuration has it, UDP without prefix.
func (s Server) String() string {
	switch {
	case s.Network == TLS:
		return "tls://" + s.Name + "@" + s.Addr.String()
	case s.Network == TCP:
		return "tcp://" + s.Addr.String()
	}
	return s.Addr.String()
}

// SystemServers returns the name servers of a resolv.conf file, in its order.
// As resolv.conf(5) has it, a file without any means the server on this host.
// It fails where the file cannot be read or a server is not an IP address.
func SystemServers(path string) ([]Server, error) {
	conf, err := dns.ClientConfigFromFile(path)
	if err != nil {
		return nil, fmt.Errorf("name servers of the system: %w", err)
	}
	var servers []Server
	for _, text := range conf.Servers {
		addr, err := netip.ParseAddr(text)
		if err != nil {
			return nil, fmt.Errorf("name servers of the system: %s: %w", path, err)
		}
		servers = append(servers, Server{Network: UDP, Addr: netip.AddrPortFrom(addr, port)})
	}
	if len(servers) == 0 {
		local := netip.AddrFrom4([4]byte{127, 0, 0, 1})
		servers = append(servers, Server{Network: UDP, Addr: netip.AddrPortFrom(local, port)})
	}
	return servers, nil
}
