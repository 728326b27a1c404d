package spf

import (
	"context"
	"net"
	"net/netip"
	"sync"

	"assay/verify/lookup"
)

// readAhead is a Resolver that can be told of questions before they are asked.
// RFC 7208 §4.6.2 has terms evaluated one after the other; it does not say
// that their answers may not be there already.
type readAhead struct {
	lookup.Resolver
	// spare is how many more questions are asked ahead: ten in all. A record of many
	// includes that matches early must not use up in vain what a message may ask.
	spare   int
	mu      sync.Mutex
	pending map[question]*answer
}

type question struct{ rrtype, name string }

// answer is a look-up under way, or its outcome.
type answer struct {
	done  chan struct{}
	txt   *lookup.TXT
	addrs []netip.Addr
	mxs   []*net.MX
	err   error
	crash any
}

// expect starts the look-ups that the terms of a record ask for if no term
// before them matches, up to what RFC 7208 §4.6.4 leaves. Targets with macros
// are left out: they may ask for more look-ups themselves.
func (r *readAhead) expect(ctx context.Context, terms []term, domain string, four bool, most int) {
	for _, t := range terms {
		if most <= 0 || r.spare <= 0 || t.mechanism == all {
			return // what comes after all is never asked
		}
		name, plain := t.target.plain(domain)
		if !plain {
			continue
		}
		name, ok := queryName(name)
		if !ok {
			continue
		}
		switch t.mechanism {
		case include, redirect:
			r.start(question{"TXT", name}, func(a *answer) { a.txt, a.err = r.Resolver.TXT(ctx, name) })
		case exchanger:
			r.start(question{"MX", name}, func(a *answer) { a.mxs, a.err = r.Resolver.MX(ctx, name) })
		case address:
			if four {
				r.start(question{"A", name}, func(a *answer) { a.addrs, a.err = r.Resolver.A(ctx, name) })
			} else {
				r.start(question{"AAAA", name}, func(a *answer) { a.addrs, a.err = r.Resolver.AAAA(ctx, name) })
			}
		default:
			continue
		}
		most--
		r.spare--
	}
}

func (r *readAhead) start(q question, ask func(*answer)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.pending[q] != nil {
		return
	}
	a := &answer{done: make(chan struct{})}
	r.pending[q] = a
	go func() {
		defer close(a.done)
		defer func() { a.crash = recover() }()
		ask(a)
	}()
}

// taken waits for a look-up that was started; nil when none was.
func (r *readAhead) taken(rrtype, name string) *answer {
	r.mu.Lock()
	a := r.pending[question{rrtype, name}]
	r.mu.Unlock()
	if a == nil {
		return nil
	}
	<-a.done
	if a.crash != nil {
		panic(a.crash)
	}
	return a
}

func (r *readAhead) TXT(ctx context.Context, name string) (*lookup.TXT, error) {
	if a := r.taken("TXT", name); a != nil {
		return a.txt, a.err
	}
	return r.Resolver.TXT(ctx, name)
}

func (r *readAhead) A(ctx context.Context, name string) ([]netip.Addr, error) {
	if a := r.taken("A", name); a != nil {
		return a.addrs, a.err
	}
	return r.Resolver.A(ctx, name)
}

func (r *readAhead) AAAA(ctx context.Context, name string) ([]netip.Addr, error) {
	if a := r.taken("AAAA", name); a != nil {
		return a.addrs, a.err
	}
	return r.Resolver.AAAA(ctx, name)
}

func (r *readAhead) MX(ctx context.Context, name string) ([]*net.MX, error) {
	if a := r.taken("MX", name); a != nil {
		return a.mxs, a.err
	}
	return r.Resolver.MX(ctx, name)
}

// plain returns the name that a target without macros stands for, which is
// that of the record's own domain where none is written.
func (s domainSpec) plain(domain string) (name string, ok bool) {
	if s == nil {
		return domain, true
	}
	for _, p := range s {
		if p.macro {
			return "", false
		}
		name += p.text
	}
	return name, true
}
