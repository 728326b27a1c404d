package dkim

import (
	"crypto/rsa"
	"crypto/sha256"
	"crypto/subtle"
	"fmt"

	"filippo.io/bigmod"
)

// sha256Prefix is the DER form of DigestInfo before a SHA-256 digest (RFC 8017
// §9.2, note 1).
const sha256Prefix = "\x30\x31\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x00\x04\x20"

// rsaVerifier returns the RSASSA-PKCS1-v1_5 verification with SHA-256 for one
// key (RFC 8017 §8.2.2). crypto/rsa does the same, but prepares the modulus
// anew for every signature, which is a third of its time; here it is prepared once for as
// long as the key is kept.
func rsaVerifier(public *rsa.PublicKey) (func(digest, signature []byte) bool, error) {
	modulus, err := bigmod.NewModulus(public.N.Bytes())
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrKeyModulus, err)
	}
	size, exponent := public.Size(), uint(public.E)
	return func(digest, signature []byte) bool {
		if len(digest) != sha256.Size || len(signature) != size {
			return false
		}
		s, err := bigmod.NewNat().SetBytes(signature, modulus) // refuses values not below the modulus
		if err != nil {
			return false
		}
		message := bigmod.NewNat().ExpShortVarTime(s, exponent, modulus).Bytes(modulus)
		return subtle.ConstantTimeCompare(message, encodePKCS1(digest, size)) == 1
	}, nil
}

// encodePKCS1 is EMSA-PKCS1-v1_5 (RFC 8017 §9.2): 00 01 ff … ff 00, the
// prefix and the digest. size is at least 128, so that there is room.
func encodePKCS1(digest []byte, size int) []byte {
	encoded := make([]byte, size)
	encoded[1] = 1
	tail := size - len(sha256Prefix) - len(digest)
	for i := 2; i < tail-1; i++ {
		encoded[i] = 0xff
	}
	copy(encoded[tail:], sha256Prefix)
	copy(encoded[tail+len(sha256Prefix):], digest)
	return encoded
}
