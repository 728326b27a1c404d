// Package lookup declares what the methods ask of the DNS, and is the one
// place where a DNS failure is read: absent, temporary, or neither.
//
// The contract of every Resolver:
//   - a name that does not exist (NXDOMAIN) is a *net.DNSError with IsNotFound;
//   - a name that exists without records of the type (NODATA) is an empty
//     answer and no error;
//   - everything else that keeps the answer from us (SERVFAIL, REFUSED, a
//     malformed answer, a time-out, a cancelled context) is a *net.DNSError
//     with IsTemporary;
//   - a question that is not asked, because the message has had its share of them, is
//     what Exhausted makes;
//   - the error is that *net.DNSError itself, never wrapped, because the SPF
//     library recognises nothing else;
//   - names are absolute: no search list is applied.
package lookup

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"sync/atomic"
)

// Resolver answers the questions that the methods ask. It is safe for
// concurrent use.
type Resolver interface {
	// TXT returns the TXT records of name. The answer is shared and read-only.
	TXT(ctx context.Context, name string) (*TXT, error)
	// A returns the IPv4 addresses of name, AAAA the IPv6 addresses.
	A(ctx context.Context, name string) ([]netip.Addr, error)
	AAAA(ctx context.Context, name string) ([]netip.Addr, error)
	// MX returns the mail exchangers of name in the order of the answer, with
	// host names that end without a dot.
	MX(ctx context.Context, name string) ([]*net.MX, error)
	// PTR returns the host names that the reverse zone has for addr, without
	// final dot.
	PTR(ctx context.Context, addr netip.Addr) ([]string, error)
}

// TXT is one answer to a TXT question: a string per record, the record's
// character-strings joined without separator. The same *TXT is handed out as
// long as the resolver keeps the answer, so what has been made of it can be
// kept with it. Its zero value is an empty answer.
type TXT struct {
	Records []string
	// Stale says that the answer is past its time and is used because the
	// name servers fail.
	Stale bool
	// Authenticated says that a name server which the site trusts vouches for
	// the answer (DNSSEC).
	Authenticated bool

	derived atomic.Value // holds a derivation
}

type derivation struct{ value any }

// Derive returns what parse makes of the records of t, calling parse at most
// once, races aside, for as long as the answer is kept. One type may be derived from an
// answer; a second type is parsed at each call. parse must be a pure function.
func Derive[T any](t *TXT, parse func(records []string) T) T {
	if kept, ok := t.derived.Load().(derivation); ok {
		if value, ok := kept.value.(T); ok {
			return value
		}
		return parse(t.Records)
	}
	value := parse(t.Records)
	t.derived.CompareAndSwap(nil, derivation{value})
	return value
}

// Absent reports whether err says that the name does not exist (NXDOMAIN).
func Absent(err error) bool {
	var e *net.DNSError
	return errors.As(err, &e) && e.IsNotFound
}

// Temporary reports whether err kept the answer from us. Every error does that does
// not say that the name is absent or the share of questions used up: an
// outage is never evidence.
func Temporary(err error) bool {
	return err != nil && !Absent(err) && !IsExhausted(err)
}

// exhausted is the text that tells our own refusal to ask from an outage.
const exhausted = "the message has caused too many DNS questions"

// Exhausted returns the error of a question about name that is not asked: the sender of
// the message has caused too many already.
func Exhausted(name string) error {
	return &net.DNSError{Err: exhausted, Name: name}
}

// IsExhausted reports whether err is, or wraps, what Exhausted makes.
func IsExhausted(err error) bool {
	var e *net.DNSError
	return errors.As(err, &e) && e.Err == exhausted
}
