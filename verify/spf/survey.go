package spf

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"assay/verify/domain"
	"assay/verify/lookup"
)

// Limits of RFC 7208 §4.6.4, as the library enforces them.
const (
	MaxLookups     = 10 // terms that cause look-ups
	MaxVoidLookups = 2  // of them without answer
	maxMXHosts     = 10
)

// MaxSurveyQueries is how many DNS questions one survey asks: enough for ten mx
// with ten hosts each.
const MaxSurveyQueries = 256

// Survey is what a domain publishes for SPF, as it is read, for people. It
// takes the way of a client that no term matches, which is the longest one, and
// goes on beyond the limits of an evaluation, up to MaxSurveyQueries.
type Survey struct {
	Record  *Record
	Lookups int // terms that cause look-ups (RFC 7208 §4.6.4)
	Void    int // of them without any answer, for IPv4 and IPv6 clients alike
	Queries int // DNS questions asked
	// Err is why the record cannot be evaluated, or not for every client: the
	// first permanent error, or else the first failure of the DNS.
	Err error
}

// Record is one record of a Survey.
type Record struct {
	Domain string
	Texts  []string // the TXT records that claim to be SPF: foreign text
	Terms  []Term   // nil where Err is not
	Err    error    // why there is nothing to evaluate; a *SyntaxError has a place
}

// Term is one term of a record and what it stands for.
type Term struct {
	Text      string // as published: foreign text, of visible ASCII only
	Mechanism string // all, include, a, …, redirect, exp; "" for an unknown modifier
	Result    Result // what it gives where it matches; "" for modifiers
	// Target is the name it is about; "" where there is none, or where macros
	// make it depend on the message.
	Target   string
	Networks []netip.Prefix // what it covers, as far as that depends on no message
	Hosts    []string       // of mx
	Lookups  int            // look-ups so far, where this term is one; else 0
	Unused   bool           // an "all" makes it have no effect
	Next     *Record        // of include and redirect
	Err      error
}

// Survey asks for the record of name and all that it leads to.
func (v Verifier) Survey(ctx context.Context, name domain.Name) *Survey {
	s := &surveyor{ctx: ctx, resolver: v.Resolver}
	s.Record = s.read(name.String(), nil)
	s.blame(s.Record.Err)
	if s.Survey.Lookups > MaxLookups {
		s.blame(fmt.Errorf("%w: %d", ErrTooManyLookups, s.Lookups))
	}
	if s.Void > MaxVoidLookups {
		s.blame(fmt.Errorf("%w: %d", ErrTooManyVoid, s.Void))
	}
	return &s.Survey
}

// surveyor makes one Survey.
type surveyor struct {
	Survey
	ctx      context.Context
	resolver lookup.Resolver
}

// blame keeps err if it says more than what is kept.
func (s *surveyor) blame(err error) {
	if s.Err == nil || errors.Is(s.Err, ErrDNS) && err != nil && !errors.Is(err, ErrDNS) {
		s.Err = err
	}
}

// read returns the record of name, to which the records of the given domains
// have led.
func (s *surveyor) read(name string, via []string) *Record {
	r := &Record{Domain: name}
	if slices.Contains(via, name) {
		r.Err = fmt.Errorf("%w: the record leads back to itself", ErrTooManyLookups)
		return r
	}
	if !strings.Contains(name, ".") {
		r.Err = ErrNoRecord // RFC 7208 §4.3
		return r
	}
	txt, err := ask(s, "TXT", name, s.resolver.TXT)
	if err == nil && txt == nil {
		err = ErrNoRecord
	}
	if err != nil {
		r.Err = err
		return r
	}
	r.Texts = candidates(txt.Records)
	found := selectRecord(txt.Records)
	switch {
	case found.err != nil:
		r.Err = found.err
		return r
	case found.record == nil:
		r.Err = ErrNoRecord
		return r
	}
	r.Terms = s.terms(found.record, name, append(via, name))
	return r
}

// terms examines the terms in the order of their evaluation.
func (s *surveyor) terms(r *record, name string, via []string) []Term {
	terms := make([]Term, len(r.terms))
	unused := slices.ContainsFunc(r.terms, func(t term) bool { return t.mechanism == all })
	ended := false
	for i, t := range r.terms {
		terms[i] = Term{Text: t.text, Mechanism: string(t.mechanism), Unused: ended}
		if t.mechanism != redirect && !ended {
			s.examine(&terms[i], t, name, via)
		}
		ended = ended || t.mechanism == all
	}
	for i, t := range r.terms {
		// RFC 7208 §6.1: redirect comes last, wherever it stands, and next to
		// "all" it has no effect.
		if t.mechanism == redirect {
			if terms[i].Unused = unused; !unused {
				s.examine(&terms[i], t, name, via)
			}
		}
	}
	return terms
}

// examine fills in what t, a term in the record of current, stands for.
func (s *surveyor) examine(to *Term, t term, current string, via []string) {
	switch t.mechanism {
	case unknown, explanation:
		return
	case all:
		to.Result = t.result()
		return
	case ip4, ip6:
		to.Result, to.Networks = t.result(), []netip.Prefix{t.network.Masked()}
		return
	case redirect:
	default:
		to.Result = t.result()
	}
	s.Lookups++
	to.Lookups = s.Lookups
	if t.target.uses("sloiphcrtv") {
		return // it depends on the message
	}
	to.Target = current
	if t.target != nil {
		to.Target = t.target.expand(func(byte) string { return current })
	}
	name, ok := queryName(to.Target)
	switch {
	case t.mechanism == include || t.mechanism == redirect:
		to.Next = &Record{Domain: to.Target, Err: ErrNoRecord}
		if ok {
			to.Next = s.read(strings.ToLower(name), via)
		}
		s.blame(to.Next.Err)
	case ok:
		s.resolve(to, t, name)
		s.blame(to.Err)
	}
}

// resolve asks for what a term covers whose name is fixed. A ptr depends on the
// client in any case.
func (s *surveyor) resolve(to *Term, t term, name string) {
	answers := 1
	switch t.mechanism {
	case address:
		to.Networks, to.Err = s.addresses(name, t)
		answers = len(to.Networks)
	case exchanger:
		s.exchangers(to, t, name)
		answers = len(to.Hosts)
	case exists:
		var found []netip.Addr
		found, to.Err = ask(s, "A", name, s.resolver.A)
		answers = len(found)
	}
	if to.Err == nil && answers == 0 {
		s.Void++
	}
}

// exchangers fills in hosts and networks of an mx.
func (s *surveyor) exchangers(to *Term, t term, name string) {
	mxs, err := ask(s, "MX", name, s.resolver.MX)
	to.Err = err
	if len(mxs) > maxMXHosts {
		to.Err = fmt.Errorf("%w: %d", ErrTooManyMX, len(mxs))
		return
	}
	for _, mx := range mxs {
		to.Hosts = append(to.Hosts, mx.Host)
		name, ok := queryName(mx.Host)
		if !ok {
			continue
		}
		networks, err := s.addresses(name, t)
		to.Networks = append(to.Networks, networks...)
		if to.Err == nil {
			to.Err = err
		}
	}
}

// addresses returns the networks that a or mx covers through one name.
func (s *surveyor) addresses(name string, t term) ([]netip.Prefix, error) {
	four, err := ask(s, "A", name, s.resolver.A)
	if err != nil {
		return nil, err
	}
	six, err := ask(s, "AAAA", name, s.resolver.AAAA)
	var networks []netip.Prefix
	for _, addr := range append(slices.Clone(four), six...) {
		bits := t.bits6
		if addr.Is4() {
			bits = t.bits4
		}
		if network, err := addr.Prefix(bits); err == nil {
			networks = append(networks, network)
		}
	}
	return networks, err
}

// ask asks one question; a name that does not exist is an empty answer.
func ask[T any](s *surveyor, rrtype, name string, question func(context.Context, string) (T, error)) (answer T, err error) {
	if s.Queries == MaxSurveyQueries {
		return answer, ErrExhausted
	}
	s.Queries++
	answer, err = question(s.ctx, name)
	switch {
	case lookup.Absent(err):
		return answer, nil
	case err != nil:
		return answer, fmt.Errorf("%w: look-up of %s %s: %w", ErrDNS, rrtype, quote(name), err)
	}
	return answer, nil
}
