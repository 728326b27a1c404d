package arc

import (
	"context"
	"crypto/sha256"
	"fmt"
	"hash"
	"time"

	"assay/verify/dkim"
	"assay/verify/lookup"
	"assay/verify/message"
)

// Verifier validates the ARC chains of messages. It is safe for concurrent use.
type Verifier struct {
	Resolver lookup.Resolver
	Now      func() time.Time
}

// Run is the validation of one message. It is not safe for concurrent use.
type Run struct {
	header message.Header
	chain  Chain
	sets   []set
	// seals and messages are by instance less one. Of the messages only the
	// last one is sure to be there: the others are nil when they are broken.
	seals    []*signature
	messages []*signedMessage
	text     []byte // scratch for what is signed
}

// Begin reads the ARC fields of header, asks bodies for the hashes that the
// message signatures need and starts the key look-ups, which end with ctx. A
// chain that is broken already asks for nothing. header must not change until
// Finish returns.
func (v Verifier) Begin(ctx context.Context, header message.Header, bodies *dkim.Bodies) *Run {
	r := &Run{header: header}
	err := r.read(v.Now())
	switch {
	case err != nil:
		r.chain.Result, r.chain.Err = Fail, err
	case len(r.sets) == 0:
		r.chain.Result = None
	default:
		r.ask(ctx, v.Resolver, bodies)
	}
	return r
}

// read does what RFC 8617 §5.2 has before any signature is verified, and reads
// all that the later steps will need: no look-up is spent on a chain that
// cannot pass.
func (r *Run) read(now time.Time) error {
	var err error
	r.sets, err = collect(r.header)
	r.chain.Sets = describe(r.sets)
	if err != nil || len(r.sets) == 0 {
		return err
	}
	if err := check(r.sets); err != nil {
		return err
	}
	newest := len(r.sets) - 1
	for i, s := range r.sets {
		m, err := parseMessage(s[messageSignature].field, now)
		if i == newest && err != nil {
			return fault(messageSignature, i, err)
		}
		// Each l= would cost a hash of its own over the whole body.
		if err != nil || i != newest && m.length >= 0 {
			m = nil
		}
		r.messages = append(r.messages, m)
	}
	for i, s := range r.sets {
		parsed, err := parseSeal(s[seal].field, now)
		if err != nil {
			return fault(seal, i, err)
		}
		r.seals = append(r.seals, parsed)
	}
	return nil
}

func fault(k kind, index int, err error) error {
	return fmt.Errorf("%s %d: %w", fieldNames[k], index+1, err)
}

// describe returns what can be told of sets by their clean parts.
func describe(sets []set) []Set {
	var described []Set
	for i, s := range sets {
		d := Set{Instance: i + 1}
		d.Sealer, d.Selector, _ = dkim.ReadSigner(s[seal].list)
		d.Signer, _, _ = dkim.ReadSigner(s[messageSignature].list)
		switch cv, _ := s[seal].list.Get("cv"); CV(cv) {
		case CVNone, CVPass, CVFail:
			d.CV = CV(cv)
		}
		described = append(described, d)
	}
	return described
}

// ask starts the look-ups that decide about the chain first.
func (r *Run) ask(ctx context.Context, resolver lookup.Resolver, bodies *dkim.Bodies) {
	var keys dkim.Keys
	find := func(s *signature) { s.key = keys.Find(ctx, resolver, s.selector, s.sdid) }
	newest := r.messages[len(r.messages)-1]
	find(&newest.signature)
	for _, s := range r.seals {
		find(s)
	}
	for i := len(r.messages) - 1; i >= 0; i-- {
		m := r.messages[i]
		if m == nil {
			break // the search for the oldest that passes ends here
		}
		m.hash = bodies.Want(m.body, m.length)
		if m != newest && keys.Len() < MaxLookups {
			find(&m.signature)
		}
	}
}

// Finish waits for the keys and returns the chain. The Bodies given to Begin
// must have been closed. A panic of a look-up is raised here again.
func (r *Run) Finish() Chain {
	c := &r.chain
	if c.Result != "" {
		return *c
	}
	if c.Err = r.verify(); c.Err != nil {
		c.Result = Fail
		return *c
	}
	c.Result = Pass
	c.OldestPass = r.oldestPass()
	c.Caveat = r.messages[len(r.messages)-1].caveat(r.header)
	for i := range c.Sets {
		c.Sets[i].readResults(r.sets[i][results].payload)
	}
	return *c
}

// verify does steps 4 and 6 of RFC 8617 §5.2: the newest message signature,
// then the seals, newest first.
func (r *Run) verify() error {
	newest := len(r.messages) - 1
	if err := r.verifyMessage(r.messages[newest]); err != nil {
		return fault(messageSignature, newest, err)
	}
	digests := r.sealed()
	for i := len(r.seals) - 1; i >= 0; i-- {
		if err := r.seals[i].verify(digests[i][:]); err != nil {
			return fault(seal, i, err)
		}
	}
	return nil
}

// verifyMessage checks the body first: one that differs costs neither patience
// with the DNS nor a public key operation.
func (r *Run) verifyMessage(m *signedMessage) error {
	if err := m.checkBody(); err != nil {
		return err
	}
	r.text = m.appendSigned(r.text[:0], r.header)
	digest := sha256.Sum256(r.text)
	return m.verify(digest[:])
}

// sealed returns the hash of what each seal is made over (RFC 8617 §5.1.1): all sets up to
// its own, the seal itself with an empty b= and without final CRLF. As each
// begins with the one before, the work grows with the header only.
func (r *Run) sealed() [][sha256.Size]byte {
	digests := make([][sha256.Size]byte, len(r.sets))
	sets := sha256.New()
	text := r.text
	for i, s := range r.sets {
		text = dkim.AppendField(text[:0], dkim.Relaxed, r.header[s[results].at])
		text = dkim.AppendField(text, dkim.Relaxed, r.header[s[messageSignature].at])
		sets.Write(text)

		own := r.header[s[seal].at]
		upToHere := clone(sets)
		upToHere.Write(dkim.AppendUnsigned(text[:0], dkim.Relaxed, own, s[seal].list))
		upToHere.Sum(digests[i][:0])

		text = dkim.AppendField(text[:0], dkim.Relaxed, own)
		sets.Write(text)
	}
	r.text = text
	return digests
}

// clone: the hashes of the standard library can all be cloned.
func clone(h hash.Hash) hash.Hash {
	c, err := h.(hash.Cloner).Clone()
	if err != nil {
		panic("arc: " + err.Error())
	}
	return c
}

// oldestPass does step 5 of RFC 8617 §5.2.
func (r *Run) oldestPass() int {
	for i := len(r.messages) - 2; i >= 0; i-- {
		if m := r.messages[i]; m == nil || r.verifyMessage(m) != nil {
			return i + 2
		}
	}
	return 0
}
