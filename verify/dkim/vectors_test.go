package dkim_test

import (
	"bytes"
	"encoding/base64"
	"testing"
	"time"

	"assay/verify/dkim"
)

// TestVectors verifies the signed messages of the standards themselves.
func TestVectors(t *testing.T) {
	check := func(file, made string, want ...dkim.Signature) {
		t.Helper()
		header, body, zone := loadMail(t, file)
		at, err := time.Parse(time.DateOnly, made)
		if err != nil {
			t.Fatal(err)
		}
		v := dkim.Verifier{Resolver: zone, Now: func() time.Time { return at }}
		got := verify(v, header, body)
		if len(got) != len(want) {
			t.Fatalf("%s: %d signatures, want %d", file, len(got), len(want))
		}
		for i, w := range want {
			g := got[i]
			if g.Result != dkim.Pass || g.SDID.String() != "example.com" && g.SDID.String() != "football.example.com" {
				t.Errorf("%s: signature %d of %s: %s (%v), want pass", file, i, g.SDID, g.Result, g.Err)
			}
			if g.Algorithm != w.Algorithm || g.KeyBits != w.KeyBits || g.Header != w.Header || g.Body != w.Body || g.B != w.B || g.AUID != w.AUID {
				t.Errorf("%s: signature %d:\n got %s %d bits %s/%s b=%s i=%s\nwant %s %d bits %s/%s b=%s i=%s", file, i,
					g.Algorithm, g.KeyBits, g.Header, g.Body, g.B, g.AUID, w.Algorithm, w.KeyBits, w.Header, w.Body, w.B, w.AUID)
			}
		}
		// Any octet of the body and any signed field matters.
		for i := range body[:len(body)-2] {
			altered := bytes.Clone(body)
			altered[i] ^= 1
			for _, g := range verify(v, header, altered) {
				if g.Result == dkim.Pass {
					t.Errorf("%s: still passes with octet %d of the body altered", file, i)
				}
			}
		}
		for i := range header {
			if header[i].Name == "DKIM-Signature" {
				continue
			}
			altered := append(header[:0:0], header...)
			altered[i].Value += "x"
			for _, g := range verify(v, altered, body) {
				if g.Result != dkim.Fail && header[i].Name != "Received" {
					t.Errorf("%s: %s with %s altered, want fail", file, g.Result, header[i].Name)
				}
			}
		}
	}
	// RFC 6376 appendix A.2 and A.3.
	check("go-msgauth/verifiedMailString.eml", "2003-07-12",
		dkim.Signature{Algorithm: "rsa-sha256", KeyBits: 1024, Header: dkim.Simple, Body: dkim.Simple, B: "AuUoFEfD", AUID: "@football.example.com"})
	// RFC 8463 appendix A.3, with the keys of A.2.
	check("mail-auth/dkim-001.txt", "2018-06-11",
		dkim.Signature{Algorithm: "ed25519-sha256", KeyBits: 256, Header: dkim.Relaxed, Body: dkim.Relaxed, B: "/gCrinpc", AUID: "@football.example.com"},
		dkim.Signature{Algorithm: "rsa-sha256", KeyBits: 1024, Header: dkim.Relaxed, Body: dkim.Relaxed, B: "F45dVWDf", AUID: "@football.example.com"})
}

// TestEmptyBodies: RFC 6376 §3.4.3 and §3.4.4 state the hashes of the empty body.
func TestEmptyBodies(t *testing.T) {
	for canon, want := range map[dkim.Canon]string{
		dkim.Simple:  "frcCV1k9oG9oKj3dpUqdJg1PxRT2RSN/XKdLCPjaYaY=",
		dkim.Relaxed: "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
	} {
		if got := base64.StdEncoding.EncodeToString(feed(canon, -1, nil).Sum()); got != want {
			t.Errorf("%s: got %s, want %s", canon, got, want)
		}
	}
}
