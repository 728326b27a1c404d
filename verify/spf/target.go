package spf

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"unicode/utf8"

	"assay/verify/domain"
	"assay/verify/lookup"
)

// Why a term is not looked up; neither is an error of the record.
var (
	errUnusable     = errors.New("no name that the DNS can carry")
	errNeverMatches = errors.New("local part is not ASCII")
)

// maxReverseNames is how many names of the client are examined.
const maxReverseNames = 10

// clientNames are the reverse names of the client that lead back to it.
type clientNames struct {
	names []string
	void  bool // there was none to examine
	asked bool // a ptr has seen void
}

// target returns the name that a reference asks for, expanding macros. It fails
// with errUnusable, errNeverMatches or, because of %{p}, a DNS error.
func (e *evaluation) target(ctx context.Context, r reference) (string, error) {
	name := r.domain
	if r.term.target != nil {
		// RFC 8616 §4: a term with %{s} or %{l} never matches when the local
		// part is not ASCII.
		if r.term.target.uses("sl") && !isASCII(e.sender.local) {
			return "", errNeverMatches
		}
		p := ""
		if r.term.target.uses("p") {
			var err error
			if p, err = e.validatedName(ctx, r.domain); err != nil {
				return "", err
			}
		}
		name = r.term.target.expand(func(letter byte) string { return e.macro(letter, r.domain, p) })
	}
	name, ok := queryName(name)
	if !ok {
		return "", errUnusable
	}
	if !r.host {
		e.lastName = name
	}
	return name, nil
}

// macro returns what a letter stands for (RFC 7208 §7.2), in the record of
// current.
func (e *evaluation) macro(letter byte, current, p string) string {
	switch letter {
	case 's':
		return e.sender.local + "@" + e.sender.domain.String()
	case 'l':
		return e.sender.local
	case 'o':
		return e.sender.domain.String()
	case 'd':
		return current
	case 'i':
		return dotted(e.ip.AsSlice())
	case 'p':
		return p
	case 'v':
		if e.ip.Is4() {
			return "in-addr"
		}
		return "ip6"
	}
	return e.helo // h; the parser lets nothing else through
}

// dotted returns an IPv4 address as usual, and the 32 nibbles of an IPv6
// address with dots between them (RFC 7208 §7.3).
func dotted(ip []byte) string {
	var parts []string
	for _, b := range ip {
		if len(ip) == net.IPv4len {
			parts = append(parts, fmt.Sprint(b))
		} else {
			parts = append(parts, fmt.Sprintf("%x.%x", b>>4, b&0xf))
		}
	}
	return strings.Join(parts, ".")
}

// queryName makes an expanded text the name that is queried.
func queryName(text string) (name string, ok bool) {
	name = strings.TrimSuffix(text, ".")
	// RFC 7208 §7.3: a name over 253 characters loses labels on the left.
	for len(name) > domain.MaxName {
		if _, name, ok = strings.Cut(name, "."); !ok {
			return "", false
		}
	}
	for label := range strings.SplitSeq(name, ".") {
		if label == "" || len(label) > domain.MaxLabel {
			return "", false
		}
	}
	// A backslash begins an escape in the text form of names; that a stranger
	// can write one is no reason to find out what a resolver makes of it.
	return name, printable(name) && !strings.Contains(name, `\`)
}

// reverse answers a ptr, as the library wants an exists answered.
//
// RFC 7208 §5.5: it matches when a validated name is name or below it.
func (e *evaluation) reverse(ctx context.Context, name string) ([]net.IPAddr, error) {
	client, err := e.clientNames(ctx)
	if err != nil {
		return nil, err
	}
	if slices.ContainsFunc(client.names, func(n string) bool { return within(n, name) }) {
		return []net.IPAddr{{IP: net.IPv4zero}}, nil
	}
	if client.void && !client.asked {
		client.asked = true
		return nil, notFound(name) // RFC 7208 §4.6.4: a void look-up
	}
	return e.noMatch(), nil
}

// validatedName returns what %{p} stands for.
//
// RFC 7208 §7.3: the domain itself if it is among the validated names, then a
// name below it, then any; without one, or after a DNS error, "unknown".
func (e *evaluation) validatedName(ctx context.Context, current string) (string, error) {
	client, err := e.clientNames(ctx)
	if err != nil {
		return "", err
	}
	best, rank := "unknown", 0
	for _, n := range client.names {
		switch {
		case strings.EqualFold(n, current):
			return n, nil
		case within(n, current) && rank < 2:
			best, rank = n, 2
		case rank < 1:
			best, rank = n, 1
		}
	}
	return best, nil
}

// clientNames looks the names of the client up, once. A failure of the DNS
// leaves names out, and is an error only when our time is over.
func (e *evaluation) clientNames(ctx context.Context) (*clientNames, error) {
	if e.client != nil {
		return e.client, nil
	}
	names, err := e.resolver.PTR(ctx, e.ip)
	if err != nil && ctx.Err() != nil {
		return nil, e.dnsError(ctx.Err(), "PTR", e.ip.String())
	}
	found := &clientNames{void: lookup.Absent(err) || err == nil && len(names) == 0}
	// RFC 7208 §4.6.4: at most ten names are examined, the others ignored;
	// §5.5: where a look-up fails, the name, or the mechanism, does not match.
	for _, text := range names[:min(len(names), maxReverseNames)] {
		name, ok := queryName(text)
		if !ok {
			continue
		}
		addrs, err := e.addresses(ctx, name, e.ip.Is4())
		if err != nil && ctx.Err() != nil {
			return nil, e.dnsError(ctx.Err(), "address", name)
		}
		if err == nil && slices.ContainsFunc(addrs, func(a net.IPAddr) bool { return a.IP.Equal(e.ip.AsSlice()) }) {
			found.names = append(found.names, name)
		}
	}
	e.client = found
	return found, nil
}

// within reports whether name is parent or a name below it. Both are query
// names in ASCII.
func within(name, parent string) bool {
	name, parent = strings.ToLower(name), strings.ToLower(parent)
	return name == parent || strings.HasSuffix(name, "."+parent)
}

// printable reports whether s consists of spaces and visible ASCII.
func printable(s string) bool {
	return !strings.ContainsFunc(s, func(c rune) bool { return c < ' ' || c > '~' })
}

func isASCII(s string) bool {
	return !strings.ContainsFunc(s, func(c rune) bool { return c >= utf8.RuneSelf })
}
