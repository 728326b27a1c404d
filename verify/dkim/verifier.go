package dkim

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"slices"
	"time"

	"assay/verify/domain"
	"assay/verify/lookup"
	"assay/verify/message"
)

// MaxSignatures is how many signatures of one message are evaluated.
const MaxSignatures = 10

// Verifier verifies the DKIM signatures of messages. It is safe for concurrent
// use.
type Verifier struct {
	Resolver lookup.Resolver
	Now      func() time.Time
	// JudgeHeader verifies the signature of a message whose body differs, too, and sets
	// Signature.HeaderIntact. It costs a public key operation that otherwise
	// is saved.
	JudgeHeader bool
}

// Run is the verification of one message. It is not safe for concurrent use.
type Run struct {
	header     message.Header
	thorough   bool // Verifier.JudgeHeader
	signatures []Signature
	open       []*candidate
}

// candidate is a signature that nothing speaks against yet.
type candidate struct {
	at     int // index in Run.signatures
	field  int // index in the header
	near   int // how near its SDID is to the author domain
	parsed *parsed
	hash   *BodyHash
	key    *PendingKey
}

// Begin parses the signatures of header, asks bodies for the hashes they need and
// starts all key look-ups, which end with ctx. The signatures whose SDID
// comes closest to author, which may be the zero Name, are evaluated first; no more than
// MaxSignatures are. header must not change until Finish returns.
func (v Verifier) Begin(ctx context.Context, header message.Header, author domain.Name, bodies *Bodies) *Run {
	r := &Run{header: header, thorough: v.JudgeHeader}
	now := v.Now()
	for i, f := range header {
		if nameIs(f.Name, "DKIM-Signature") {
			r.add(i, f.Value, now)
		}
	}
	r.choose(author)
	var keys Keys
	for _, c := range r.open {
		c.hash = bodies.Want(c.parsed.body, c.parsed.length)
		c.key = keys.Find(ctx, v.Resolver, c.parsed.selector, c.parsed.sdid)
	}
	return r
}

func (r *Run) add(field int, value string, now time.Time) {
	s := Signature{}
	p, err := parseSignature(value, now, &s)
	if err != nil {
		s.settle(err)
	}
	r.signatures = append(r.signatures, s)
	if err == nil {
		r.open = append(r.open, &candidate{at: len(r.signatures) - 1, field: field, parsed: p})
	}
}

// choose keeps the MaxSignatures candidates nearest to the author domain, so
// that a heap of foreign signatures cannot hide the one that matters.
func (r *Run) choose(author domain.Name) {
	if len(r.open) <= MaxSignatures {
		return
	}
	for _, c := range r.open {
		c.near = nearness(c.parsed.sdid, author)
	}
	slices.SortStableFunc(r.open, func(a, b *candidate) int { return cmp.Compare(b.near, a.near) })
	for _, c := range r.open[MaxSignatures:] {
		r.signatures[c.at].settle(ErrTooMany)
	}
	r.open = r.open[:MaxSignatures]
}

// verifyHeader finds out whether the signature is one of the header, using buffer for
// what is hashed.
func (r *Run) verifyHeader(s *Signature, c *candidate, key *Key, buffer []byte) []byte {
	buffer = appendHashed(buffer, c.parsed, r.header, c.field)
	digest := sha256.Sum256(buffer)
	s.HeaderSum = digest[:]
	s.HeaderIntact = key.Verify(digest[:], c.parsed.sig)
	return buffer
}

// nearness is how many labels two names share, from the right; the author
// domain itself is nearest.
func nearness(sdid, author domain.Name) int {
	if sdid == author {
		return domain.MaxName
	}
	n, a, b := 0, sdid.String(), author.String()
	for i := 1; i <= len(a) && i <= len(b); i++ {
		atEnd := i == len(a) || i == len(b)
		switch {
		case a[len(a)-i] != b[len(b)-i]:
			return n
		case a[len(a)-i] == '.':
			n++
		case atEnd && starts(a, i) && starts(b, i):
			n++ // the shorter name is a whole suffix of the other
		}
	}
	return n
}

// starts reports whether a label of name starts i octets before its end.
func starts(name string, i int) bool { return i == len(name) || name[len(name)-i-1] == '.' }

// Finish waits for the keys and returns one Signature for each DKIM-Signature
// field, in the order of the header. The Bodies given to Begin must have been closed.
func (r *Run) Finish() []Signature {
	var buffer []byte
	for _, c := range r.open {
		buffer = r.verify(c, buffer[:0])
	}
	tellApart(r.signatures)
	return r.signatures
}

// verify settles one candidate, using buffer for what is hashed. The cheap
// checks come first: no public key operation is spent on a body that differs.
func (r *Run) verify(c *candidate, buffer []byte) []byte {
	s, p := &r.signatures[c.at], c.parsed
	key, err := c.key.Wait()
	if err == nil {
		s.KeyBits, s.KeySecure = key.Bits, key.Authenticated
		err = fits(key, p)
	}
	if err == nil {
		s.SignedBody, s.BodySum = p.bodyHash, c.hash.Sum()
	}
	switch {
	case err != nil:
	case p.length > c.hash.Size():
		err = ErrLength
	case !bytes.Equal(c.hash.Sum(), p.bodyHash):
		err = ErrBodyHash
		if r.thorough {
			buffer = r.verifyHeader(s, c, key, buffer)
		}
	default:
		if buffer = r.verifyHeader(s, c, key, buffer); !s.HeaderIntact {
			err = ErrSignature
		}
	}
	if err == nil {
		err = r.caveat(c)
	}
	if key != nil && key.Test {
		err = ErrTestMode // RFC 6376 §3.6.1: not to be treated differently from unsigned mail.
	}
	s.settle(err)
	return buffer
}

// fits checks a key against the signature that names it (RFC 6376 §6.1.2).
func fits(key *Key, p *parsed) error {
	if err := key.Fits(p.algorithm); err != nil {
		return err
	}
	if key.Strict && p.auid != p.sdid {
		return ErrKeySubdomain
	}
	return nil
}

// caveat returns why a signature that verifies does not count; nil when it
// does.
func (r *Run) caveat(c *candidate) error {
	p := c.parsed
	// RFC 6376 §6.1.3, §8.2: what lies beyond l= is nobody's word.
	if p.length >= 0 && c.hash.Size() > p.length {
		return ErrBodyLength
	}
	return CheckDuplicates(r.header, p.names)
}

// settle sets the result that err stands for; nil is Pass.
func (s *Signature) settle(err error) {
	s.Err = err
	is := func(targets ...error) bool {
		return slices.ContainsFunc(targets, func(target error) bool { return errors.Is(err, target) })
	}
	switch {
	case err == nil:
		s.Result = Pass
	case is(ErrLookup):
		s.Result = TempError
	case is(ErrBodyHash, ErrSignature):
		s.Result = Fail
	case is(ErrBodyLength, ErrUnsigned):
		s.Result = Policy
	case is(ErrCanon, ErrTestMode, ErrTooMany):
		s.Result = Neutral
	default:
		s.Result = PermError
	}
}

// tellApart sets B: eight characters of b=, or as many more as it takes to
// tell the signatures of one message apart (RFC 6008 §3).
func tellApart(signatures []Signature) {
	signatures = signatures[:min(len(signatures), maxNamed)]
	for i := range signatures {
		s := &signatures[i]
		if !base64Text(s.b) {
			continue
		}
		n := 8
		for j := range signatures {
			if i != j {
				n = max(n, common(s.b, signatures[j].b)+1)
			}
		}
		s.B = s.b[:min(n, len(s.b), maxB)]
	}
}

// maxB bounds B: identical signatures cannot be told apart at any length.
const maxB = 32

// maxNamed bounds the signatures that get a B: the work grows with its square.
const maxNamed = 100

func common(a, b string) int {
	n := 0
	for n < len(a) && n < len(b) && n < maxB && a[n] == b[n] {
		n++
	}
	return n
}

func base64Text(s string) bool {
	for i := 0; i < len(s); i++ {
		c := s[i]
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '+' && c != '/' && c != '=' {
			return false
		}
	}
	return s != ""
}
