package verify

import (
	"cmp"
	"context"
	"fmt"
	"net/netip"
	"runtime/debug"
	"time"

	"assay/verify/arc"
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
	// Queries bounds the DNS questions of one message; 0 is DefaultQueries. Fewer
	// than 36 leave DMARC too few to find every policy. What a method finds when
	// its share is used up is permerror: the sender caused it.
	Queries int
	// EvaluateAllAuthors evaluates a From of up to MaxAuthors domains for each
	// of them; the strictest result counts. Otherwise such a From is invalid.
	EvaluateAllAuthors bool
	ARC                bool // validate ARC chains
	SPFReadAhead       bool // as spf.Verifier.ReadAhead
	JudgeHeader        bool // as dkim.Verifier.JudgeHeader
	// Forwarders are relays whose SPF failures are expected; the first that the
	// client is counts.
	Forwarders []Forwarder
}

// MaxAuthors is how many author domains of one message are evaluated.
const MaxAuthors = 4

// Run is the evaluation of one message. Its methods are called in the order
// Headers, Body, Finish, by one goroutine. Cancel must be called when a message
// is given up; after Finish it does nothing.
type Run struct {
	verifier *Verifier
	ctx      context.Context
	cancel   context.CancelFunc
	shares   *shares

	addr     netip.Addr
	helo     string // its argument, as sent
	envelope *message.Envelope
	mailFrom *background[spf.Check]
	heloSPF  *background[spf.Check]
	iprev    *background[iprev.Evaluation]
	origin   *background[origin] // nil where no forwarder serves the recipients
	author   message.Author
	bodies   dkim.Bodies
	dkim     *dkim.Run
	arc      *arc.Run     // nil when it is off
	dmarc    []*dmarc.Run // one for each author domain that is evaluated
}

// Begin starts SPF and the check of the client's name, and returns at once.
// The look-ups end with ctx. Recipients may be added to e until Headers is
// called.
func (v *Verifier) Begin(ctx context.Context, c *message.Connection, e *message.Envelope) *Run {
	ctx, cancel := context.WithCancel(ctx)
	r := &Run{verifier: v, ctx: ctx, cancel: cancel, shares: &shares{resolver: v.Resolver, total: cmp.Or(v.Queries, DefaultQueries)}}
	addr, helo, sender := c.Addr, c.Helo, e.Sender
	r.addr, r.helo, r.envelope = addr, helo, e
	network := r.shares.of(shareSPF)
	r.mailFrom = start(network, func(resolver lookup.Resolver) spf.Check {
		// What is kept need not be read ahead.
		return spf.Verifier{Resolver: resolver, ReadAhead: v.SPFReadAhead && resolver == network}.MailFrom(ctx, addr, helo, sender)
	})
	r.iprev = start(r.shares.of(shareIPRev), func(resolver lookup.Resolver) iprev.Evaluation { return iprev.Check(ctx, resolver, addr) })
	r.heloSPF = start(r.shares.of(shareHelo), func(resolver lookup.Resolver) spf.Check {
		if sender == "" {
			return spf.Check{} // MAIL FROM stands for the HELO identity then
		}
		return spf.Verifier{Resolver: resolver}.Helo(ctx, addr, helo)
	})
	return r
}

// Headers takes the header section, which must not change until Finish
// returns, and starts the look-ups of keys and policy.
func (r *Run) Headers(h message.Header) {
	r.author = h.Author()
	r.origin = r.forward(h)
	d := dkim.Verifier{Resolver: r.shares.of(shareDKIM), Now: r.verifier.Now, JudgeHeader: r.verifier.JudgeHeader}
	r.dkim = d.Begin(r.ctx, h, r.author.Domain, &r.bodies)
	if r.verifier.ARC {
		r.arc = arc.Verifier{Resolver: r.shares.of(shareARC), Now: r.verifier.Now}.Begin(r.ctx, h, &r.bodies)
	}
	if r.author.Kind == message.AuthorValid || r.verifier.EvaluateAllAuthors && len(r.author.Domains) <= MaxAuthors {
		v := dmarc.Verifier{Resolver: r.shares.of(shareDMARC)}
		for _, author := range r.author.Domains {
			r.dmarc = append(r.dmarc, v.Begin(r.ctx, author))
		}
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
	f := Findings{Client: r.addr, Author: r.author, SPF: r.mailFrom.wait(), Helo: r.heloSPF.wait(), IPRev: r.iprev.wait(), DKIM: r.dkim.Finish()}
	if f.SPF.NullSender {
		f.Helo = f.SPF
		f.Helo.Identity, f.Helo.NullSender = spf.Helo, false
	}
	if r.origin != nil {
		r.origin.wait().join(&f)
	}
	if r.arc != nil {
		f.ARC = r.arc.Finish()
	}
	if len(r.dmarc) == 0 {
		f.DMARC = dmarc.Invalid(fmt.Errorf("author %s", r.author.Kind))
	}
	for _, run := range r.dmarc {
		// RFC 9989 §11.5: of several authors the strictest counts.
		if e := run.Finish(f.SPF, f.DKIM); f.DMARC.Result == "" || e.Stricter(f.DMARC) {
			f.DMARC = e
		}
	}
	f.OutOfTime = !deadline.Stop()
	f.Lookups, f.Stale, f.Refused = int(r.shares.asked.Load()), int(r.shares.stale.Load()), int(r.shares.refused.Load())
	return f
}

// Cancel gives the message up and ends its look-ups.
func (r *Run) Cancel() { r.cancel() }

// background is work that may be under way. A panic in it is raised again by wait,
// so that it fails the message it belongs to and nothing else.
type background[T any] struct {
	done  chan struct{} // closed when the rest is there
	value T
	crash string
}

// start does work that asks r: at once where r has all answers at hand, otherwise in
// the background.
func start[T any](r lookup.Resolver, work func(lookup.Resolver) T) *background[T] {
	b := &background[T]{done: make(chan struct{})}
	if lookup.Try(r, func(kept lookup.Resolver) { b.do(kept, work) }) {
		close(b.done)
		return b
	}
	go func() {
		defer close(b.done)
		b.do(r, work)
	}()
	return b
}

func (b *background[T]) do(r lookup.Resolver, work func(lookup.Resolver) T) {
	defer func() {
		if value := recover(); value != nil {
			b.crash = fmt.Sprintf("%v\n\n%s", value, debug.Stack())
		}
	}()
	b.crash = ""
	b.value = work(r)
}

func (b *background[T]) wait() T {
	<-b.done
	if b.crash != "" {
		panic(b.crash)
	}
	return b.value
}
