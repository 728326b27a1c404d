package arc

import (
	"bytes"
	"fmt"
	"strings"
	"time"

	"assay/verify/dkim"
	"assay/verify/domain"
	"assay/verify/message"
	"assay/verify/tags"
)

// signature is what a seal and a message signature have in common.
type signature struct {
	field
	algorithm      string
	sdid, selector domain.Name
	sig            []byte
	key            *dkim.PendingKey // nil when it is not looked up
}

func parseSignature(f field, now time.Time) (signature, error) {
	s := signature{field: f}
	if err := dkim.Require(f.list, "i", "a", "b", "d", "s"); err != nil {
		return s, err
	}
	var err error
	if s.sdid, s.selector, err = dkim.ReadSigner(f.list); err != nil {
		return s, err
	}
	if s.algorithm, err = dkim.ReadAlgorithm(f.list); err != nil {
		return s, err
	}
	if err = dkim.ReadTimes(f.list, now); err != nil {
		return s, err
	}
	s.sig, err = dkim.ReadBase64(f.list, "b")
	return s, err
}

// verify waits for the key and checks the signature of digest with it.
func (s *signature) verify(digest []byte) error {
	if s.key == nil {
		return fmt.Errorf("%w: too many look-ups", ErrUnavailable)
	}
	key, err := s.key.Wait()
	if err != nil {
		return err
	}
	if err := key.Fits(s.algorithm); err != nil {
		return err
	}
	// RFC 6376 §3.6.1: a test key gives nothing that an unsigned message would not.
	if key.Test {
		return ErrTestMode
	}
	if !key.Verify(digest, s.sig) {
		return dkim.ErrSignature
	}
	return nil
}

// parseSeal: RFC 8617 §4.1.3: an ARC-Seal has no h=.
func parseSeal(f field, now time.Time) (*signature, error) {
	if _, ok := f.list.Get("h"); ok {
		return nil, ErrSealTag
	}
	s, err := parseSignature(f, now)
	return &s, err
}

// signedMessage is an ARC-Message-Signature.
type signedMessage struct {
	signature
	names        []string // h=
	header, body dkim.Canon
	length       int64 // l=; -1 for none
	want         []byte
	hash         *dkim.BodyHash
}

// parseMessage: RFC 8617 §4.1.2: as a DKIM-Signature, but i= is the instance,
// and v= is not defined.
func parseMessage(f field, now time.Time) (*signedMessage, error) {
	if err := dkim.Require(f.list, "bh", "h"); err != nil {
		return nil, err
	}
	m := &signedMessage{}
	var err error
	if m.signature, err = parseSignature(f, now); err != nil {
		return nil, err
	}
	if err = dkim.ReadQuery(f.list); err != nil {
		return nil, err
	}
	if m.names, err = readNames(f.list); err != nil {
		return nil, err
	}
	if m.length, err = dkim.ReadLength(f.list); err != nil {
		return nil, err
	}
	if m.want, err = dkim.ReadBase64(f.list, "bh"); err != nil {
		return nil, err
	}
	m.header, m.body, err = dkim.ReadCanon(f.list)
	return m, err
}

// readNames reads h=. Empty names select nothing. RFC 8617 §4.1.2: no seal is
// covered; the one of the same set does not even exist when the message is
// signed.
func readNames(list tags.List) ([]string, error) {
	h, _ := list.Get("h")
	if strings.Count(h, ":") >= dkim.MaxNames {
		return nil, dkim.ErrNames
	}
	var names []string
	for _, name := range tags.Items(h) {
		if strings.EqualFold(name, fieldNames[seal]) {
			return nil, ErrCovers
		}
		if name != "" {
			names = append(names, name)
		}
	}
	return names, nil
}

// checkBody compares the body with what was signed.
func (m *signedMessage) checkBody() error {
	if m.length > m.hash.Size() {
		return dkim.ErrLength
	}
	if !bytes.Equal(m.hash.Sum(), m.want) {
		return dkim.ErrBodyHash
	}
	return nil
}

// appendSigned appends what the signature is made over (RFC 6376 §3.7).
func (m *signedMessage) appendSigned(dst []byte, header message.Header) []byte {
	dst = dkim.AppendSelected(dst, m.header, header, m.names, m.at)
	return dkim.AppendUnsigned(dst, m.header, header[m.at], m.list)
}

// caveat returns what the signature, which verifies, leaves open to changes;
// nil for nothing of weight.
func (m *signedMessage) caveat(header message.Header) error {
	from := false
	for _, name := range m.names {
		from = from || strings.EqualFold(name, "From")
	}
	if !from {
		return dkim.ErrFrom
	}
	// RFC 6376 §6.1.3, §8.2: what lies beyond l= is nobody's word.
	if m.length >= 0 && m.hash.Size() > m.length {
		return dkim.ErrBodyLength
	}
	return dkim.CheckDuplicates(header, m.names)
}
