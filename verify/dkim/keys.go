package dkim

import (
	"context"
	"slices"

	"assay/verify/domain"
	"assay/verify/lookup"
)

// Keys looks the keys of one message up in the background, each once however
// many signatures name it. The zero value is ready; it is not safe for
// concurrent use.
type Keys struct {
	asked []*PendingKey
}

// PendingKey is the look-up of one key.
type PendingKey struct {
	sdid, selector domain.Name
	done           chan struct{}
	key            *Key
	err            error
	panicked       any
}

// Find starts the look-up of a key, or returns the one under way. It ends with
// ctx; where the resolver has the answer at hand, at once.
func (k *Keys) Find(ctx context.Context, resolver lookup.Resolver, selector, sdid domain.Name) *PendingKey {
	at := slices.IndexFunc(k.asked, func(p *PendingKey) bool { return p.sdid == sdid && p.selector == selector })
	if at >= 0 {
		return k.asked[at]
	}
	p := &PendingKey{sdid: sdid, selector: selector, done: make(chan struct{})}
	k.asked = append(k.asked, p)
	find := func(r lookup.Resolver) { p.find(ctx, r) }
	if lookup.Try(resolver, find) {
		close(p.done)
		return p
	}
	go func() {
		defer close(p.done)
		find(resolver)
	}()
	return p
}

// Len returns how many look-ups were started.
func (k *Keys) Len() int { return len(k.asked) }

func (p *PendingKey) find(ctx context.Context, resolver lookup.Resolver) {
	defer func() { p.panicked = recover() }()
	p.key, p.err = FindKey(ctx, resolver, p.selector, p.sdid)
}

// Wait returns the key, or the error of FindKey. A panic of the look-up is
// raised here again.
func (p *PendingKey) Wait() (*Key, error) {
	<-p.done
	if p.panicked != nil {
		panic(p.panicked)
	}
	return p.key, p.err
}
