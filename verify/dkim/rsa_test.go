package dkim_test

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"math/big"
	"testing"

	"assay/verify/dkim"
)

// checkRSA compares the verdict on one signature with that of crypto/rsa.
func checkRSA(t *testing.T, ours *dkim.Key, public *rsa.PublicKey, what string, digest, sig []byte) bool {
	t.Helper()
	want := len(digest) == sha256.Size && rsa.VerifyPKCS1v15(public, crypto.SHA256, digest, sig) == nil
	if got := ours.Verify(digest, sig); got != want {
		t.Errorf("%s: %d bits, e=%d: got %v, crypto/rsa says %v\nn %x\ndigest %x\nsignature %x", what, public.N.BitLen(), public.E, got, want, public.N, digest, sig)
	}
	return want
}

func generate(tb testing.TB, bits int) *rsa.PrivateKey {
	tb.Helper()
	key, err := rsa.GenerateKey(rand.Reader, bits)
	if err != nil {
		tb.Fatal(err)
	}
	return key
}

func parse(tb testing.TB, public *rsa.PublicKey) *dkim.Key {
	tb.Helper()
	key, err := dkim.ParseKey("p=" + pkcs1(public.N, big.NewInt(int64(public.E))))
	if err != nil {
		tb.Fatal(err)
	}
	return key
}

// TestRSA: the verification agrees with crypto/rsa, on good signatures and bad.
func TestRSA(t *testing.T) {
	for _, bits := range []int{1024, 1031, 2048, 3072} {
		key := generate(t, bits)
		ours := parse(t, &key.PublicKey)
		n := key.N
		digest := sha256.Sum256([]byte{byte(bits)})
		good, err := rsa.SignPKCS1v15(nil, key, crypto.SHA256, digest[:])
		if err != nil {
			t.Fatal(err)
		}
		size := len(good)
		if !checkRSA(t, ours, &key.PublicKey, "good", digest[:], good) {
			t.Errorf("%d bits: a good signature does not verify", bits)
		}
		if !checkRSA(t, ours, &key.PublicKey, "again", digest[:], good) {
			t.Errorf("%d bits: a good signature does not verify twice", bits)
		}
		sum := new(big.Int).SetBytes(good)
		bad := func(what string, sig []byte) {
			t.Helper()
			if checkRSA(t, ours, &key.PublicKey, what, digest[:], sig) {
				t.Errorf("%s: verifies", what)
			}
		}
		bad("empty", nil)
		bad("short", good[:size-1])
		bad("long", append(bytes.Clone(good), 0))
		bad("leading zero", append([]byte{0}, good...))
		bad("zero", make([]byte, size))
		bad("one", big.NewInt(1).FillBytes(make([]byte, size)))
		bad("all ones", bytes.Repeat([]byte{0xff}, size))
		bad("the modulus", n.FillBytes(make([]byte, size)))
		bad("one less than the modulus", new(big.Int).Sub(n, big.NewInt(1)).FillBytes(make([]byte, size)))
		bad("negated", new(big.Int).Sub(n, sum).FillBytes(make([]byte, size)))
		if plus := new(big.Int).Add(sum, n); (plus.BitLen()+7)/8 <= size {
			bad("plus the modulus", plus.FillBytes(make([]byte, size)))
		}
		for i := 0; i < size; i += 7 {
			flipped := bytes.Clone(good)
			flipped[i] ^= 0x10
			bad("flipped bit", flipped)
		}
		other := digest
		other[31] ^= 1
		for _, d := range [][]byte{other[:], digest[:31], append(digest[:32:32], 0), nil, make([]byte, 32)} {
			if checkRSA(t, ours, &key.PublicKey, "another digest", d, good) {
				t.Errorf("verifies over %x", d)
			}
		}
		// Padding that a lax reader would accept: the private key signs anything.
		forge := func(what string, encoded []byte) {
			t.Helper()
			m := new(big.Int).SetBytes(encoded)
			bad(what, new(big.Int).Exp(m, key.D, n).FillBytes(make([]byte, size)))
		}
		encoded := encode(digest[:], size)
		if m := new(big.Int).Exp(sum, big.NewInt(int64(key.E)), n); !bytes.Equal(m.FillBytes(make([]byte, size)), encoded) {
			t.Fatal("the test does not know the padding")
		}
		for _, at := range []int{0, 1, 2, size / 4, size - 52, size - 51, size - 50, size - 33} {
			wrong := bytes.Clone(encoded)
			wrong[at] ^= 1
			forge("wrong padding", wrong)
		}
		garbage := make([]byte, size)
		copy(garbage, "\x00\x01\xff\xff\xff\xff\xff\xff\xff\xff\x00"+prefix+string(digest[:]))
		forge("garbage after the digest", garbage)
		null := append(encoded[:1:1], 1)
		null = append(null, bytes.Repeat([]byte{0xff}, size-3-17-32)...)
		null = append(null, "\x00\x30\x2f\x30\x0b\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x04\x20"...)
		forge("algorithm without NULL", append(null, digest[:]...))
		bare := append([]byte{0, 1}, bytes.Repeat([]byte{0xff}, size-3-32)...)
		forge("bare digest", append(append(bare, 0), digest[:]...))
	}
}

// TestRSAStripped: a signature whose leading zero was dropped is too short (RFC
// 8017 §8.2.2, step 1).
func TestRSAStripped(t *testing.T) {
	key := generate(t, 1024)
	ours := parse(t, &key.PublicKey)
	for i := range 5000 { // one in 256 begins with a zero
		digest := sha256.Sum256([]byte{byte(i), byte(i >> 8)})
		sig, err := rsa.SignPKCS1v15(nil, key, crypto.SHA256, digest[:])
		if err != nil {
			t.Fatal(err)
		}
		if sig[0] != 0 {
			continue
		}
		if !checkRSA(t, ours, &key.PublicKey, "leading zero", digest[:], sig) {
			t.Error("a good signature with a leading zero does not verify")
		}
		if checkRSA(t, ours, &key.PublicKey, "stripped", digest[:], sig[1:]) {
			t.Error("a signature verifies without its leading zero")
		}
		return
	}
	t.Fatal("no signature with a leading zero")
}

const prefix = "\x30\x31\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x00\x04\x20"

// encode is EMSA-PKCS1-v1_5 (RFC 8017 §9.2).
func encode(digest []byte, size int) []byte {
	out := append([]byte{0, 1}, bytes.Repeat([]byte{0xff}, size-3-len(prefix)-len(digest))...)
	return append(append(append(out, 0), prefix...), digest...)
}

// TestRSAExponents: small and large exponents, made from keys whose private half
// nobody knows: x to the e is compared, not signed.
func TestRSAExponents(t *testing.T) {
	for _, e := range []int{3, 5, 17, 65537, 1<<31 - 1} {
		key := generate(t, 1024)
		phi := new(big.Int).Mul(new(big.Int).Sub(key.Primes[0], big.NewInt(1)), new(big.Int).Sub(key.Primes[1], big.NewInt(1)))
		d := new(big.Int).ModInverse(big.NewInt(int64(e)), phi)
		public := &rsa.PublicKey{N: key.N, E: e}
		ours := parse(t, public)
		digest := sha256.Sum256([]byte("x"))
		if d == nil {
			continue // e divides phi; rare, and another key would do
		}
		m := new(big.Int).SetBytes(encode(digest[:], public.Size()))
		sig := new(big.Int).Exp(m, d, key.N).FillBytes(make([]byte, public.Size()))
		if !checkRSA(t, ours, public, "good", digest[:], sig) {
			t.Errorf("e=%d: a good signature does not verify", e)
		}
		sig[5] ^= 1
		checkRSA(t, ours, public, "bad", digest[:], sig)
	}
}

// FuzzRSA: any modulus, exponent, digest and signature gets the verdict that
// crypto/rsa gives.
func FuzzRSA(f *testing.F) {
	key := generate(f, 1024)
	digest := sha256.Sum256([]byte("x"))
	sig, err := rsa.SignPKCS1v15(nil, key, crypto.SHA256, digest[:])
	if err != nil {
		f.Fatal(err)
	}
	f.Add(key.N.Bytes(), 65537, digest[:], sig)
	f.Add(key.N.Bytes(), 3, digest[:], key.N.Bytes())
	f.Add(bytes.Repeat([]byte{0xff}, 129), 5, digest[:], bytes.Repeat([]byte{0xff}, 128))
	f.Add(encode(digest[:], 128), 65537, digest[:], bytes.Repeat([]byte{1}, 127))
	f.Fuzz(func(t *testing.T, modulus []byte, e int, digest, sig []byte) {
		n := new(big.Int).SetBytes(modulus)
		if n.BitLen() > 2048 {
			return
		}
		ours, err := dkim.ParseKey("p=" + pkcs1(n, big.NewInt(int64(e))))
		if err != nil {
			return
		}
		if n.BitLen() < 1024 || n.Bit(0) == 0 || e < 3 || e%2 == 0 || e > 1<<31-1 {
			t.Fatalf("accepted a key of %d bits, n=%x, e=%d", n.BitLen(), n, e)
		}
		public := &rsa.PublicKey{N: n, E: e}
		checkRSA(t, ours, public, "fuzz", digest, sig)
		// One that fits: s is what the signature ought to be, were the padding of s^e right.
		if len(digest) == sha256.Size && len(sig) == public.Size() {
			checkRSA(t, ours, public, "padded", digest, encode(digest, public.Size()))
		}
	})
}
