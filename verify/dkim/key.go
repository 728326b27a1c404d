package dkim

import (
	"context"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"

	"assay/verify/domain"
	"assay/verify/lookup"
	"assay/verify/tags"
)

// Sizes of RSA keys in bits, and the largest public exponent.
const (
	MinRSABits     = 1024 // RFC 8301 §3.2: shorter keys must not verify.
	MaxRSABits     = 8192 // longer keys cost too much (RFC 6376 §8.13)
	maxRSAExponent = 1<<31 - 1
)

// maxKeyRecord bounds the text of a key record in octets: twice what the
// largest key needs.
const maxKeyRecord = 4096

// Key is a public key as published in DNS (RFC 6376 §3.6.1). It is immutable
// and safe for concurrent use.
type Key struct {
	Type   string // rsa or ed25519
	Bits   int    // size in bits
	Strict bool   // t=s: i= must be in d= itself
	Test   bool   // t=y: the domain is testing DKIM
	// Authenticated says that a resolver which the site trusts vouches by DNSSEC
	// for the record.
	Authenticated bool

	verify func(digest, signature []byte) bool
}

// Verify reports whether signature is this key's signature of a SHA-256
// digest: PKCS #1 v1.5 for RSA (RFC 8017 §8.2.2), PureEdDSA over the digest for
// Ed25519 (RFC 8463 §3).
func (k *Key) Verify(digest, signature []byte) bool { return k.verify(digest, signature) }

// Fits fails with ErrKeyType when the key is not for an algorithm of a=.
func (k *Key) Fits(algorithm string) error {
	if kind, _, _ := strings.Cut(algorithm, "-"); k.Type != kind {
		return ErrKeyType
	}
	return nil
}

// parsedKey is what is kept with a DNS answer.
type parsedKey struct {
	key *Key
	err error
}

// FindKey looks up the key of selector and SDID. The key is kept with the DNS answer.
// Errors wrap ErrLookup when DNS failed, otherwise one of the key sentinels.
func FindKey(ctx context.Context, resolver lookup.Resolver, selector, sdid domain.Name) (*Key, error) {
	name := selector.String() + "._domainkey." + sdid.String()
	if len(name) > domain.MaxName {
		return nil, fmt.Errorf("%w: name too long", ErrNoKey)
	}
	answer, err := resolver.TXT(ctx, name)
	switch {
	case lookup.Absent(err):
		return nil, fmt.Errorf("%w: no such name", ErrNoKey)
	case lookup.IsExhausted(err):
		return nil, ErrExhausted
	case err != nil:
		return nil, fmt.Errorf("%w: %w", ErrLookup, err)
	case len(answer.Records) == 0:
		return nil, ErrNoKey
	}
	parsed := lookup.Derive(answer, parseRecords)
	if parsed.err == nil && answer.Authenticated {
		key := *parsed.key
		key.Authenticated = true
		return &key, nil
	}
	return parsed.key, parsed.err
}

// parseRecords finds the one key among the TXT records of a name. RFC 6376
// §3.6.2.2 leaves several records undefined: texts that are no keys are
// passed over, and of several keys none is chosen.
func parseRecords(records []string) parsedKey {
	records = KeyRecords(records)
	switch len(records) {
	case 0:
		return parsedKey{err: ErrKeySyntax}
	case 1:
		key, err := ParseKey(records[0])
		return parsedKey{key, err}
	}
	return parsedKey{err: ErrKeyCount}
}

// KeyRecords returns those of the TXT records of a name that are meant to be keys: a
// single one is, whatever it says.
func KeyRecords(records []string) []string {
	if len(records) < 2 {
		return records
	}
	return slices.DeleteFunc(slices.Clone(records), func(r string) bool { return !looksLikeKey(r) })
}

func looksLikeKey(record string) bool {
	list, err := tags.Parse(record)
	if err != nil {
		return strings.HasPrefix(record, "v=DKIM1")
	}
	if v, ok := list.Get("v"); ok && v != "DKIM1" {
		return false
	}
	_, ok := list.Get("p")
	return ok
}

// ParseKey reads a key record. Its errors wrap the key sentinels, and a
// *tags.Error where the fault has a place in the record.
func ParseKey(record string) (*Key, error) {
	if len(record) > maxKeyRecord {
		return nil, fmt.Errorf("%w: longer than %d octets", ErrKeySyntax, maxKeyRecord)
	}
	list, err := tags.Parse(record)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrKeySyntax, err)
	}
	// RFC 6376 §3.6.1: v= is optional, but must come first and be DKIM1.
	if v, ok := list.Find("v"); ok && (v.Value != "DKIM1" || list[0].Name != "v") {
		return nil, v.Fault(ErrKeyVersion)
	}
	if h, ok := list.Find("h"); ok && !offers(h, "sha256") {
		return nil, h.Fault(ErrKeyHash)
	}
	if s, ok := list.Find("s"); ok && !offers(s, "email") && !offers(s, "*") {
		return nil, s.Fault(ErrKeyService)
	}
	p, ok := list.Find("p")
	if !ok {
		return nil, &tags.Error{At: len(record), Err: fmt.Errorf("%w: no p=", ErrKeySyntax)}
	}
	if p.Value == "" {
		return nil, p.Fault(ErrKeyRevoked)
	}
	der, err := decodeBase64(p)
	if err != nil {
		return nil, err
	}
	kind, err := keyType(list)
	if err != nil {
		return nil, err
	}
	key, err := parsePublic(kind, der)
	if err != nil {
		return nil, p.Fault(err)
	}
	flags, _ := list.Get("t")
	key.Strict = slices.Contains(tags.Items(flags), "s")
	key.Test = slices.Contains(tags.Items(flags), "y")
	return key, nil
}

// offers reports whether item stands in a colon-separated tag.
func offers(t tags.Tag, item string) bool { return slices.Contains(tags.Items(t.Value), item) }

// decodeBase64 returns what a tag holds in base64, with blanks anywhere.
func decodeBase64(t tags.Tag) ([]byte, error) {
	data, err := base64.StdEncoding.DecodeString(tags.Compact(t.Value))
	if err == nil {
		return data, nil
	}
	var corrupt base64.CorruptInputError
	errors.As(err, &corrupt)
	at := 0 // in the value, of the octet that the decoder stumbled over
	for left := int(corrupt); at < len(t.Value); at++ {
		if tags.Compact(t.Value[at:at+1]) == "" {
			continue
		}
		if left--; left < 0 {
			break
		}
	}
	t.At += at
	return nil, t.Fault(fmt.Errorf("%w: %s= is not base64", ErrKeySyntax, t.Name))
}

// Key types of RFC 6376 §3.6.1 and RFC 8463 §3.
const (
	typeRSA     = "rsa"
	typeEd25519 = "ed25519"
)

func keyType(list tags.List) (string, error) {
	k, ok := list.Find("k")
	switch {
	case !ok:
		return typeRSA, nil // RFC 6376 §3.6.1: the default.
	case k.Value == typeRSA, k.Value == typeEd25519:
		return k.Value, nil
	}
	return "", k.Fault(fmt.Errorf("%w: unknown k=", ErrKeyType))
}

func parsePublic(kind string, p []byte) (*Key, error) {
	if kind == typeRSA {
		return parseRSA(p)
	}
	// RFC 8463 §4: the 32 octets of the key, bare.
	if len(p) != ed25519.PublicKeySize {
		return nil, fmt.Errorf("%w: an Ed25519 key has 32 octets, not %d", ErrKeySyntax, len(p))
	}
	public := ed25519.PublicKey(p)
	return &Key{Type: kind, Bits: 256, verify: func(digest, signature []byte) bool {
		return len(signature) == ed25519.SignatureSize && ed25519.Verify(public, digest, signature)
	}}, nil
}

// parseRSA accepts both forms found in the field: SubjectPublicKeyInfo and the
// bare RSAPublicKey (RFC 6376 erratum 3017).
func parseRSA(der []byte) (*Key, error) {
	public, err := decodeRSA(der)
	if err != nil {
		return nil, fmt.Errorf("%w: p= is no RSA key", ErrKeySyntax)
	}
	bits := public.N.BitLen()
	switch {
	case bits < MinRSABits:
		return nil, fmt.Errorf("%w: %d", ErrKeyShort, bits)
	case bits > MaxRSABits:
		return nil, fmt.Errorf("%w: %d", ErrKeyLong, bits)
	case public.E < 3 || public.E%2 == 0 || public.E > maxRSAExponent:
		return nil, ErrKeyExponent
	case public.N.Bit(0) == 0:
		return nil, fmt.Errorf("%w: even", ErrKeyModulus)
	}
	verify, err := rsaVerifier(public)
	if err != nil {
		return nil, err
	}
	return &Key{Type: typeRSA, Bits: bits, verify: verify}, nil
}

func decodeRSA(der []byte) (*rsa.PublicKey, error) {
	if public, err := x509.ParsePKIXPublicKey(der); err == nil {
		if public, ok := public.(*rsa.PublicKey); ok {
			return public, nil
		}
		return nil, errors.New("another kind of key")
	}
	return x509.ParsePKCS1PublicKey(der)
}
