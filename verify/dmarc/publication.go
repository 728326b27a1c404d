package dmarc

import (
	"context"

	"assay/verify/domain"
)

// Publication is what a domain publishes for DMARC, as it is read, for people.
type Publication struct {
	Name  domain.Name
	Steps []Step // the names asked for, in order
	// OrgDomain is that of Name, OrgErr why it is not known.
	OrgDomain   domain.Name
	SuffixGuard bool // MinOrgLabels decided OrgDomain
	OrgErr      error

	// What applies to mail from Name itself, and from a name below it that has
	// no record: one that exists, and one that does not.
	Own, Below, BelowAbsent Application

	Queries int // DNS questions asked
}

// Application is the policy that applies to one author domain.
type Application struct {
	PolicyDomain domain.Name // where Record is; zero where none applies
	Record       *Record     // shared and read-only
	Requested    Policy      // after sp, np and t; "" where none applies
	Tag          string      // where Requested comes from: TagP, TagSP or TagNP
	Lowered      bool        // t=y has lowered Requested
	Err          error       // why the record or the answer is not usable
}

// Lookup finds out what is published for name.
func (v Verifier) Lookup(ctx context.Context, name domain.Name) Publication {
	w := &walker{resolver: v.Resolver}
	p := Publication{Name: name}
	own := w.discover(ctx, name)
	p.Own = w.application(ctx, name, own)
	// Both modes strict, or an unusable record, make an evaluation end before
	// the walk; people want to see it.
	found, err := w.walk(ctx, name)
	if p.OrgErr = err; err == nil {
		org := selectOrganization(name, found)
		p.OrgDomain, p.SuffixGuard = org.name, org.guarded
	}
	p.Below, p.BelowAbsent = w.below(ctx, name)
	for _, s := range w.steps {
		if s.Name.Parent() != name { // what was assumed by below
			p.Steps = append(p.Steps, s)
		}
	}
	p.Queries = w.queries
	return p
}

// below returns what applies to a name directly below name that has no record
// of its own.
func (w *walker) below(ctx context.Context, name domain.Name) (exists, absent Application) {
	child, err := domain.Parse("x." + name.String())
	if err != nil {
		a := Application{Err: err} // no name can be longer
		return a, a
	}
	w.steps = append(w.steps, Step{Name: child, Found: FoundNothing})
	d := w.discover(ctx, child)
	return d.application(Exists), d.application(Absent)
}

// application returns what applies to name, asking whether it exists where that
// makes a difference.
func (w *walker) application(ctx context.Context, name domain.Name, d discovery) Application {
	existence := Exists
	if d.err == nil && d.policy != nil && d.policy.Err == nil && d.policy.Record.existenceMatters(d.inherited) {
		var err error
		if existence, err = w.existence(ctx, name); err != nil {
			return Application{PolicyDomain: d.policy.Name, Record: d.policy.Record, Err: err}
		}
	}
	return d.application(existence)
}

// application returns the policy for an author domain of which that much is
// known.
func (d discovery) application(e Existence) Application {
	switch {
	case d.err != nil:
		return Application{Err: d.err}
	case d.policy == nil:
		return Application{}
	case d.policy.Err != nil:
		return Application{PolicyDomain: d.policy.Name, Record: d.policy.Record, Err: d.policy.Err}
	}
	a := Application{PolicyDomain: d.policy.Name, Record: d.policy.Record}
	asked, tag := a.Record.asks(d.inherited, e)
	a.Requested, a.Tag = asked, tag
	if a.Record.Test {
		a.Requested = asked.lowered()
	}
	a.Lowered = a.Requested != asked
	return a
}
