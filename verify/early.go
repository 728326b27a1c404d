package verify

import (
	"slices"
	"time"

	"assay/verify/dmarc"
	"assay/verify/domain"
	"assay/verify/lookup"
	"assay/verify/spf"
)

// MailFrom waits for the SPF check of the envelope sender, no longer than
// limit. It may be called between Begin and Finish; ok tells whether the check
// is there and says something: the client is no listed forwarder, nor may it be one.
func (r *Run) MailFrom(limit time.Duration) (check spf.Check, ok bool) {
	if !r.within(limit, r.mailFrom.done) {
		return spf.Check{}, false
	}
	check = r.mailFrom.wait()
	if check.Result != spf.Fail || len(r.verifier.Forwarders) == 0 {
		return check, true
	}
	if !r.within(limit, r.iprev.done) {
		return spf.Check{}, false
	}
	rev := r.iprev.wait()
	return check, !slices.ContainsFunc(r.verifier.Forwarders, func(f Forwarder) bool { return f.is(r.addr, rev) || f.hidden(rev) })
}

// Covered reports whether a DMARC policy covers d, or may do so: what cannot be
// told within limit counts as covered. It may be called between Begin and
// Finish, and asks questions of its own.
func (r *Run) Covered(d domain.Name, limit time.Duration) bool {
	search := start(r.shares.of(shareEarly), func(resolver lookup.Resolver) dmarc.Evaluation {
		return dmarc.Verifier{Resolver: resolver}.Begin(r.ctx, d).Finish(spf.Check{}, nil)
	})
	return !r.within(limit, search.done) || search.wait().Result != dmarc.None
}

func (r *Run) within(limit time.Duration, done <-chan struct{}) bool {
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case <-done:
		return true
	case <-timer.C:
		return false
	}
}
