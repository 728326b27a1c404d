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
	return parsed.key, parsed.err
}

// parseRecords finds the one key among the TXT records of a name. RFC 6376
// §3.6.2.2 leaves several records undefined: texts that are no keys are
// passed over, and of several keys none is chosen.
func parseRecords(records []string) parsedKey {
	if len(records) > 1 {
		records = slices.DeleteFunc(slices.Clone(records), func(r string) bool { return !looksLikeKey(r) })
	}
	switch len(records) {
	case 0:
		return parsedKey{err: ErrKeySyntax}
	case 1:
		key, err := ParseKey(records[0])
		return parsedKey{key, err}
	}
	return parsedKey{err: ErrKeyCount}
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

// ParseKey reads a key record. Its errors wrap the key sentinels.
func ParseKey(record string) (*Key, error) {
	if len(record) > maxKeyRecord {
		return nil, fmt.Errorf("%w: longer than %d octets", ErrKeySyntax, maxKeyRecord)
	}
	list, err := tags.Parse(record)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrKeySyntax, err)
	}
	// RFC 6376 §3.6.1: v= is optional, but must come first and be DKIM1.
	if v, ok := list.Get("v"); ok && (v != "DKIM1" || list[0].Name != "v") {
		return nil, ErrKeyVersion
	}
	if !allows(list, "h", "sha256", "") {
		return nil, ErrKeyHash
	}
	if !allows(list, "s", "email", "*") {
		return nil, ErrKeyService
	}
	p, ok := list.Get("p")
	if !ok {
		return nil, fmt.Errorf("%w: no p=", ErrKeySyntax)
	}
	p = tags.Compact(p)
	if p == "" {
		return nil, ErrKeyRevoked
	}
	der, err := base64.StdEncoding.DecodeString(p)
	if err != nil {
		return nil, fmt.Errorf("%w: p= is not base64", ErrKeySyntax)
	}
	key, err := parsePublic(list, der)
	if err != nil {
		return nil, err
	}
	flags, _ := list.Get("t")
	key.Strict = slices.Contains(tags.Items(flags), "s")
	key.Test = slices.Contains(tags.Items(flags), "y")
	return key, nil
}

// allows reports whether a colon-separated tag, where it is present, has one of
// two items.
func allows(list tags.List, name, item, other string) bool {
	value, ok := list.Get(name)
	if !ok {
		return true
	}
	items := tags.Items(value)
	return slices.Contains(items, item) || other != "" && slices.Contains(items, other)
}

func parsePublic(list tags.List, p []byte) (*Key, error) {
	kind, ok := list.Get("k")
	if !ok {
		kind = "rsa" // RFC 6376 §3.6.1: the default.
	}
	switch kind {
	case "rsa":
		return parseRSA(p)
	case "ed25519":
		// RFC 8463 §4: the 32 octets of the key, bare.
		if len(p) != ed25519.PublicKeySize {
			return nil, fmt.Errorf("%w: an Ed25519 key has 32 octets, not %d", ErrKeySyntax, len(p))
		}
		public := ed25519.PublicKey(p)
		return &Key{Type: kind, Bits: 256, verify: func(digest, signature []byte) bool {
			return len(signature) == ed25519.SignatureSize && ed25519.Verify(public, digest, signature)
		}}, nil
	}
	return nil, fmt.Errorf("%w: unknown k=", ErrKeyType)
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
	return &Key{Type: "rsa", Bits: bits, verify: verify}, nil
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
