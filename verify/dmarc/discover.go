package dmarc

import (
	"context"
	"fmt"

	"assay/verify/domain"
	"assay/verify/lookup"
)

// Tags that a requested policy can come from.
const (
	TagP  = "p"
	TagSP = "sp"
	TagNP = "np"
)

// discovery is what the DNS says about one author domain.
type discovery struct {
	policy    *Step // where the policy record is; nil where there is none
	inherited bool  // the record is not the author domain's own
	org       organization
	orgErr    error // why org is not known although policy is
	err       error // why policy is not known
}

// discover finds the policy record that applies to author, and author's
// organizational domain where it can matter.
func (w *walker) discover(ctx context.Context, author domain.Name) discovery {
	if author.IsZero() {
		return discovery{err: ErrNoAuthor}
	}
	// RFC 9989 §4.10.1: the author domain's own record is preferred.
	own := w.ask(ctx, author)
	switch {
	case own.Found == FoundError:
		return discovery{err: own.Err}
	case own.Found == FoundRecord && !needsOrganization(own):
		return discovery{policy: &own}
	}
	found, err := w.walk(ctx, author)
	org := selectOrganization(author, found)
	switch {
	case own.Found == FoundRecord && err != nil:
		return discovery{policy: &own, orgErr: err}
	case own.Found == FoundRecord:
		return discovery{policy: &own, org: org}
	case err != nil:
		return discovery{err: err}
	}
	return discovery{policy: inheritedPolicy(org.name, found), inherited: true, org: org}
}

// needsOrganization reports whether own leaves alignment to be decided by
// organizational domains.
func needsOrganization(own Step) bool {
	return own.Err == nil && (own.Record.ADKIM == Relaxed || own.Record.ASPF == Relaxed)
}

// inheritedPolicy returns the step with the policy record of an author domain
// that has none of its own: that of its organizational domain, else that of the
// public suffix domain above. Records in between do not count (RFC 9989
// §4.10.1).
func inheritedPolicy(org domain.Name, found []Step) *Step {
	for i := range found {
		if found[i].Name == org {
			return &found[i]
		}
	}
	if len(found) == 0 {
		return nil
	}
	// Without a record of its own, the organizational domain was derived from
	// the public suffix record that ended the walk.
	return &found[len(found)-1]
}

// Existence says whether the author domain exists.
type Existence string

// What is known about the author domain. The zero value means that nobody
// needed to know.
const (
	Exists Existence = "exists"
	Absent Existence = "absent"
)

// existence asks whether name exists. Only NXDOMAIN says that it does not (RFC
// 9989 §3.2.13, RFC 8020): a name without addresses is not absent.
func (w *walker) existence(ctx context.Context, name domain.Name) (Existence, error) {
	w.queries++
	_, err := w.resolver.A(ctx, name.String())
	switch {
	case lookup.Absent(err):
		return Absent, nil
	case lookup.IsExhausted(err):
		return "", nil // unknown, so that np does not apply
	case err != nil:
		return "", fmt.Errorf("lookup of %s: %w", name, err)
	}
	return Exists, nil
}

// asks returns the policy that r publishes for the author domain, and its tag.
func (r *Record) asks(inherited bool, e Existence) (Policy, string) {
	// RFC 9989 §4.10.1: sp and np are for inherited policies, np falls back to
	// sp, and sp to p.
	switch {
	case inherited && e == Absent && r.NP != "":
		return r.NP, TagNP
	case inherited && r.SP != "":
		return r.SP, TagSP
	}
	return r.P, TagP
}

// existenceMatters reports whether np asks for something else than its
// fallback.
func (r *Record) existenceMatters(inherited bool) bool {
	absent, _ := r.asks(inherited, Absent)
	exists, _ := r.asks(inherited, Exists)
	return absent != exists
}

// lowered returns what p asks for in test mode (RFC 9989 §4.7, tag t).
func (p Policy) lowered() Policy {
	switch p {
	case PolicyReject:
		return PolicyQuarantine
	case PolicyQuarantine:
		return PolicyNone
	}
	return p
}
