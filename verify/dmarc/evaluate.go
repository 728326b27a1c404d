package dmarc

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"

	"assay/verify/dkim"
	"assay/verify/domain"
	"assay/verify/lookup"
	"assay/verify/spf"
)

// Result is a DMARC result of RFC 9989 §9.1. The zero value means not
// evaluated and is never written.
type Result string

// The results of RFC 9989 §9.1.
const (
	None      Result = "none"      // no record applies
	Pass      Result = "pass"      // an aligned identifier was authenticated
	Fail      Result = "fail"      // none was
	TempError Result = "temperror" // an outage hides the answer
	PermError Result = "permerror" // the record, or the message, cannot be evaluated
)

// Reasons for fail.
var (
	ErrNotAligned = errors.New("no aligned identifier passed")
)

// Reasons for temperror; all but ErrPending come with the DNS error.
var (
	ErrDiscovery    = errors.New("policy discovery failed")
	ErrOrganization = errors.New("cannot determine the organizational domain")
	ErrPending      = errors.New("an identifier that may align met a temporary error")
	ErrExistence    = errors.New("cannot tell whether the author domain exists")
)

// Reasons for permerror, beside ErrUnusable.
var (
	ErrNoAuthor = errors.New("no author domain")
)

// Evaluation is the DMARC result of one message and author domain, with its
// evidence.
type Evaluation struct {
	Result       Result
	AuthorDomain domain.Name
	// OrgDomain is that of the author domain; zero where it was not needed or
	// could not be determined.
	OrgDomain domain.Name
	// SuffixGuard is set where MinOrgLabels decided OrgDomain.
	SuffixGuard bool
	// PolicyDomain is where Record was found; zero where none was.
	PolicyDomain domain.Name
	// Record is shared and read-only. It is nil where none applies, or none is
	// known because of an outage: that alone does not rule out a pass.
	Record *Record

	// Requested is what the owner asks for with mail that fails, after sp, np
	// and t; "" where no policy applies or an outage forbids to apply it.
	Requested Policy
	// Tag says which tag Requested comes from: TagP, TagSP or TagNP; "" where
	// Requested is.
	Tag string
	// TestMode is set where t=y has lowered Requested, or would have.
	TestMode bool
	// Author says whether the author domain exists. It is known only where the
	// choice between np and its fallback depended on it.
	Author Existence

	AlignedSPF  bool  // MAIL FROM passed and is aligned
	AlignedDKIM []int // indexes of the signatures that passed and are aligned

	// Comparisons are the identifiers that passed beside the author domain, in
	// the order of their evaluation.
	Comparisons []Comparison

	Steps   []Step // the names asked for, in order
	Queries int    // DNS questions asked
	Err     error  // explains every result that is neither pass nor none
}

// Invalid returns the permerror of a message whose author domain cannot be
// told, for the given reason (RFC 9989 §5.3.1, §11.5).
func Invalid(reason error) Evaluation {
	return Evaluation{Result: PermError, Err: reason}
}

// Verifier evaluates messages. It is safe for concurrent use.
type Verifier struct {
	Resolver lookup.Resolver
}

// Run is the evaluation of one message and author domain.
type Run struct {
	ctx    context.Context
	author domain.Name
	walker walker
	done   chan struct{} // closed when found is there, or crash
	found  discovery
	crash  string // panic value and stack of the background work
}

// Begin starts to look for the policy of author and its organizational domain,
// and returns at once. The work ends when it is done or ctx is; ctx also bounds
// Finish.
func (v Verifier) Begin(ctx context.Context, author domain.Name) *Run {
	r := &Run{
		ctx:    ctx,
		author: author,
		done:   make(chan struct{}),
	}
	if lookup.Try(v.Resolver, r.discover) {
		close(r.done)
		r.walker.resolver = v.Resolver // Finish may have to wait
		return r
	}
	go func() {
		defer close(r.done)
		r.discover(v.Resolver)
	}()
	return r
}

func (r *Run) discover(resolver lookup.Resolver) {
	defer func() {
		if value := recover(); value != nil {
			r.crash = fmt.Sprintf("%v\n\n%s", value, debug.Stack())
		}
	}()
	r.crash, r.walker = "", walker{resolver: resolver}
	r.found = r.walker.discover(r.ctx, r.author)
}

// Finish waits for what Begin started and evaluates the results of SPF and
// DKIM. It must be called once at most. A panic of the background work is
// raised again here.
func (r *Run) Finish(s spf.Check, sigs []dkim.Signature) Evaluation {
	<-r.done
	if r.crash != "" {
		panic("dmarc: policy discovery: " + r.crash)
	}
	if r.author.IsZero() {
		return Invalid(ErrNoAuthor)
	}
	e := Evaluation{
		AuthorDomain: r.author,
		OrgDomain:    r.found.org.name,
		SuffixGuard:  r.found.org.guarded,
	}
	if policy := r.found.policy; policy != nil {
		e.PolicyDomain, e.Record, e.TestMode = policy.Name, policy.Record, policy.Record.Test
	}
	e.Result, e.Err = r.judge(&e, s, sigs)
	if e.Record != nil && (e.Result == Pass || e.Result == Fail) {
		e.Requested, e.Tag = e.Record.asks(r.found.inherited, e.Author)
		if e.TestMode {
			e.Requested = e.Requested.lowered()
		}
	}
	e.Steps, e.Queries = r.walker.steps, r.walker.queries
	return e
}

func (e *Evaluation) aligned() bool { return e.AlignedSPF || len(e.AlignedDKIM) > 0 }

// judge returns the result and, where it is neither pass nor none, its reason.
func (r *Run) judge(e *Evaluation, s spf.Check, sigs []dkim.Signature) (Result, error) {
	switch {
	case r.found.err != nil:
		// Equal names are aligned in either mode, whatever the record says.
		a := alignment{run: r, record: &Record{ADKIM: Strict, ASPF: Strict}}
		a.align(e, s, sigs)
		if e.aligned() {
			return Pass, nil
		}
		result := TempError
		if lookup.IsExhausted(r.found.err) {
			result = PermError // the sender caused it
		}
		return result, fmt.Errorf("dmarc: %w: %w", ErrDiscovery, r.found.err)
	case r.found.policy == nil:
		// RFC 9989 §4.10.1: without a record DMARC is not applied.
		return None, nil
	case r.found.policy.Err != nil:
		return PermError, fmt.Errorf("dmarc: record of %s: %w", e.PolicyDomain, r.found.policy.Err)
	}
	a := alignment{run: r, record: e.Record, walked: make(map[domain.Name]bool)}
	doubt := a.align(e, s, sigs)
	// RFC 9989 §5.3.5: one aligned pass is enough, whatever else went wrong.
	if e.aligned() {
		return Pass, nil
	}
	if doubt == nil {
		doubt = a.pending(s, sigs)
	}
	// RFC 9989 §5.3.6: an outage is neither pass nor fail.
	if doubt != nil {
		return TempError, doubt
	}
	if e.Record.existenceMatters(r.found.inherited) {
		var err error
		if e.Author, err = r.walker.existence(r.ctx, r.author); err != nil {
			return TempError, fmt.Errorf("dmarc: %w: %w", ErrExistence, err)
		}
	}
	return Fail, fmt.Errorf("dmarc: %w with %s", ErrNotAligned, r.author)
}
