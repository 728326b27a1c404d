package dkim_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"strings"
	"testing"
	"time"

	"assay/verify/dkim"
	"assay/verify/tags"
)

// TestKeyErrorPlace: a caret under that octet shows what is meant.
func TestKeyErrorPlace(t *testing.T) {
	check := func(record string, want error) {
		t.Helper()
		before, after, _ := strings.Cut(record, "^")
		_, err := dkim.ParseKey(before + after)
		var fault *tags.Error
		if !errors.As(err, &fault) || fault.At != len(before) || !errors.Is(err, want) {
			t.Errorf("%s: got %v at %+v, want %v at the ^", record, err, fault, want)
		}
	}
	check("v=DKIM1; ^p", dkim.ErrKeySyntax)
	check("v=DKIM1; p=x; ^p=y", dkim.ErrKeySyntax)
	check("v=^DKIM2; p=x", dkim.ErrKeyVersion)
	check("p=x; v=^DKIM1", dkim.ErrKeyVersion)
	check("h= ^sha1; p=x", dkim.ErrKeyHash)
	check("s=^tlsrpt; p=x", dkim.ErrKeyService)
	check("v=DKIM1; k=rsa^", dkim.ErrKeySyntax)
	check("v=DKIM1; p=^; t=y", dkim.ErrKeyRevoked)
	check("p=AA AA ^*AAA", dkim.ErrKeySyntax)
	check("p=^AAA", dkim.ErrKeySyntax)
	check("p=AAAA; k=^dsa", dkim.ErrKeyType)
	check("k=rsa; p=^AAAA", dkim.ErrKeySyntax)
	check("k=ed25519; p=^AAAA", dkim.ErrKeySyntax)
}

// TestHashes: what was compared is told, as far as it came to that.
func TestHashes(t *testing.T) {
	s := newSigner(t, 1024)
	v := dkim.Verifier{Resolver: s.zone, Now: time.Now}
	signed := s.sign(t, []byte(benchHeader+"\r\nbody\r\n"), 1, dkim.Simple)
	check := func(from, to string, reason error, same, header bool) {
		t.Helper()
		head, body := split(bytes.Replace(signed, []byte(from), []byte(to), 1))
		found := verify(v, head, body)[0]
		sum := sha256.Sum256(body)
		if !errors.Is(found.Err, reason) || !bytes.Equal(found.BodySum, sum[:]) ||
			bytes.Equal(found.SignedBody, found.BodySum) != same || (len(found.HeaderSum) == sha256.Size) != header {
			t.Errorf("%q for %q: %v, signed %s, body %s, header %x", to, from, found.Err,
				base64.StdEncoding.EncodeToString(found.SignedBody), base64.StdEncoding.EncodeToString(found.BodySum), found.HeaderSum)
		}
	}
	check("", "", nil, true, true)
	check("\r\nbody", "\r\nBody", dkim.ErrBodyHash, false, false)
	check("Subject: ", "Subject: not ", dkim.ErrSignature, true, true)
}
