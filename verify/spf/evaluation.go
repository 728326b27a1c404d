package spf

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"

	"assay/verify/lookup"
	library "blitiri.com.ar/go/spf"
)

var _ library.DNSResolver = (*evaluation)(nil)

// evaluation is one check_host() run: the DNS as the library sees it. All that
// the library asks for is a reference, the number of a term in the records it
// was given, and everything it is told is a reference or an answer. It is used
// by one goroutine.
type evaluation struct {
	resolver lookup.Resolver
	ahead    *readAhead // the same, where terms are looked up ahead; else nil
	ip       netip.Addr
	helo     string
	sender   mailbox

	references []reference
	used       int      // references that the library came back with
	last       term     // of the reference used last, but for hosts of an mx
	lastName   string   // and what was looked up for it
	position   position // and where it stands
	failure    error    // the last failure of the DNS
	exhausted  bool     // a question was not asked, being one too many

	client *clientNames
}

// reference is a term to be looked up when the library asks for it.
type reference struct {
	term   term
	domain string // the domain whose record the term stands in, %{d}
	host   bool   // domain is a host of an mx, no term

	frame *frame // the record; nil for the first domain
	at    int    // index of the term in it
}

func (e *evaluation) add(r reference) string {
	e.references = append(e.references, r)
	return "#" + strconv.Itoa(len(e.references)-1)
}

// resolve returns the term behind a reference, noting terms but not hosts as
// looked up. Each is asked for once.
func (e *evaluation) resolve(text string) (reference, error) {
	n, err := strconv.Atoi(strings.TrimPrefix(text, "#"))
	if err != nil || n < 0 || n >= len(e.references) {
		return reference{}, fmt.Errorf("%w: the library asked for %s", ErrDNS, quote(text))
	}
	r := e.references[n]
	if !r.host {
		e.used++
		e.last, e.lastName = r.term, ""
		e.position = position{frame: r.frame, at: r.at}
	}
	return r, nil
}

// lookups counts the terms that caused look-ups.
//
// RFC 7208 §4.6.4: include, a, mx, ptr, exists and redirect count; the record
// of the first domain, reference #0, does not.
func (e *evaluation) lookups() int { return max(e.used-1, 0) }

// rewrite returns the record of f as the library gets it.
func (e *evaluation) rewrite(f *frame) string {
	var b strings.Builder
	b.WriteString("v=spf1")
	for i, t := range f.record.terms {
		refer := func() string { return e.add(reference{term: t, domain: f.domain, frame: f, at: i}) }
		word := ""
		switch t.mechanism {
		case all:
			word = "all"
		case ip4, ip6:
			// RFC 7208 §5: for an IPv4 client ip6 never matches, not even a
			// network of mapped addresses, which the library would let match.
			if (t.mechanism == ip4) == e.ip.Is4() {
				word = string(t.mechanism) + ":" + t.network.String()
			}
		case include, exists:
			word = string(t.mechanism) + ":" + refer()
		case address, exchanger:
			word = string(t.mechanism) + ":" + refer() + t.prefixes
		case reverse:
			// The library asks A and AAAA of reverse names and gives no sign
			// when it evaluates a second ptr; as exists, the term comes here.
			word = "exists:" + refer()
		case redirect:
			word = "redirect=" + refer()
		}
		if word != "" {
			b.WriteString(" " + t.qualifier + word)
		}
	}
	return b.String()
}

// LookupTXT gives the library the record of an include, of a redirect, or of
// the first domain. An error other than a *net.DNSError makes it end with
// permerror.
func (e *evaluation) LookupTXT(ctx context.Context, text string) ([]string, error) {
	r, err := e.resolve(text)
	if err != nil {
		return nil, err
	}
	name, err := e.target(ctx, r)
	switch {
	case err == errNeverMatches:
		return []string{"v=spf1"}, nil // neutral: include does not match
	case err != nil && err != errUnusable:
		return nil, err
	case err == errUnusable || !strings.Contains(name, "."):
		return nil, nil // RFC 7208 §4.3: none, which include and redirect make permerror
	}
	txt, err := e.resolver.TXT(ctx, name)
	if err != nil {
		return nil, e.dnsError(err, "TXT", name)
	}
	found := lookup.Derive(txt, selectRecord)
	switch {
	case found.err != nil:
		return nil, fmt.Errorf("record of %s: %w", quote(name), found.err)
	case found.record == nil:
		return nil, nil
	}
	if e.ahead != nil {
		e.ahead.expect(ctx, found.record.terms, name, e.ip.Is4(), MaxLookups-e.lookups())
	}
	f := &frame{record: found.record, domain: name, by: r}
	e.position = position{frame: f, at: -1}
	return []string{e.rewrite(f)}, nil
}

// LookupIPAddr gives the library the addresses of a, of exists (and ptr), and
// of the hosts of mx.
func (e *evaluation) LookupIPAddr(ctx context.Context, text string) ([]net.IPAddr, error) {
	r, err := e.resolve(text)
	if err != nil {
		return nil, err
	}
	answer, err := e.answer(ctx, r)
	e.position.hit = e.position.hit || e.last.covers(e.ip, answer)
	return answer, err
}

func (e *evaluation) answer(ctx context.Context, r reference) ([]net.IPAddr, error) {
	if r.host && e.position.hit {
		// RFC 7208 §5.4: one address that matches is enough. The library would
		// ask for all hosts, and end with temperror where one of the others fails.
		return e.noMatch(), nil
	}
	name, err := e.target(ctx, r)
	switch {
	case r.host && err == errUnusable:
		return nil, notFound(r.domain) // the library goes on with the next host
	case err == errUnusable || err == errNeverMatches:
		return e.noMatch(), nil
	case err != nil:
		return nil, err
	}
	switch {
	case r.term.mechanism == reverse:
		return e.reverse(ctx, name)
	case r.term.mechanism == exists:
		// RFC 7208 §5.7: exists asks for A, also for an IPv6 client.
		return e.addresses(ctx, name, true)
	}
	return e.addresses(ctx, name, e.ip.Is4())
}

// LookupMX gives the library the hosts of mx, as references.
func (e *evaluation) LookupMX(ctx context.Context, text string) ([]*net.MX, error) {
	r, err := e.resolve(text)
	if err != nil {
		return nil, err
	}
	name, err := e.target(ctx, r)
	if err == errUnusable || err == errNeverMatches {
		return []*net.MX{{Host: e.add(reference{host: true})}}, nil // a host that is no name
	}
	if err != nil {
		return nil, err
	}
	mxs, err := e.resolver.MX(ctx, name)
	if err != nil {
		return nil, e.dnsError(err, "MX", name)
	}
	hosts := make([]*net.MX, len(mxs))
	for i, mx := range mxs {
		hosts[i] = &net.MX{Host: e.add(reference{host: true, domain: mx.Host}), Pref: mx.Pref}
	}
	return hosts, nil
}

// LookupAddr is never asked, because ptr is rewritten.
func (e *evaluation) LookupAddr(ctx context.Context, addr string) ([]string, error) {
	return nil, notFound(addr)
}

// addresses asks for A records, or for AAAA records.
//
// RFC 7208 §5: A for an IPv4 client, AAAA for an IPv6 client.
func (e *evaluation) addresses(ctx context.Context, name string, four bool) ([]net.IPAddr, error) {
	rrtype, ask := "AAAA", e.resolver.AAAA
	if four {
		rrtype, ask = "A", e.resolver.A
	}
	addrs, err := ask(ctx, name)
	if err != nil {
		return nil, e.dnsError(err, rrtype, name)
	}
	answer := make([]net.IPAddr, len(addrs))
	for i, addr := range addrs {
		answer[i] = net.IPAddr{IP: addr.AsSlice()}
	}
	return answer, nil
}

// noMatch is an answer that matches no term, with any prefix length, and is
// not void: an address of the other family, for exists one that is not IPv4.
func (e *evaluation) noMatch() []net.IPAddr {
	if e.ip.Is4() || e.last.mechanism != address {
		return []net.IPAddr{{IP: net.IPv6unspecified}}
	}
	return []net.IPAddr{{IP: net.IPv4zero}}
}

// dnsError returns err as the library understands it: the bare *net.DNSError,
// either not found or temporary.
func (e *evaluation) dnsError(err error, rrtype, name string) error {
	if lookup.Absent(err) {
		return notFound(name)
	}
	e.exhausted = e.exhausted || lookup.IsExhausted(err)
	e.failure = fmt.Errorf("%w: look-up of %s %s: %w", ErrDNS, rrtype, quote(name), err)
	if cause := (*net.DNSError)(nil); errors.As(err, &cause) && cause.IsTemporary {
		return cause
	}
	return &net.DNSError{Err: err.Error(), Name: name, IsTemporary: true}
}

func notFound(name string) error {
	return &net.DNSError{Err: "no such host", Name: name, IsNotFound: true}
}
