package filter

import (
	"net/netip"
	"slices"
	"strings"

	"assay/verify/authres"
)

// Privacy says how much of an address the log has.
type Privacy string

// The choices, each leaving out more. The zero value is PrivacyFull.
const (
	PrivacyFull     Privacy = "full"     // addresses as they are
	PrivacyDomains  Privacy = "domains"  // mailboxes without their local part
	PrivacyNetworks Privacy = "networks" // and clients by their network: /24 of IPv4, /48 of IPv6
)

// full reports whether nothing is left out.
func (p Privacy) full() bool { return p != PrivacyDomains && p != PrivacyNetworks }

// result is a result as the log may have it.
func (p Privacy) result(r authres.Result) authres.Result {
	if p == PrivacyNetworks {
		r.Props = slices.DeleteFunc(slices.Clone(r.Props), func(p authres.Prop) bool { return p.Name == "iprev" || p.Name == "remote-ip" })
	}
	return r
}

// mailbox is a mailbox as the log may have it. Without a domain nothing of it is
// left but that there was something.
func (p Privacy) mailbox(address string) string {
	if p.full() || address == "" {
		return address
	}
	at := strings.LastIndexByte(address, '@')
	if at < 0 {
		return "*"
	}
	return "*@" + p.host(address[at+1:])
}

// client is the address of a client as the log may have it; "" where it is
// unknown.
func (p Privacy) client(addr netip.Addr) string {
	if !addr.IsValid() {
		return ""
	}
	if p != PrivacyNetworks {
		return addr.String()
	}
	bits := 48
	if addr.Is4() {
		bits = 24
	}
	network, err := addr.Prefix(bits)
	if err != nil {
		return ""
	}
	return network.String()
}

// host is what stands for a host in HELO or an address, as the log may have it: a
// literal is likely the address of the client.
func (p Privacy) host(name string) string {
	if p == PrivacyNetworks && strings.ContainsAny(name, "[:") {
		return "[*]"
	}
	if _, err := netip.ParseAddr(name); p == PrivacyNetworks && err == nil {
		return "[*]"
	}
	return name
}
