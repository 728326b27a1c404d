package dnscache

import (
	"errors"
	"fmt"
	"math"
	"net"
	"net/netip"
	"slices"
	"strings"
	"time"

	"assay/dnscache/zone"
	"assay/verify/lookup"
	"github.com/miekg/dns"
)

// Limits of one answer. What exceeds them is refused as malformed, which is a
// temporary failure.
const (
	// maxChain is how many CNAMEs are followed.
	maxChain = 8
	// maxRecords is how many records of the type are taken.
	maxRecords = 256
	// maxText is how many octets the TXT records may have together.
	maxText = 32 << 10
)

var (
	errChain    = errors.New("malformed answer: CNAME chain too long, or a loop")
	errRecords  = errors.New("malformed answer: too many records")
	errText     = errors.New("malformed answer: too much text")
	errRecord   = errors.New("malformed answer: record without data")
	errMixed    = errors.New("malformed answer: records for a name that does not exist")
	errTC       = errors.New("malformed answer: truncated over TCP")
	errReferral = errors.New("the server refers us elsewhere instead of answering")
)

// read returns what reply says to q, or an error where it says nothing that
// could be used as an answer.
func read(reply *dns.Msg, q question) (*entry, error) {
	if reply.Truncated {
		return nil, errTC
	}
	nonexistent := reply.Rcode == dns.RcodeNameError
	if reply.Rcode != dns.RcodeSuccess && !nonexistent {
		return nil, fmt.Errorf("the server answers %s", rcode(reply.Rcode))
	}
	e := &entry{ttl: math.MaxInt64, authenticated: reply.AuthenticatedData}
	if q.qtype == dns.TypeTXT {
		e.txt = &lookup.TXT{Authenticated: e.authenticated}
	}
	name, found, err := e.follow(reply.Answer, q)
	switch {
	case err != nil:
		return nil, err
	case found && nonexistent:
		return nil, errMixed
	case found:
		return e, nil
	}
	soa, apex, ok := negativeTTL(reply.Ns, name)
	if !ok && !nonexistent && (!reply.RecursionAvailable || slices.ContainsFunc(reply.Ns, isNS)) {
		// RFC 2308 §2.2: NS records without SOA record are a referral, not
		// NODATA. Nor can a server that does not resolve know what is at the
		// end of a chain, so its empty answer is no evidence either.
		return nil, errReferral
	}
	e.ttl = min(e.ttl, soa)
	if nonexistent {
		// RFC 6604 §3: the code is about the last name of the chain, and so
		// all that q leads to does not exist. RFC 8020 §2: nor does what is below
		// that name. We say so where it is q's own, and the denial that of a zone
		// which can deny it.
		e.err, e.txt = absent(q.name), nil
		own := q.wire()
		e.nowhere = ok && strings.EqualFold(name, own) && !strings.EqualFold(apex, own)
	}
	return e, nil
}

// follow takes from records those that q asks for, at the end of the chain of
// CNAMEs where there is one, and returns the name where it looked last. Records
// of other names are no part of the answer.
func (e *entry) follow(records []dns.RR, q question) (name string, found bool, err error) {
	name = q.wire()
	for range maxChain + 1 {
		var alias *dns.CNAME
		for _, rr := range records {
			header := rr.Header()
			if header.Class != dns.ClassINET || !strings.EqualFold(header.Name, name) {
				continue
			}
			if header.Rdlength == 0 {
				return "", false, errRecord // none of our types can do without
			}
			if cname, ok := rr.(*dns.CNAME); ok {
				alias = cname
			}
			if header.Rrtype != q.qtype {
				continue
			}
			if err := e.add(rr); err != nil {
				return "", false, err
			}
			e.ttl = min(e.ttl, lifetime(header.Ttl))
			found = true
		}
		if found || alias == nil {
			return name, found, nil
		}
		e.ttl = min(e.ttl, lifetime(alias.Hdr.Ttl))
		name = alias.Target
	}
	return "", false, errChain
}

// add takes one record into the answer.
func (e *entry) add(rr dns.RR) error {
	if e.count == maxRecords {
		if _, ok := rr.(*dns.PTR); ok {
			return nil
		}
		return errRecords
	}
	e.count++
	switch rr := rr.(type) {
	case *dns.TXT:
		text := zone.Text(rr)
		if e.size += len(text); e.size > maxText {
			return errText
		}
		e.txt.Records = append(e.txt.Records, text)
	case *dns.A:
		return e.addAddr(rr.A.To4())
	case *dns.AAAA:
		return e.addAddr(rr.AAAA)
	case *dns.MX:
		e.mxs = append(e.mxs, net.MX{Host: strings.TrimSuffix(rr.Mx, "."), Pref: rr.Preference})
		e.size += len(rr.Mx)
	case *dns.PTR:
		e.hosts = append(e.hosts, strings.TrimSuffix(rr.Ptr, "."))
		e.size += len(rr.Ptr)
	}
	return nil
}

func (e *entry) addAddr(octets net.IP) error {
	addr, ok := netip.AddrFromSlice(octets)
	if !ok {
		return errRecord
	}
	e.addrs = append(e.addrs, addr)
	return nil
}

// negativeTTL returns how long the negative answer for name may be kept and the
// zone whose SOA record says so; not ok where none does.
func negativeTTL(authority []dns.RR, name string) (ttl time.Duration, apex string, ok bool) {
	for _, rr := range authority {
		soa, is := rr.(*dns.SOA)
		if is && soa.Hdr.Class == dns.ClassINET && dns.IsSubDomain(soa.Hdr.Name, name) {
			// RFC 2308 §5: the smaller of the TTL of the SOA record and its
			// MINIMUM field.
			return min(lifetime(soa.Hdr.Ttl), lifetime(soa.Minttl), maxNegativeTTL), soa.Hdr.Name, true
		}
	}
	return 0, "", false
}

func isNS(rr dns.RR) bool { return rr.Header().Rrtype == dns.TypeNS }

// lifetime reads a TTL. RFC 2181 §8: one with the top bit set is zero.
func lifetime(ttl uint32) time.Duration {
	if ttl > math.MaxInt32 {
		return 0
	}
	return time.Duration(ttl) * time.Second
}

func rcode(code int) string {
	if text, ok := dns.RcodeToString[code]; ok {
		return text
	}
	return fmt.Sprintf("RCODE%d", code)
}
