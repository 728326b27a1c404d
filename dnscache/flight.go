package dnscache

import (
	"context"
	"errors"
	"net"
	"os"
	"strings"
	"time"

	"golang.org/x/sync/singleflight"
)

// patience is how long a question waits for its servers where an answer that is
// past its time could be given instead (RFC 8767 §5, client response timer).
const patience = 1800 * time.Millisecond

// find returns the answer to a question, from the cache where it is there. The
// error is a *net.DNSError.
func (r *Resolver) find(ctx context.Context, name string, qtype uint16) (*entry, error) {
	q, ok := ask(name, qtype)
	if !ok {
		return nil, absent(name)
	}
	e, _, err := r.trace(ctx, q)
	if err != nil {
		return nil, err
	}
	if e.err != nil {
		return nil, e.problem(q)
	}
	return e, nil
}

// trace returns the entry that answers q and whether it was in the cache. The
// error is that of a caller who gave up, a *net.DNSError.
func (r *Resolver) trace(ctx context.Context, q question) (e *entry, kept bool, err error) {
	now := r.now()
	e, fresh := r.cache.get(q, now)
	// RFC 8767 §5: a stale answer is given at once only while the last failure is
	// recent. Otherwise nobody knows whether the outage goes on.
	if e != nil && (fresh || e.stale && e.recent(now)) {
		if r.trial != nil {
			r.trial.hit(q, e, now)
		} else {
			r.hit(q, e, now)
		}
		return e, true, nil
	}
	if r.trial != nil {
		r.trial.miss()
		return nil, false, gaveUp(q, errUnkept)
	}
	r.misses.Add(1)
	if err := ctx.Err(); err != nil {
		return nil, false, gaveUp(q, err)
	}
	e, err = r.join(ctx, q, e)
	return e, false, err
}

// hit counts an answer from the cache, and asks for it anew in the background
// where it is in use and near its end, or past it.
func (r *Resolver) hit(q question, e *entry, now time.Time) {
	r.hits.Add(1)
	if e.stale {
		r.stale.Add(1)
	}
	again := e.used.Load()
	if !again {
		e.used.Store(true)
	}
	if now.Before(e.soon) || e.failed() || !again && !e.stale || !e.refreshing.CompareAndSwap(false, true) {
		return
	}
	if !e.stale {
		r.prefetches.Add(1)
	}
	if e.nowhere {
		q.name = e.err.Name // which may be above
	}
	r.start(q, e)
}

// start puts q to the servers, unless somebody does so already. The answer
// comes from the channel; a nil one means that it was not q's turn.
func (r *Resolver) start(q question, refreshed *entry) <-chan singleflight.Result {
	// The flight may outlive the message that the name came with.
	q.name = strings.Clone(q.name)
	return r.flights.DoChan(q.key(), func() (any, error) { return r.fly(q, refreshed), nil })
}

// join waits for the answer to q. old is one that may be used when the servers
// fail, or nil.
func (r *Resolver) join(ctx context.Context, q question, old *entry) (*entry, error) {
	var late <-chan time.Time
	if old != nil {
		timer := time.NewTimer(patience)
		defer timer.Stop()
		late = timer.C
	}
	for {
		select {
		case landed := <-r.start(q, nil):
			e := landed.Val.(*entry)
			if e == nil {
				continue // our caller may have more patience
			}
			if e.stale {
				r.stale.Add(1)
			}
			return e, nil
		case <-late:
		case <-ctx.Done():
			// The others who wait for this flight still get its answer, so does
			// the cache.
			if old == nil {
				return nil, gaveUp(q, ctx.Err())
			}
		}
		r.stale.Add(1)
		return old.asStale(), nil
	}
}

// fly gets the answer to q from the servers and keeps it. It is nil where it was
// not q's turn for too long.
func (r *Resolver) fly(q question, refreshed *entry) *entry {
	if e, fresh := r.cache.get(q, r.now()); fresh && e != refreshed {
		return e // a flight landed after our caller looked
	}
	e := r.resolve(q)
	if e == nil {
		if old, _ := r.cache.get(q, r.now()); old != nil {
			old.refreshing.Store(false)
		}
		return nil
	}
	r.count(e)
	return r.cache.keep(q, e, r.now())
}

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
	if errors.Is(err, context.DeadlineExceeded) {
		text = os.ErrDeadlineExceeded.Error()
	}
	return &entry{server: server, err: &net.DNSError{
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

func isTimeout(err error) bool {
	var e net.Error
	return errors.As(err, &e) && e.Timeout()
}
