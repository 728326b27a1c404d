package zone

import (
	"strings"

	"github.com/miekg/dns"
)

// maxChain is how many CNAMEs are followed; a longer chain, or a loop, is a
// server failure.
const maxChain = 8

// Answer is what a Zone says to one question.
type Answer struct {
	// Rcode is the response code, or what Fail was given. Records are there
	// only for success, and may be none.
	Rcode   int
	Chain   []dns.RR // the CNAMEs that lead to the records
	Records []dns.RR
	Name    string // where the chain ends: raw, lower case
}

// Answer answers one question; name is raw.
func (z *Zone) Answer(name string, qtype uint16) Answer {
	z.mu.RLock()
	defer z.mu.RUnlock()
	a := Answer{Name: Fold(name)}
	for {
		n := z.match(a.Name)
		if n == nil {
			a.Rcode = dns.RcodeNameError
			return a
		}
		if a.Rcode = n.rcode(qtype); a.Rcode != dns.RcodeSuccess {
			return a
		}
		aliases := n.records[dns.TypeCNAME]
		if len(aliases) == 0 || len(n.records[qtype]) > 0 {
			a.Records = owned(n.records[qtype], a.Name)
			return a
		}
		if len(a.Chain) == maxChain {
			a.Rcode = dns.RcodeServerFailure
			return a
		}
		a.Chain = append(a.Chain, owned(aliases[:1], a.Name)...)
		target, _ := Unescape(aliases[0].(*dns.CNAME).Target)
		a.Name = Fold(target)
	}
}

// Reply answers a query as a resolver would, with an SOA record where the
// answer is negative. Its Rcode may be one that no message carries, where Fail
// was given such a one.
func (z *Zone) Reply(query *dns.Msg) *dns.Msg {
	reply := new(dns.Msg).SetReply(query)
	reply.RecursionAvailable = true
	question := query.Question[0]
	name, ok := Unescape(question.Name)
	if !ok {
		reply.Rcode = dns.RcodeNameError
		return reply
	}
	a := z.Answer(name, question.Qtype)
	reply.Rcode = a.Rcode
	if a.Rcode != dns.RcodeSuccess && a.Rcode != dns.RcodeNameError {
		return reply
	}
	reply.Answer = append(a.Chain, a.Records...)
	if len(a.Records) == 0 {
		// RFC 2308 §3: negative answers carry the SOA record of the zone.
		reply.Ns = []dns.RR{z.soa(a.Name)}
	}
	return reply
}

// match returns the node that answers for name, nil where name does not exist.
func (z *Zone) match(name string) *node {
	if n := z.nodes[name]; n != nil {
		return n
	}
	if !legal(name) {
		return nil
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

func (n *node) rcode(qtype uint16) int {
	if code := n.rcodes[dns.TypeNone]; code != dns.RcodeSuccess {
		return code
	}
	return n.rcodes[qtype]
}

// owned returns records as answered for name, which differs from their owner
// where a wildcard matched.
func owned(records []dns.RR, name string) []dns.RR {
	answered := make([]dns.RR, len(records))
	for i, rr := range records {
		answered[i] = dns.Copy(rr)
		answered[i].Header().Name = Escape(name)
	}
	return answered
}

// soa returns the nearest SOA record at or above name, or one made up for its
// top-level domain with a TTL and minimum of 300 s.
func (z *Zone) soa(name string) dns.RR {
	z.mu.RLock()
	defer z.mu.RUnlock()
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
		Hdr:    dns.RR_Header{Name: Escape(name), Rrtype: dns.TypeSOA, Class: dns.ClassINET, Ttl: TTL},
		Ns:     "ns.invalid.",
		Mbox:   "hostmaster.invalid.",
		Minttl: TTL,
	}
}
