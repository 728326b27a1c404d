package dkim

import (
	"encoding/binary"
	"math/bits"
)

// reducer is the body canonicalization relaxed (RFC 6376 §3.4.4): it reduces
// each run of blanks to one space, drops the run at the end of a line, and
// leaves the empty lines at the end of the body to its trailer.
//
// Text passes in spans: a scan finds the next place where something has to
// change, and what lies before it is copied as it is.
type reducer struct {
	out    trailer
	blank  bool // a run of blanks is held back
	cr     bool // a CR after that run is held back: with LF it ends the line
	filled int
	buffer [4096]byte
}

// direct is the length from which a span is hashed where it lies.
const direct = 512

func (r *reducer) write(p []byte) {
	for len(p) > 0 {
		if r.blank {
			p = p[r.afterBlank(p):]
			continue
		}
		n := plain(p)
		r.span(p[:n])
		p = p[n:]
		if len(p) > 0 {
			p = p[r.atBlank(p):]
		}
	}
}

// atBlank consumes the run of blanks at the start of p and returns its length.
// Where the octets in p do not settle what becomes of the run, it is held back.
func (r *reducer) atBlank(p []byte) int {
	n := run(p)
	switch {
	case n+1 < len(p) && p[n] == '\r' && p[n+1] == '\n':
		// RFC 6376 §3.4.4: blanks at the end of a line are ignored.
	case n < len(p) && p[n] != '\r':
		r.span(space)
	default:
		r.blank = true
	}
	return n
}

// afterBlank consumes what decides the fate of a held-back run of blanks, and
// returns how much that was: 0 when the run is settled by what comes next.
func (r *reducer) afterBlank(p []byte) int {
	if r.cr {
		r.blank, r.cr = false, false
		if p[0] == '\n' {
			r.span(crlfs[:2]) // the run was at the end of a line
			return 1
		}
		r.span(spaceCR)
		return 0
	}
	n := run(p)
	switch {
	case n == len(p):
	case p[n] == '\r':
		r.cr = true
		n++
	default:
		r.blank = false
		r.span(space)
	}
	return n
}

// run returns the length of the run of blanks that p begins with.
func run(p []byte) int {
	n := 0
	for n < len(p) && (p[n] == ' ' || p[n] == '\t') {
		n++
	}
	return n
}

// Held-back octets, to be passed on without allocating.
var (
	space   = []byte{' '}
	spaceCR = []byte{' ', '\r'}
)

// plain returns the length of the longest start of p that relaxed leaves as it
// is: up to a tab, or up to a space that may not stand alone.
func plain(p []byte) int {
	const stride = 32
	i := 0
	for ; i+stride < len(p); i += stride {
		block := p[i : i+stride+1 : i+stride+1]
		a, b, c, d := suspects(block[0:9]), suspects(block[8:17]), suspects(block[16:25]), suspects(block[24:33])
		if a|b|c|d == 0 {
			continue
		}
		if n := stop(block, first(a, b, c, d)); n < stride {
			return i + n
		}
	}
	return stop(p, i)
}

// suspects looks at eight octets and their successors at once. It is not zero
// when one of them is a space before an octet up to the space, or is an octet
// up to the tab. It never misses one; octets below the tab and, rarely, a
// neighbour of a real one raise false alarms.
func suspects(p []byte) uint64 {
	const (
		ones  = 0x0101010101010101
		highs = 0x8080808080808080
	)
	x := binary.LittleEndian.Uint64(p)
	next := binary.LittleEndian.Uint64(p[1:])
	s := x ^ ones*' '
	spaces := (s - ones) &^ s
	low := (next - ones*(' '+1)) &^ next
	tabs := (x - ones*('\t'+1)) &^ x
	return (spaces&low | tabs) & highs
}

// first returns the position of the first suspect octet of four groups of
// eight.
func first(a, b, c, d uint64) int {
	switch {
	case a != 0:
		return bits.TrailingZeros64(a) / 8
	case b != 0:
		return 8 + bits.TrailingZeros64(b)/8
	case c != 0:
		return 16 + bits.TrailingZeros64(c)/8
	}
	return 24 + bits.TrailingZeros64(d)/8
}

// stop is plain octet by octet, from i on. A blank at the end of p is a place
// to stop at: what follows it is not known yet.
func stop(p []byte, i int) int {
	for ; i < len(p); i++ {
		if p[i] == '\t' || p[i] == ' ' && (i+1 == len(p) || p[i+1] == ' ' || p[i+1] == '\t' || p[i+1] == '\r') {
			return i
		}
	}
	return i
}

// span passes canonical octets on, by way of the buffer when they are few.
func (r *reducer) span(p []byte) {
	if len(p) >= direct {
		r.flush()
		r.out.write(p)
		return
	}
	if r.filled+len(p) > len(r.buffer) {
		r.flush()
	}
	r.filled += copy(r.buffer[r.filled:], p)
}

func (r *reducer) flush() {
	r.out.write(r.buffer[:r.filled])
	r.filled = 0
}

func (r *reducer) close() {
	if r.cr {
		r.span(spaceCR)
	}
	// A run of blanks at the end of the body is at the end of a line.
	r.flush()
	r.out.close(false)
}
