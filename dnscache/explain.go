package dnscache

import (
	"context"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/miekg/dns"
)

// Source says where an answer is from.
type Source string

// The sources.
const (
	FromServer Source = "server" // asked just now
	FromCache  Source = "cache"
	FromStale  Source = "stale" // past its time, used because the servers fail
)

// Explanation is an answer with where it is from.
type Explanation struct {
	Records []string // as text; TXT quoted
	// Err is the *net.DNSError where there is no answer, also where the name does
	// not exist.
	Err           error
	Source        Source
	Server        string        // who said so; "" where nobody was asked
	TTL           time.Duration // that the answer is still kept; 0 where it is stale
	Took          time.Duration
	Authenticated bool
}

// types are those that Explain knows.
var types = map[string]uint16{
	"TXT": dns.TypeTXT, "A": dns.TypeA, "AAAA": dns.TypeAAAA, "MX": dns.TypeMX, "PTR": dns.TypePTR,
}

// Explain answers a question as the other methods do, for people. rrtype is TXT,
// A, AAAA, MX or PTR, in any case; for PTR the name may be an IP address. It
// fails where rrtype is none of them.
func (r *Resolver) Explain(ctx context.Context, name, rrtype string) (Explanation, error) {
	qtype, ok := types[strings.ToUpper(rrtype)]
	if !ok {
		return Explanation{}, fmt.Errorf("type %q is not one of TXT, A, AAAA, MX, PTR", rrtype)
	}
	if addr, err := netip.ParseAddr(name); err == nil && qtype == dns.TypePTR {
		name, _ = dns.ReverseAddr(addr.Unmap().WithZone("").String())
	}
	q, ok := ask(name, qtype)
	if !ok {
		return Explanation{Err: absent(name)}, nil
	}
	start := time.Now()
	e, kept, err := r.trace(ctx, q)
	x := Explanation{Err: err, Took: time.Since(start)}
	if err != nil {
		return x, nil
	}
	x.Records, x.Server, x.Authenticated = e.texts(), e.server, e.authenticated
	if e.err != nil {
		x.Err = e.problem(q)
	}
	switch {
	case e.stale:
		x.Source = FromStale
		return x, nil
	case kept:
		x.Source = FromCache
	default:
		x.Source = FromServer
	}
	x.TTL = max(0, e.expires.Sub(r.now()))
	return x, nil
}

// texts returns the records as text.
func (e *entry) texts() []string {
	var texts []string
	if e.txt != nil {
		for _, record := range e.txt.Records {
			texts = append(texts, strconv.QuoteToASCII(record))
		}
	}
	for _, addr := range e.addrs {
		texts = append(texts, addr.String())
	}
	for _, mx := range e.mxs {
		texts = append(texts, fmt.Sprintf("%d %s.", mx.Pref, mx.Host))
	}
	for _, host := range e.hosts {
		texts = append(texts, host+".")
	}
	return texts
}
