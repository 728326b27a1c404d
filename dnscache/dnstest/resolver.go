package dnstest

import (
	"context"
	"net"
	"net/netip"
	"strings"

	"assay/dnscache/zone"
	"assay/verify/lookup"
	"github.com/miekg/dns"
)

var _ lookup.Resolver = (*Zone)(nil)

// TXT implements lookup.Resolver; the answer stays the same one until the zone
// changes.
func (z *Zone) TXT(ctx context.Context, name string) (*lookup.TXT, error) {
	records, err := z.find(ctx, name, dns.TypeTXT)
	if err != nil {
		return nil, err
	}
	z.mu.Lock()
	defer z.mu.Unlock()
	if kept := z.texts[zone.Fold(name)]; kept != nil {
		return kept, nil
	}
	txt := new(lookup.TXT)
	for _, rr := range records {
		txt.Records = append(txt.Records, zone.Text(rr.(*dns.TXT)))
	}
	z.texts[zone.Fold(name)] = txt
	return txt, nil
}

// A implements lookup.Resolver.
func (z *Zone) A(ctx context.Context, name string) ([]netip.Addr, error) {
	records, err := z.find(ctx, name, dns.TypeA)
	var addrs []netip.Addr
	for _, rr := range records {
		addr, _ := netip.AddrFromSlice(rr.(*dns.A).A.To4())
		addrs = append(addrs, addr)
	}
	return addrs, err
}

// AAAA implements lookup.Resolver.
func (z *Zone) AAAA(ctx context.Context, name string) ([]netip.Addr, error) {
	records, err := z.find(ctx, name, dns.TypeAAAA)
	var addrs []netip.Addr
	for _, rr := range records {
		addr, _ := netip.AddrFromSlice(rr.(*dns.AAAA).AAAA)
		addrs = append(addrs, addr)
	}
	return addrs, err
}

// MX implements lookup.Resolver. The host of a null MX (RFC 7505) is "".
func (z *Zone) MX(ctx context.Context, name string) ([]*net.MX, error) {
	records, err := z.find(ctx, name, dns.TypeMX)
	var mxs []*net.MX
	for _, rr := range records {
		mx := rr.(*dns.MX)
		mxs = append(mxs, &net.MX{Host: strings.TrimSuffix(mx.Mx, "."), Pref: mx.Preference})
	}
	return mxs, err
}

// PTR implements lookup.Resolver; the question is noted with its reverse name.
func (z *Zone) PTR(ctx context.Context, addr netip.Addr) ([]string, error) {
	name, err := dns.ReverseAddr(addr.Unmap().WithZone("").String())
	if err != nil {
		return nil, &net.DNSError{Err: "no such host", Name: addr.String(), IsNotFound: true}
	}
	records, err := z.find(ctx, name, dns.TypePTR)
	var hosts []string
	for _, rr := range records {
		hosts = append(hosts, strings.TrimSuffix(rr.(*dns.PTR).Ptr, "."))
	}
	return hosts, err
}

// find returns the records, or the *net.DNSError that lookup.Resolver promises.
func (z *Zone) find(ctx context.Context, name string, qtype uint16) ([]dns.RR, error) {
	if err := ctx.Err(); err != nil {
		return nil, &net.DNSError{Err: err.Error(), Name: name, IsTemporary: true, IsTimeout: err == context.DeadlineExceeded}
	}
	z.note(name, qtype)
	a := z.zone.Answer(name, qtype)
	switch a.Rcode {
	case dns.RcodeSuccess:
		return a.Records, nil
	case dns.RcodeNameError:
		return nil, &net.DNSError{Err: "no such host", Name: name, IsNotFound: true}
	case silence:
		return nil, &net.DNSError{Err: "i/o timeout", Name: name, IsTemporary: true, IsTimeout: true}
	}
	return nil, &net.DNSError{Err: "server misbehaving", Name: name, IsTemporary: true}
}
