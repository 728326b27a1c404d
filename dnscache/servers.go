package dnscache

import (
	"fmt"
	"net/netip"

	"github.com/miekg/dns"
)

// port is where name servers listen.
const port = 53

// SystemServers returns the name servers of a resolv.conf file, in its order.
// As resolv.conf(5) has it, a file without any means the server on this host.
// It fails where the file cannot be read or a server is not an IP address.
func SystemServers(path string) ([]netip.AddrPort, error) {
	conf, err := dns.ClientConfigFromFile(path)
	if err != nil {
		return nil, fmt.Errorf("name servers of the system: %w", err)
	}
	var servers []netip.AddrPort
	for _, text := range conf.Servers {
		addr, err := netip.ParseAddr(text)
		if err != nil {
			return nil, fmt.Errorf("name servers of the system: %s: %w", path, err)
		}
		servers = append(servers, netip.AddrPortFrom(addr, port))
	}
	if len(servers) == 0 {
		servers = append(servers, netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), port))
	}
	return servers, nil
}
