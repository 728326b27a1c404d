package dnstest

import (
	"strings"

	"github.com/miekg/dns"
)

// maxChain is how many CNAMEs are followed; a longer chain, or a loop, is a
// server failure.
const maxChain = 8

// answer is what the zone says to one question. Exactly one of these holds:
// failure is set, absent is set, or records are the (possibly no) records.
type answer struct {
	chain   []dns.RR // the CNAMEs that lead to the records
	records []dns.RR
	name    string // where the chain ends
	absent  bool   // NXDOMAIN
	failure Failure
}

// ask notes and answers one question; name is raw.
func (z *Zone) ask(name string, qtype uint16) answer {
	z.mu.Lock()
	defer z.mu.Unlock()
	a := answer{name: fold(name)}
	z.questions = append(z.questions, dns.TypeToString[qtype]+" "+a.name)
	for {
		n := z.match(a.name)
		if n == nil {
			a.absent = true
			return a
		}
		if a.failure = n.failure(qtype); a.failure != 0 {
			return a
		}
		aliases := n.records[dns.TypeCNAME]
		if len(aliases) == 0 || len(n.records[qtype]) > 0 {
			a.records = owned(n.records[qtype], a.name)
			return a
		}
		if len(a.chain) == maxChain {
			a.failure = ServFail
			return a
		}
		a.chain = append(a.chain, owned(aliases[:1], a.name)...)
		target, _ := unescape(aliases[0].(*dns.CNAME).Target)
		a.name = fold(target)
	}
}

// match returns the node that answers for name, nil where name does not exist.
func (z *Zone) match(name string) *node {
	if n := z.nodes[name]; n != nil || !legal(name) {
		return n
	}
	// RFC 4592 §3.3.1: the wildcard is that of the closest encloser, the
	// nearest ancestor that exists.
	for rest := name; ; {
		_, parent, found := strings.Cut(rest, ".")
		if !found {
			return z.nodes["*"]
		}
		if z.nodes[parent] != nil {
			return z.nodes["*."+parent]
		}
		rest = parent
	}
}

func (n *node) failure(qtype uint16) Failure {
	if f := n.failures[anyType]; f != 0 {
		return f
	}
	return n.failures[qtype]
}

// owned returns records as answered for name, which differs from their owner
// where a wildcard matched.
func owned(records []dns.RR, name string) []dns.RR {
	answered := make([]dns.RR, len(records))
	for i, rr := range records {
		answered[i] = dns.Copy(rr)
		answered[i].Header().Name = escape(name)
	}
	return answered
}

// soa returns the nearest SOA record at or above name, or one made up for its
// top-level domain with a TTL and minimum of 300 s.
func (z *Zone) soa(name string) dns.RR {
	z.mu.Lock()
	defer z.mu.Unlock()
	for {
		if n := z.nodes[name]; n != nil && len(n.records[dns.TypeSOA]) > 0 {
			return dns.Copy(n.records[dns.TypeSOA][0])
		}
		_, parent, found := strings.Cut(name, ".")
		if !found {
			break
		}
		name = parent
	}
	return &dns.SOA{
		Hdr:    dns.RR_Header{Name: escape(name), Rrtype: dns.TypeSOA, Class: dns.ClassINET, Ttl: defaultTTL},
		Ns:     "ns.invalid.",
		Mbox:   "hostmaster.invalid.",
		Minttl: defaultTTL,
	}
}
