package dnscache

import (
	"net"
	"net/netip"
	"sync/atomic"
	"time"

	"assay/verify/lookup"
)

// entry is one answer: records of the type asked for, none, or an error. Once
// it is in the cache nothing of it changes but the two marks at its end.
type entry struct {
	txt   *lookup.TXT // not nil where the question was TXT and err is nil
	addrs []netip.Addr
	mxs   []net.MX
	hosts []string
	err   *net.DNSError

	authenticated bool   // the server vouches for it (RFC 6840 §5.8)
	nowhere       bool   // RFC 8020: neither the name nor anything below it exists
	server        string // who said so

	ttl   time.Duration // as the answer has it
	count int           // records
	size  int           // octets of text and names

	// What the cache decides, see keep.
	stored  time.Time
	soon    time.Time // a question from here on refreshes it
	expires time.Time
	dies    time.Time // until when it may still be served when servers fail
	stale   bool      // it is served because servers fail
	streak  int       // failures in a row

	used       atomic.Bool // it was found in the cache before
	refreshing atomic.Bool // somebody asks for it anew already
}

// problem returns the error of e as the one of q.
func (e *entry) problem(q question) *net.DNSError {
	if e.err.Name != q.name {
		return absent(q.name) // what does not exist is a name above it
	}
	return e.err
}

// failed reports whether no server answered.
func (e *entry) failed() bool { return e.err != nil && e.err.IsTemporary }

func (e *entry) fresh(now time.Time) bool { return now.Before(e.expires) }

// lingers reports whether e is an answer that may be used while servers fail.
func (e *entry) lingers(now time.Time) bool { return !e.failed() && now.Before(e.dies) }

// recent reports whether a failure that e stands for is so recent that it may go
// on: a failure now belongs to the same outage.
func (e *entry) recent(now time.Time) bool { return now.Sub(e.expires) < maxFailureTTL }

func (e *entry) weight(q question) int64 {
	return int64(overhead + len(q.name) + e.size + e.count*recordOverhead)
}

// asStale returns the copy of e that is served while servers fail.
func (e *entry) asStale() *entry {
	s := &entry{
		txt: e.txt, addrs: e.addrs, mxs: e.mxs, hosts: e.hosts, err: e.err,
		authenticated: e.authenticated, nowhere: e.nowhere, server: e.server,
		ttl: e.ttl, count: e.count, size: e.size,
		stored: e.stored, dies: e.dies, stale: true,
	}
	if e.txt != nil && !e.stale {
		s.txt = &lookup.TXT{Records: e.txt.Records, Authenticated: e.txt.Authenticated, Stale: true}
	}
	return s
}
