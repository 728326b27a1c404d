// Package dnstest answers DNS questions from zone text, for tests: in process
// as a lookup.Resolver, or over UDP and TCP as a name server. What goes wrong
// in the DNS is data like the rest:
//
//	example.com.         TXT "v=spf1 mx -all"
//	example.com.         MX  10 mail.example.com.
//	_dmarc.example.com.  TIMEOUT
//	mail.example.com.    AAAA SERVFAIL
//
// It answers as zone.Zone does, which it is made of. A name that the DNS
// cannot carry, such as one with an empty label, can be added and is answered
// in process.
package dnstest

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"

	"assay/dnscache/zone"
	"assay/verify/lookup"
	"github.com/miekg/dns"
)

// defaultTTL is the TTL, in seconds, of records that state none.
const defaultTTL = 300

// Failure is what a name server does instead of answering.
type Failure int

// The failures. Over the wire Timeout is silence; in process it returns at
// once with the error of a time-out.
const (
	ServFail Failure = iota + 1
	Refused
	Timeout
)

// failures names them as zone text does.
var failures = map[string]Failure{"SERVFAIL": ServFail, "REFUSED": Refused, "TIMEOUT": Timeout}

// silence is the response code of a Timeout, one that no message can carry.
const silence = 1 << 16

var rcodes = map[Failure]int{ServFail: dns.RcodeServerFailure, Refused: dns.RcodeRefused, Timeout: silence}

// Zone is the DNS as a test wants it. It is safe for concurrent use. The zero
// value is not usable, see New.
type Zone struct {
	zone  *zone.Zone
	delay atomic.Int64 // of answers over the wire, in nanoseconds

	mu        sync.Mutex
	texts     map[string]*lookup.TXT
	questions []string
}

// New returns a Zone in which no name exists.
func New() *Zone {
	return &Zone{zone: zone.New(), texts: map[string]*lookup.TXT{}}
}

// Add adds records of type rrtype at name, which is taken as absolute and raw:
// nothing in it is an escape. data is, for
//
//	TXT         the character-strings of one record, raw octets
//	A, AAAA     an address per record
//	CNAME, PTR  a host per record
//	MX          preference and host of one record
//
// and for any other type the words of one record as in zone text. The TTL is
// 300 s. Add panics where data does not fit the type: the test is wrong.
func (z *Zone) Add(name, rrtype string, data ...string) {
	header := dns.RR_Header{Name: zone.Escape(zone.Fold(name)), Rrtype: typeOf(rrtype), Class: dns.ClassINET, Ttl: defaultTTL}
	switch header.Rrtype {
	case dns.TypeTXT:
		z.insert(name, &dns.TXT{Hdr: header, Txt: characterStrings(data)})
	case dns.TypeMX:
		preference, err := strconv.ParseUint(data[0], 10, 16)
		if err != nil || len(data) != 2 {
			panic(fmt.Sprintf("dnstest: %s MX: want preference and host, got %q", name, data))
		}
		z.insert(name, &dns.MX{Hdr: header, Preference: uint16(preference), Mx: zone.Escape(data[1])})
	case dns.TypeA, dns.TypeAAAA, dns.TypeCNAME, dns.TypePTR:
		for _, d := range data {
			z.insert(name, simple(header, d))
		}
	default:
		line := fmt.Sprintf("%s %d IN %s %s", header.Name, defaultTTL, rrtype, strings.Join(data, " "))
		rr, err := dns.NewRR(line)
		if err != nil {
			panic("dnstest: " + err.Error())
		}
		z.insert(name, rr)
	}
}

// simple returns the record whose data is the one word d.
func simple(header dns.RR_Header, d string) dns.RR {
	switch header.Rrtype {
	case dns.TypeCNAME:
		return &dns.CNAME{Hdr: header, Target: zone.Escape(d)}
	case dns.TypePTR:
		return &dns.PTR{Hdr: header, Ptr: zone.Escape(d)}
	}
	addr := netip.MustParseAddr(d)
	if addr.Is4() != (header.Rrtype == dns.TypeA) {
		panic("dnstest: wrong family for the type: " + d)
	}
	if header.Rrtype == dns.TypeA {
		return &dns.A{Hdr: header, A: addr.AsSlice()}
	}
	return &dns.AAAA{Hdr: header, AAAA: addr.AsSlice()}
}

// Fail makes questions for name and rrtype fail; rrtype "" stands for every
// type. The name exists from then on.
func (z *Zone) Fail(name, rrtype string, f Failure) {
	qtype := dns.TypeNone
	if rrtype != "" {
		qtype = typeOf(rrtype)
	}
	z.zone.Fail(name, qtype, rcodes[f])
	z.changed()
}

// Questions returns what was asked so far, in order, as "TXT
// _dmarc.example.com": lower case, no final dot. Over the wire a repeated
// question, as after a truncated answer, stands there twice.
func (z *Zone) Questions() []string {
	z.mu.Lock()
	defer z.mu.Unlock()
	return slices.Clone(z.questions)
}

// Reset forgets the questions, not the records.
func (z *Zone) Reset() {
	z.mu.Lock()
	defer z.mu.Unlock()
	z.questions = nil
}

func (z *Zone) insert(name string, rr dns.RR) {
	z.zone.Insert(name, rr)
	z.changed()
}

func (z *Zone) changed() {
	z.mu.Lock()
	defer z.mu.Unlock()
	clear(z.texts)
}

// note writes a question down; name is raw.
func (z *Zone) note(name string, qtype uint16) {
	z.mu.Lock()
	defer z.mu.Unlock()
	z.questions = append(z.questions, dns.TypeToString[qtype]+" "+zone.Fold(name))
}

// typeOf panics where rrtype is not a type: the test is wrong.
func typeOf(rrtype string) uint16 {
	t, ok := dns.StringToType[strings.ToUpper(rrtype)]
	if !ok {
		panic("dnstest: unknown type " + rrtype)
	}
	return t
}
