package config

import (
	"net"
	"net/netip"
	"path"
	"strconv"
	"strings"
	"unicode"

	"assay/verify/domain"
)

// MaxSocketPath is the longest path of a unix socket, in bytes: what fits
// into sockaddr_un on every system, with its final NUL.
const MaxSocketPath = 103

// Address is where we listen for the MTA, in the terms of [net.Listen].
// Addresses are compared with ==.
type Address struct {
	// Network is "unix"; "tcp4" or "tcp6" for an IP address; "tcp" for a host
	// name, "tcp6" for one that inet6 asks for.
	Network string
	// Addr is the path, or "host:port" with an IPv6 address in brackets.
	Addr string
}

// String is the address as Postfix takes it in smtpd_milters.
func (a Address) String() string {
	if a.Network == "unix" {
		return "unix:" + a.Addr
	}
	return "inet:" + a.Addr
}

// Sendmail is the address as Sendmail takes it in INPUT_MAIL_FILTER, after
// "S=".
func (a Address) Sendmail() string {
	if a.Network == "unix" {
		return "local:" + a.Addr
	}
	host, port, _ := net.SplitHostPort(a.Addr)
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	if a.Network == "tcp6" {
		return "inet6:" + port + "@" + host
	}
	return "inet:" + port + "@" + host
}

// text is the address in the form that ParseAddress reads back to the same:
// Postfix has no word for a host name that is to be reached by IPv6 only.
func (a Address) text() string {
	if a.Network == "tcp6" && !strings.HasPrefix(a.Addr, "[") {
		return a.Sendmail()
	}
	return a.String()
}

// StatusAddress is where we tell how we are; the zero one is nowhere.
type StatusAddress Address

// IsZero reports whether the address is nowhere.
func (a StatusAddress) IsZero() bool { return a == StatusAddress{} }

// String is the address as it is written: "127.0.0.1:8892", or unix:PATH.
func (a StatusAddress) String() string {
	if a.IsZero() {
		return ""
	}
	return strings.TrimPrefix(Address(a).text(), "inet:")
}

// ParseStatusAddress reads HOST:PORT or what [ParseAddress] reads; "" is nowhere.
func ParseStatusAddress(text string) (StatusAddress, error) {
	if text == "" {
		return StatusAddress{}, nil
	}
	if a, err := ParseAddress(text); err == nil {
		return StatusAddress(a), nil
	}
	a, err := parseInet("inet", text)
	if err != nil && strings.Contains(text, "/") {
		err = faultf("%s is not an address", quoted(text)).hinted(`write "127.0.0.1:8892" or "unix:/run/assay/status.sock"`)
	}
	return StatusAddress(a), err
}

// ParseAddress reads an address in the form of Postfix (unix:PATH,
// inet:HOST:PORT) or of Sendmail (local:PATH, inet:PORT@HOST,
// inet6:PORT@HOST). HOST is an IP address, in brackets where a port follows
// an IPv6 one, or a host name.
func ParseAddress(text string) (Address, error) {
	family, rest, _ := strings.Cut(text, ":")
	switch family {
	case "unix", "local":
		return parseSocketPath(rest)
	case "inet", "inet6":
		return parseInet(family, rest)
	}
	bad := faultf("%s does not begin with unix: or inet:", quoted(text))
	if a, err := parseSocketPath(text); err == nil {
		return Address{}, bad.hinted(`write "%s"`, a)
	}
	if a, err := parseInet("inet", text); err == nil {
		return Address{}, bad.hinted(`write "%s"`, a)
	}
	return Address{}, bad.hinted(`write "inet:127.0.0.1:8891" or "unix:/run/assay/milter.sock"`)
}

func parseSocketPath(text string) (Address, error) {
	if !strings.HasPrefix(text, "/") {
		return Address{}, faultf("socket path %s does not begin with /", quoted(text))
	}
	clean := path.Clean(text)
	if clean == "/" {
		return Address{}, faultf("socket path %s names no file", quoted(text))
	}
	if len(clean) > MaxSocketPath {
		return Address{}, faultf("socket path is longer than %d bytes", MaxSocketPath)
	}
	// Blanks and commas separate milters in main.cf and equates in
	// sendmail.cf; a path with one could not be pasted there.
	if strings.ContainsFunc(clean, func(r rune) bool {
		return r == ',' || unicode.IsSpace(r) || !unicode.IsPrint(r)
	}) {
		return Address{}, faultf("socket path %s has a blank, a comma or a control character", quoted(text))
	}
	return Address{"unix", clean}, nil
}

func parseInet(family, text string) (Address, error) {
	host, port, err := splitInet(text)
	if err != nil {
		return Address{}, err
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 || port[0] == '0' {
		return Address{}, faultf("%s is not a port number", quoted(port)).hinted("write a number from 1 to 65535")
	}
	ip, err := netip.ParseAddr(host)
	switch {
	case err != nil:
		return parseHost(family, host, port)
	case ip.Zone() != "" || ip.Is4In6():
		return Address{}, faultf("%s cannot be listened on", quoted(host)).hinted("write a plain IPv4 or IPv6 address")
	case ip.Is4() && family == "inet6":
		return Address{}, faultf("inet6 with the IPv4 address %s", ip).hinted(`write "inet:%s"`, net.JoinHostPort(ip.String(), port))
	case ip.Is4():
		return Address{"tcp4", net.JoinHostPort(ip.String(), port)}, nil
	}
	return Address{"tcp6", net.JoinHostPort(ip.String(), port)}, nil
}

// splitInet separates PORT@HOST or HOST:PORT; brackets around the host are
// dropped.
func splitInet(text string) (host, port string, err error) {
	port, host, ok := strings.Cut(text, "@")
	if ok {
		if strings.HasPrefix(host, "[") && strings.HasSuffix(host, "]") {
			host = host[1 : len(host)-1]
		}
	} else if host, port, err = net.SplitHostPort(text); err != nil {
		bad := faultf("%s is not HOST:PORT", quoted(text))
		if _, err := strconv.ParseUint(text, 10, 16); err == nil {
			return "", "", bad.hinted(`write "inet:127.0.0.1:%s"`, text)
		}
		return "", "", bad.hinted(`write "inet:127.0.0.1:8891" or "inet:[::1]:8891"`)
	}
	if host == "" {
		return "", "", faultf("%s has no host", quoted(text)).hinted("name one, such as 127.0.0.1, or 0.0.0.0 for every IPv4 address of this host")
	}
	return host, port, nil
}

func parseHost(family, host, port string) (Address, error) {
	name, err := domain.Parse(host)
	// A name that ends in a number is an IP address with a slip in it.
	if err != nil || strings.Trim(name.Last(1).String(), "0123456789") == "" {
		return Address{}, faultf("%s is neither an IP address nor a host name", quoted(host))
	}
	network := "tcp"
	if family == "inet6" {
		network = "tcp6"
	}
	return Address{network, net.JoinHostPort(name.String(), port)}, nil
}
