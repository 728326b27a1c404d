package spf

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"

	"assay/verify/domain"
	"assay/verify/lookup"
	library "blitiri.com.ar/go/spf"
)

// Verifier evaluates SPF for one client and identity at a time. It is safe for
// concurrent use when its Resolver is.
type Verifier struct {
	Resolver lookup.Resolver
	// ReadAhead looks up what the terms of a record may need while the terms before
	// them are evaluated. It shortens the wait for a cold record and asks for more than
	// an evaluation that ends early needs.
	ReadAhead bool
}

// MailFrom checks the MAIL FROM identity of a message that the client ip sends.
// envelopeSender is the reverse-path without angle brackets, otherwise as the
// client sent it; for the null sender, "", the identity is postmaster@helo. The
// deadline of ctx ends the check with TempError.
func (v Verifier) MailFrom(ctx context.Context, ip netip.Addr, helo, envelopeSender string) Check {
	if envelopeSender == "" {
		// RFC 7208 §2.4: the null sender is checked as postmaster@HELO.
		c := v.checkHelo(ctx, ip, helo)
		c.Identity, c.NullSender = MailFrom, true
		return c
	}
	sender, err := parseMailbox(envelopeSender)
	if err != nil {
		return Check{Result: None, Identity: MailFrom, Err: err}
	}
	c := v.evaluate(ctx, ip, helo, sender)
	c.Identity = MailFrom
	return c
}

// Helo checks the HELO identity. helo is the argument of HELO or EHLO as sent;
// unless it is a domain name of two labels or more, the result is None.
func (v Verifier) Helo(ctx context.Context, ip netip.Addr, helo string) Check {
	c := v.checkHelo(ctx, ip, helo)
	c.Identity = Helo
	return c
}

func (v Verifier) checkHelo(ctx context.Context, ip netip.Addr, helo string) Check {
	// RFC 7208 §2.3: only a valid, multi-label domain name can be checked; an
	// address literal is none.
	name, err := usableDomain(helo)
	if err != nil {
		return Check{Result: None, Err: err}
	}
	return v.evaluate(ctx, ip, helo, mailbox{"postmaster", name})
}

// evaluate runs the library on the domain of sender.
func (v Verifier) evaluate(ctx context.Context, ip netip.Addr, helo string, sender mailbox) Check {
	if !ip.IsValid() {
		return Check{Result: None, Domain: sender.domain, Err: fmt.Errorf("spf: %w", ErrAddress)}
	}
	e := &evaluation{
		resolver: v.Resolver,
		// RFC 7208 §5: an IPv4-mapped IPv6 address is an IPv4 address.
		ip:     ip.Unmap().WithZone(""),
		helo:   heloMacro(helo),
		sender: sender,
	}
	if v.ReadAhead {
		e.ahead = &readAhead{Resolver: v.Resolver, spare: MaxLookups, pending: map[question]*answer{}}
		e.resolver = e.ahead
	}
	start := e.add(reference{term: term{mechanism: redirect}, domain: sender.domain.String()})
	result, err := library.CheckHostWithSender(e.ip.AsSlice(), "", "@"+start,
		library.WithContext(ctx), library.WithResolver(e))
	c := Check{Result: Result(result), Domain: sender.domain, Lookups: e.lookups()}
	if e.exhausted {
		// Whatever the library made of it: the sender caused it.
		c.Result, c.Err = PermError, fmt.Errorf("spf: %s: %w", sender.domain, ErrExhausted)
		return c
	}
	switch c.Result {
	case Pass, Fail, SoftFail, Neutral:
		c.Mechanism = e.matched(err)
		if trail, result := e.position.trail(e.ip); result == c.Result {
			c.Trail = trail
		}
	default:
		c.Err = fmt.Errorf("spf: %s: %w", sender.domain, e.explain(c.Result, err))
	}
	return c
}

// maxHeloBytes is the longest HELO argument that is read, in octets (RFC 5321
// §4.5.3.1.2).
const maxHeloBytes = 255

// heloMacro returns what %{h} stands for: the name in A-labels (RFC 8616 §4),
// or what the client said, if nothing in it can do harm; "" otherwise, which
// makes a name that matches nothing.
func heloMacro(helo string) string {
	if name, err := domain.Parse(helo); err == nil {
		return name.String()
	}
	if len(helo) > maxHeloBytes || !printable(helo) {
		return ""
	}
	return helo
}

// matched returns the name of the mechanism that matched; err is what the
// library returned with its result.
func (e *evaluation) matched(err error) string {
	switch err {
	case library.ErrMatchedAll:
		return string(all)
	case library.ErrMatchedIP:
		if e.ip.Is4() {
			return string(ip4)
		}
		return string(ip6)
	case library.ErrMatchedA, library.ErrMatchedMX, library.ErrMatchedExists:
		// The library saw a ptr as exists, so the term itself is asked.
		return string(e.last.mechanism)
	}
	return ""
}

// explain returns the reason of a result that is not a verdict.
func (e *evaluation) explain(result Result, err error) error {
	if result == TempError && e.failure != nil {
		return e.failure
	}
	for _, known := range []struct{ theirs, ours error }{
		{library.ErrNoResult, ErrNoRecord},
		{library.ErrLookupLimitReached, ErrTooManyLookups},
		{library.ErrVoidLookupLimitReached, ErrTooManyVoid},
		{library.ErrTooManyMXRecords, ErrTooManyMX},
	} {
		if errors.Is(err, known.theirs) {
			return e.at(known.ours)
		}
	}
	if slices.ContainsFunc(causes, func(cause error) bool { return errors.Is(err, cause) }) {
		return err // what LookupTXT returned
	}
	// The library refused what the syntax check let through; a fuzz test looks
	// for such records.
	return fmt.Errorf("%w: %w", ErrSyntax, err)
}

// at names the term that was looked up last, if there was one.
func (e *evaluation) at(err error) error {
	if e.lookups() == 0 {
		return err
	}
	return fmt.Errorf("%s:%s: %w", e.last.mechanism, quote(e.lastName), err)
}
