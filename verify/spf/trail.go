package spf

import (
	"net"
	"net/netip"
	"slices"
)

// Step is a term that led to a result, and where it stands.
type Step struct {
	Term   string // as published: foreign text, of visible ASCII only
	Domain string // the domain whose record it stands in, as it was looked up
}

// frame is a record under evaluation, and how the evaluation got there.
type frame struct {
	record *record
	domain string
	by     reference // include or redirect; in no frame itself for the first record
}

// position is how far the evaluation has come, as far as the library shows: it
// asks for every term that needs a look-up, in order, but compares networks on
// its own and only says what kind of term has matched.
type position struct {
	frame *frame
	at    int  // index of the term; -1 for the beginning of the record
	hit   bool // the term matches the client
}

// trail returns how the evaluation went on from p to the term that decided, and
// the result that it gives: includes and redirects from the first record on,
// and last the term that matched. It is nil where none did.
func (p position) trail(ip netip.Addr) ([]Step, Result) {
	var steps []Step
	for p.frame != nil {
		if !p.hit {
			steps = nil
			p.at, p.hit = p.frame.next(ip, p.at)
		}
		result := Neutral
		if p.hit {
			steps = append(steps, p.frame.step(p.at))
			result = p.frame.record.terms[p.at].result()
		}
		by := p.frame.by
		// RFC 7208 §6.1: the result of a redirect is that of its target.
		for by.term.mechanism == redirect && by.frame != nil {
			if p.hit {
				steps = append(steps, by.frame.step(by.at))
			}
			by = by.frame.by
		}
		if by.frame == nil {
			slices.Reverse(steps)
			return steps, result
		}
		// RFC 7208 §5.2: an include matches where its target passes.
		p = position{by.frame, by.at, result == Pass}
	}
	return nil, ""
}

func (f *frame) step(at int) Step { return Step{f.record.terms[at].text, f.domain} }

// next returns the index of the first term after at that matches without a
// look-up.
func (f *frame) next(ip netip.Addr, at int) (index int, found bool) {
	for i := at + 1; i < len(f.record.terms); i++ {
		switch t := f.record.terms[i]; t.mechanism {
		case all:
			return i, true
		case ip4, ip6:
			if t.network.Contains(ip) {
				return i, true
			}
		}
	}
	return 0, false
}

// covers reports whether an answer to a term means that it matches.
func (t term) covers(ip netip.Addr, answer []net.IPAddr) bool {
	return slices.ContainsFunc(answer, func(a net.IPAddr) bool {
		addr, _ := netip.AddrFromSlice(a.IP)
		addr = addr.Unmap()
		if t.mechanism != address && t.mechanism != exchanger {
			return addr.Is4() // RFC 7208 §5.7: any A record will do.
		}
		bits := t.bits6
		if addr.Is4() {
			bits = t.bits4
		}
		network, err := addr.Prefix(bits)
		return err == nil && network.Contains(ip)
	})
}

// result returns what a term gives that matches (RFC 7208 §4.6.2).
func (t term) result() Result {
	switch t.qualifier {
	case "-":
		return Fail
	case "~":
		return SoftFail
	case "?":
		return Neutral
	}
	return Pass
}
