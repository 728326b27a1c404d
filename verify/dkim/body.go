package dkim

import (
	"crypto/sha256"
	"hash"
)

// Bodies canonicalizes and hashes one body as it streams by. Each
// canonicalization runs once and each distinct (canonicalization, length)
// is hashed once, however many signatures ask for it. It keeps no body: its
// memory is fixed. The zero value is ready; it is not safe for concurrent use.
type Bodies struct {
	simple  *trailer
	relaxed *reducer
}

// BodyHash is the hash of one canonicalized body, or of its first octets. It
// is read after Bodies.Close.
type BodyHash struct {
	limit int64 // octets to hash; negative for all
	size  int64 // octets of the canonical body seen so far
	hash  hash.Hash
	sum   [sha256.Size]byte
}

// Sum returns the SHA-256 sum.
func (b *BodyHash) Sum() []byte { return b.sum[:] }

// Size returns the length of the canonical body in octets. When the body was
// cut short because nobody needed more of it, it is a lower bound above the
// length that was asked for.
func (b *BodyHash) Size() int64 { return b.size }

// Want asks for a hash before the first Write. A negative limit asks for the
// whole body, otherwise the first limit octets of the canonical form are
// hashed (RFC 6376 §3.5, l=).
func (b *Bodies) Want(canon Canon, limit int64) *BodyHash {
	if canon == Simple {
		if b.simple == nil {
			b.simple = &trailer{}
		}
		return b.simple.want(limit)
	}
	if b.relaxed == nil {
		b.relaxed = &reducer{}
	}
	return b.relaxed.out.want(limit)
}

// Write feeds the next chunk of the body, of any size. The chunk is not kept.
func (b *Bodies) Write(chunk []byte) {
	if len(chunk) == 0 {
		return
	}
	if b.simple != nil {
		b.simple.write(chunk)
	}
	if b.relaxed != nil {
		b.relaxed.write(chunk)
	}
}

// Open reports whether any hash still needs more of the body.
func (b *Bodies) Open() bool {
	return b.simple != nil && b.simple.open() || b.relaxed != nil && b.relaxed.out.open()
}

// Close ends the body; the hashes can be read now.
func (b *Bodies) Close() {
	if b.simple != nil {
		b.simple.close(true)
	}
	if b.relaxed != nil {
		b.relaxed.close()
	}
}

// trailer hashes what it is given less the empty lines at its end: the body
// canonicalization simple (RFC 6376 §3.4.3), and the second half of relaxed.
type trailer struct {
	hashes []*BodyHash
	lines  int64 // CRLFs held back: they count only when something follows
	cr     bool  // a CR held back after them: it may be half a CRLF
	some   bool  // something was hashed
}

var crlfs = []byte("\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n")

func (t *trailer) want(limit int64) *BodyHash {
	if limit < 0 {
		limit = -1
	}
	for _, h := range t.hashes {
		if h.limit == limit {
			return h
		}
	}
	h := &BodyHash{limit: limit, hash: sha256.New()}
	t.hashes = append(t.hashes, h)
	return h
}

func (t *trailer) open() bool {
	for _, h := range t.hashes {
		if h.limit < 0 || h.size <= h.limit {
			return true
		}
	}
	return false
}

func (t *trailer) write(p []byte) {
	if t.cr {
		if len(p) == 0 {
			return
		}
		t.cr = false
		if p[0] == '\n' {
			t.lines++
			p = p[1:]
		} else {
			t.release()
			t.emit(crlfs[:1])
		}
	}
	end := len(p)
	if end > 0 && p[end-1] == '\r' {
		t.cr = true
		end--
	}
	lines := int64(0)
	for end >= 2 && p[end-1] == '\n' && p[end-2] == '\r' {
		lines++
		end -= 2
	}
	if end > 0 {
		t.release()
		t.emit(p[:end])
	}
	t.lines += lines
}

// release hashes the line ends held back.
func (t *trailer) release() {
	for t.lines > 0 {
		n := min(t.lines, int64(len(crlfs)/2))
		t.emit(crlfs[:2*n])
		t.lines -= n
	}
}

func (t *trailer) emit(p []byte) {
	t.some = true
	for _, h := range t.hashes {
		keep := p
		if h.limit >= 0 {
			keep = p[:max(0, min(int64(len(p)), h.limit-h.size))]
		}
		h.size += int64(len(p))
		if len(keep) > 0 {
			h.hash.Write(keep)
		}
	}
}

// close ends the body with exactly one CRLF. An empty body becomes one CRLF
// when emptyLine is set (simple) and stays empty otherwise (relaxed).
func (t *trailer) close(emptyLine bool) {
	if t.cr {
		t.release()
		t.emit(crlfs[:1])
	}
	if t.some || emptyLine {
		t.emit(crlfs[:2])
	}
	for _, h := range t.hashes {
		h.hash.Sum(h.sum[:0])
	}
}
