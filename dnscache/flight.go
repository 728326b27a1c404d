package dnscache

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"time"
)

const (
	// maxFlight limits the time one question may take, however many servers
	// there are.
	maxFlight = 20 * time.Second
	// maxSockets limits how many questions are out at the same time, over all
	// messages.
	maxSockets = 512
)

// find returns the answer to a question, from the cache where it is there. The
// error is a *net.DNSError.
func (r *Resolver) find(ctx context.Context, name string, qtype uint16) (*entry, error) {
	q, ok := ask(name, qtype)
	if !ok {
		return nil, absent(name)
	}
	if e := r.cache.get(q, r.now()); e != nil {
		r.hits.Add(1)
		return e.result()
	}
	r.misses.Add(1)
	if err := ctx.Err(); err != nil {
		return nil, gaveUp(q, err)
	}
	// The flight may outlive the message that the name came with.
	q.name = strings.Clone(q.name)
	flight := r.flights.DoChan(q.key(), func() (any, error) { return r.fly(q), nil })
	select {
	case landed := <-flight:
		return landed.Val.(*entry).result()
	case <-ctx.Done():
		// The others who wait for this flight still get its answer, so does
		// the cache.
		return nil, gaveUp(q, ctx.Err())
	}
}

// fly gets the answer to q from the servers and keeps it.
func (r *Resolver) fly(q question) *entry {
	if e := r.cache.get(q, r.now()); e != nil {
		return e // a flight landed after our caller looked
	}
	limit := min(time.Duration(len(r.servers))*r.timeout, maxFlight)
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	e := r.resolve(ctx, q)
	if e.err != nil && e.err.IsTemporary {
		r.failures.Add(1)
	}
	r.cache.put(q, e, r.now())
	return e
}

// resolve asks one server after the other until one answers.
func (r *Resolver) resolve(ctx context.Context, q question) (e *entry) {
	// A flight is a goroutine of its own: no caller could recover.
	defer func() {
		if p := recover(); p != nil {
			e = failed(q, "", fmt.Errorf("panic: %v", p))
		}
	}()
	e = failed(q, "", errNoServers)
	if len(r.servers) == 0 {
		return e
	}
	select {
	case r.sockets <- struct{}{}:
		defer func() { <-r.sockets }()
	case <-ctx.Done():
		return failed(q, "", errTooMany)
	}
	for _, server := range r.servers {
		r.queries.Add(1)
		answer, err := r.try(ctx, server, q)
		if err == nil {
			return answer
		}
		e = failed(q, server.String(), err)
		if ctx.Err() != nil {
			break
		}
	}
	return e
}

// try asks one server and reads what it says.
func (r *Resolver) try(ctx context.Context, server netip.AddrPort, q question) (*entry, error) {
	ctx, cancel := context.WithTimeout(ctx, r.timeout)
	defer cancel()
	reply, err := exchange(ctx, server, q)
	if err != nil {
		return nil, err
	}
	return read(reply, q)
}

var (
	errNoServers = errors.New("no name server is configured")
	errTooMany   = errors.New("too many questions are out")
)

// absent is the error for a name that does not exist.
func absent(name string) *net.DNSError {
	return &net.DNSError{Err: "no such host", Name: name, IsNotFound: true}
}

// failed is the entry for a question that no server answered.
func failed(q question, server string, err error) *entry {
	text := err.Error()
	if op := (*net.OpError)(nil); errors.As(err, &op) {
		text = op.Err.Error() // the rest is addresses, one of them ours
	}
	return &entry{ttl: failureTTL, err: &net.DNSError{
		Err:         text,
		Name:        q.name,
		Server:      server,
		IsTimeout:   isTimeout(err),
		IsTemporary: true,
	}}
}

// gaveUp is the error for a caller whose context ended; it is not kept.
func gaveUp(q question, err error) *net.DNSError {
	return &net.DNSError{
		Err:         err.Error(),
		Name:        q.name,
		IsTimeout:   errors.Is(err, context.DeadlineExceeded),
		IsTemporary: true,
	}
}
