// Package iprev asks whether the client's address has a name in the DNS that
// leads back to it. Many receivers like to see it in the header; it says
// nothing about the message or its author.
//
// Implements: RFC 8601 §2.7.3, §3 (iprev).
//
// Departures: at most MaxNames names are examined, the limit that RFC 7208
// §4.6.4 gives the same look-ups of SPF.
package iprev

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"

	"assay/verify/authres"
	"assay/verify/domain"
	"assay/verify/lookup"
)

// Result is a result of RFC 8601 §2.7.3, which has no "none". The zero value
// means not evaluated and is never written.
type Result string

// The results of RFC 8601 §2.7.3.
const (
	Pass      Result = "pass"      // a name leads back to the address
	Fail      Result = "fail"      // there are names, but none does
	TempError Result = "temperror" // the DNS failed before a name did
	PermError Result = "permerror" // the address has no name
)

// Why the result is not Pass.
var (
	ErrAddress  = errors.New("no client address")
	ErrNoName   = errors.New("address without name")
	ErrMismatch = errors.New("no name leads back to the address")
	ErrDNS      = errors.New("DNS failure")
	// ErrExhausted comes with PermError.
	ErrExhausted = errors.New("too many DNS questions")
)

var causes = []error{ErrAddress, ErrNoName, ErrMismatch, ErrDNS, ErrExhausted}

// MaxNames is how many names of an address are examined; the others are
// ignored. Each costs one look-up.
const MaxNames = 10

// Evaluation is what was found about one address.
type Evaluation struct {
	Result Result
	Addr   netip.Addr  // the address examined, never an IPv4-mapped one
	Name   domain.Name // the verified name; zero unless Result is Pass
	Err    error       // explains every result but Pass; wraps an error of this package
}

// Check evaluates the client address ip.
func Check(ctx context.Context, r lookup.Resolver, ip netip.Addr) Evaluation {
	ip = ip.Unmap().WithZone("")
	name, err := verifiedName(ctx, r, ip)
	if err == nil {
		return Evaluation{Result: Pass, Addr: ip, Name: name}
	}
	e := Evaluation{Result: PermError, Addr: ip, Err: fmt.Errorf("iprev: %w", err)}
	switch {
	case errors.Is(err, ErrDNS):
		e.Result = TempError
	case errors.Is(err, ErrMismatch):
		e.Result = Fail
	}
	return e
}

// verifiedName returns the first name of ip that leads back to it.
func verifiedName(ctx context.Context, r lookup.Resolver, ip netip.Addr) (domain.Name, error) {
	if !ip.IsValid() {
		return domain.Name{}, ErrAddress
	}
	texts, err := r.PTR(ctx, ip)
	switch {
	case lookup.IsExhausted(err):
		return domain.Name{}, ErrExhausted
	case lookup.Temporary(err):
		return domain.Name{}, fmt.Errorf("%w: names of %s: %w", ErrDNS, ip, err)
	// RFC 8601 §2.7.3: without PTR record the result is permerror.
	case err != nil || len(texts) == 0:
		return domain.Name{}, ErrNoName
	}
	ask := r.AAAA
	if ip.Is4() {
		ask = r.A
	}
	failure := ErrMismatch
	for _, text := range texts[:min(len(texts), MaxNames)] {
		name, err := domain.Parse(text)
		if err != nil {
			continue // no host has such a name
		}
		addrs, err := ask(ctx, name.String())
		if slices.Contains(addrs, ip) {
			return name, nil
		}
		if lookup.IsExhausted(err) {
			return domain.Name{}, ErrExhausted
		}
		if lookup.Temporary(err) {
			// What this name would have shown is unknown, so it is not a fail.
			failure = fmt.Errorf("%w: addresses of %s: %w", ErrDNS, name, err)
		}
	}
	return domain.Name{}, failure
}

// AuthRes returns the evaluation as a result of RFC 8601 §2.7.3.
func (e Evaluation) AuthRes() authres.Result {
	r := authres.Result{Method: "iprev", Value: string(e.Result), Comment: e.Name.String()}
	if e.Addr.IsValid() {
		r.Props = []authres.Prop{{Type: "policy", Name: "iprev", Value: e.Addr.String()}}
	}
	for _, cause := range causes {
		if errors.Is(e.Err, cause) {
			r.Comment = cause.Error()
		}
	}
	return r
}
