package verify

import (
	"context"
	"fmt"
	"runtime/debug"
	"time"

	"assay/verify/dkim"
	"assay/verify/dmarc"
	"assay/verify/iprev"
	"assay/verify/lookup"
	"assay/verify/message"
	"assay/verify/spf"
)

// Verifier evaluates messages. It is safe for concurrent use.
type Verifier struct {
	Resolver lookup.Resolver
	Now      func() time.Time
	// Budget bounds how long Finish waits for DNS; what is missing then is
	// temperror.
	Budget time.Duration
}

// Run is the evaluation of one message. Its methods are called in the order
// Headers, Body, Finish, by one goroutine. Cancel must be called when a message
// is given up; after Finish it does nothing.
type Run struct {
	verifier *Verifier
	ctx      context.Context
	cancel   context.CancelFunc
	resolver *counter

	envelope *background[envelope]
	author   message.Author
	bodies   dkim.Bodies
	dkim     *dkim.Run
	dmarc    *dmarc.Run
}

// envelope is what can be known before the message itself.
type envelope struct {
	mailFrom, helo spf.Check
	iprev          iprev.Evaluation
}

// Begin starts SPF and the check of the client's name, and returns at once.
// The look-ups end with ctx.
func (v *Verifier) Begin(ctx context.Context, c *message.Connection, e *message.Envelope) *Run {
	ctx, cancel := context.WithCancel(ctx)
	r := &Run{verifier: v, ctx: ctx, cancel: cancel, resolver: &counter{resolver: v.Resolver}}
	addr, helo, sender := c.Addr, c.Helo, e.Sender
	r.envelope = start(func() envelope {
		spf := spf.Verifier{Resolver: r.resolver}
		return envelope{
			mailFrom: spf.MailFrom(ctx, addr, helo, sender),
			helo:     spf.Helo(ctx, addr, helo),
			iprev:    iprev.Check(ctx, r.resolver, addr),
		}
	})
	return r
}

// Headers takes the header section, which must not change until Finish
// returns, and starts the look-ups of keys and policy.
func (r *Run) Headers(h message.Header) {
	r.author = h.Author()
	d := dkim.Verifier{Resolver: r.resolver, Now: r.verifier.Now}
	r.dkim = d.Begin(r.ctx, h, r.author.Domain, &r.bodies)
	if r.author.Kind == message.AuthorValid {
		r.dmarc = dmarc.Verifier{Resolver: r.resolver}.Begin(r.ctx, r.author.Domain)
	}
}

// Body takes the next chunk of the body, of any size, and keeps nothing of it. It reports
// whether anybody needs more of the body.
func (r *Run) Body(chunk []byte) (more bool) {
	r.bodies.Write(chunk)
	return r.bodies.Open()
}

// Finish ends the message and returns what was found. It waits for the
// look-ups, no longer than the budget.
func (r *Run) Finish() Findings {
	defer r.cancel()
	deadline := time.AfterFunc(r.verifier.Budget, r.cancel)
	defer deadline.Stop()

	r.bodies.Close()
	e := r.envelope.wait()
	f := Findings{Author: r.author, SPF: e.mailFrom, Helo: e.helo, IPRev: e.iprev, DKIM: r.dkim.Finish()}
	if r.dmarc != nil {
		f.DMARC = r.dmarc.Finish(f.SPF, f.DKIM)
	} else {
		f.DMARC = dmarc.Invalid(fmt.Errorf("author %s: %w", r.author.Kind, r.author.Err))
	}
	f.Lookups = int(r.resolver.asked.Load())
	return f
}

// Cancel gives the message up and ends its look-ups.
func (r *Run) Cancel() { r.cancel() }

// background is work under way. A panic in it is raised again by wait, so that it
// fails the message it belongs to and nothing else.
type background[T any] struct {
	done  chan struct{}
	value T
	crash string
}

func start[T any](work func() T) *background[T] {
	b := &background[T]{done: make(chan struct{})}
	go func() {
		defer close(b.done)
		defer func() {
			if value := recover(); value != nil {
				b.crash = fmt.Sprintf("%v\n\n%s", value, debug.Stack())
			}
		}()
		b.value = work()
	}()
	return b
}

func (b *background[T]) wait() T {
	<-b.done
	if b.crash != "" {
		panic(b.crash)
	}
	return b.value
}
