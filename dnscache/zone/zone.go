// Package zone answers DNS questions from a master file: in the place of name
// servers where there is no network, and underneath dnstest.
//
// Implements: RFC 1034 §3.6.2 (CNAME), RFC 1035 §5 (master files), RFC 2308 §2
// (negative answers), RFC 4592 (wildcards), RFC 8020 (a name with names below it
// exists).
//
// Departures: there are no zone cuts, one Zone is all of the DNS.
package zone

import (
	"fmt"
	"io"
	"strings"
	"sync"

	"github.com/miekg/dns"
)

// TTL is the TTL, in seconds, of records that state none.
const TTL = 300

// Zone is DNS data. It is safe for concurrent use. The zero value is not usable,
// see New.
type Zone struct {
	mu    sync.RWMutex
	nodes map[string]*node // by raw name, lower case, no final dot
}

// node is one name that exists; without records it is an empty non-terminal.
type node struct {
	records map[uint16][]dns.RR
	rcodes  map[uint16]int // what is answered instead
}

// New returns a Zone in which no name exists.
func New() *Zone { return &Zone{nodes: map[string]*node{}} }

// Parse reads a standard master file (RFC 1035 §5). file is its name, for
// errors. A relative name needs an $ORIGIN, the TTL is 300 s where none is
// stated, and $INCLUDE is refused.
func Parse(r io.Reader, file string) (*Zone, error) {
	z := New()
	return z, z.Read(r, file)
}

// Read adds what a master file says, see Parse.
func (z *Zone) Read(r io.Reader, file string) error {
	parser := dns.NewZoneParser(r, "", file)
	parser.SetDefaultTTL(TTL)
	for rr, ok := parser.Next(); ok; rr, ok = parser.Next() {
		name, ok := Unescape(rr.Header().Name)
		if !ok {
			return fmt.Errorf("%s: a label with a dot in it cannot be asked for", rr.Header().Name)
		}
		z.Insert(name, rr)
	}
	return parser.Err()
}

// Insert adds a record at name, which is raw: nothing in it is an escape, and
// it may be one that the DNS cannot carry.
func (z *Zone) Insert(name string, rr dns.RR) {
	z.mu.Lock()
	defer z.mu.Unlock()
	records := z.node(Fold(name)).records
	rrtype := rr.Header().Rrtype
	records[rrtype] = append(records[rrtype], rr)
}

// Fail makes questions for the raw name and a type answered with a response
// code alone; dns.TypeNone stands for every type. The name exists from then on.
func (z *Zone) Fail(name string, qtype uint16, rcode int) {
	z.mu.Lock()
	defer z.mu.Unlock()
	z.node(Fold(name)).rcodes[qtype] = rcode
}

// node returns the node of name and makes it, and its ancestors, where there
// is none. z is locked.
func (z *Zone) node(name string) *node {
	// RFC 8020 §2: a name that has names below it exists.
	for n := name; z.nodes[n] == nil; {
		z.nodes[n] = &node{records: map[uint16][]dns.RR{}, rcodes: map[uint16]int{}}
		_, parent, found := strings.Cut(n, ".")
		if !found {
			break
		}
		n = parent
	}
	return z.nodes[name]
}
