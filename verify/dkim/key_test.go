package dkim_test

import (
	"context"
	"crypto/x509"
	"encoding/asn1"
	"encoding/base64"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"testing"

	"assay/dnscache/dnstest"
	"assay/verify/dkim"
	"assay/verify/domain"
)

// pkcs1 returns a bare RSAPublicKey (RFC 8017 §A.1.1) in base64; the numbers
// need not make a key.
func pkcs1(n, e *big.Int) string {
	der, err := asn1.Marshal(struct{ N, E *big.Int }{n, e})
	if err != nil {
		panic(err)
	}
	return base64.StdEncoding.EncodeToString(der)
}

// spki wraps the same numbers in a SubjectPublicKeyInfo (RFC 5280 §4.1).
func spki(n, e *big.Int) string {
	der, err := base64.StdEncoding.DecodeString(pkcs1(n, e))
	if err != nil {
		panic(err)
	}
	type algorithm struct {
		OID  asn1.ObjectIdentifier
		Null asn1.RawValue
	}
	wrapped, err := asn1.Marshal(struct {
		Algorithm algorithm
		Key       asn1.BitString
	}{
		algorithm{asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 1}, asn1.NullRawValue},
		asn1.BitString{Bytes: der, BitLength: 8 * len(der)},
	})
	if err != nil {
		panic(err)
	}
	return base64.StdEncoding.EncodeToString(wrapped)
}

// odd returns an odd number of that many bits.
func odd(bits int) *big.Int {
	n := new(big.Int).Lsh(big.NewInt(1), uint(bits-1))
	return n.SetBit(n, 0, 1)
}

const edKey = "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=" // RFC 8463 §A.2

func TestParseKey(t *testing.T) {
	f4 := big.NewInt(65537)
	rsaKey := pkcs1(odd(1024), f4)
	good := func(record, kind string, bits int, flags string) {
		t.Helper()
		key, err := dkim.ParseKey(record)
		if err != nil {
			t.Errorf("%.200q: %v", record, err)
			return
		}
		got := ""
		if key.Strict {
			got += "s"
		}
		if key.Test {
			got += "y"
		}
		if key.Type != kind || key.Bits != bits || got != flags {
			t.Errorf("%.200q: got %s, %d bits, flags %q; want %s, %d, %q", record, key.Type, key.Bits, got, kind, bits, flags)
		}
	}
	bad := func(record string, want error) {
		t.Helper()
		if _, err := dkim.ParseKey(record); !errors.Is(err, want) {
			t.Errorf("%.200q: got error %v, want %v", record, err, want)
		}
	}
	// Both forms, and the least record.
	good("p="+rsaKey, "rsa", 1024, "")
	good("p="+spki(odd(1024), f4), "rsa", 1024, "")
	good("v=DKIM1; k=rsa; p="+rsaKey+";", "rsa", 1024, "")
	good("v=DKIM1; k=ed25519; p="+edKey, "ed25519", 256, "")
	bad("", dkim.ErrKeySyntax)
	bad("v=DKIM1", dkim.ErrKeySyntax)
	bad("k=rsa; p", dkim.ErrKeySyntax)
	bad("p="+rsaKey+"; p="+rsaKey, dkim.ErrKeySyntax)
	bad("hello", dkim.ErrKeySyntax)
	// v=
	bad("p="+rsaKey+"; v=DKIM1", dkim.ErrKeyVersion)
	bad("k=rsa; v=DKIM1; p="+rsaKey, dkim.ErrKeyVersion)
	bad("v=DKIM2; p="+rsaKey, dkim.ErrKeyVersion)
	bad("v=dkim1; p="+rsaKey, dkim.ErrKeyVersion)
	bad("v=; p="+rsaKey, dkim.ErrKeyVersion)
	// h=
	good("h=sha256; p="+rsaKey, "rsa", 1024, "")
	good("h=sha1 : sha256; p="+rsaKey, "rsa", 1024, "")
	bad("h=sha1; p="+rsaKey, dkim.ErrKeyHash)
	bad("h=; p="+rsaKey, dkim.ErrKeyHash)
	bad("h=sha2567; p="+rsaKey, dkim.ErrKeyHash)
	// k=
	bad("k=dsa; p="+rsaKey, dkim.ErrKeyType)
	bad("k=; p="+rsaKey, dkim.ErrKeyType)
	bad("k=ed25519; p="+rsaKey, dkim.ErrKeySyntax)
	bad("k=rsa; p="+edKey, dkim.ErrKeySyntax)
	// s=
	good("s=*; p="+rsaKey, "rsa", 1024, "")
	good("s=email; p="+rsaKey, "rsa", 1024, "")
	good("s=tlsrpt:email; p="+rsaKey, "rsa", 1024, "")
	bad("s=tlsrpt; p="+rsaKey, dkim.ErrKeyService)
	bad("s=; p="+rsaKey, dkim.ErrKeyService)
	// t= and tags that mean nothing here.
	good("t=y; p="+rsaKey, "rsa", 1024, "y")
	good("t=s; p="+rsaKey, "rsa", 1024, "s")
	good("t= y : s ; p="+rsaKey, "rsa", 1024, "sy")
	good("t=x:yy; p="+rsaKey, "rsa", 1024, "")
	good("t=; p="+rsaKey, "rsa", 1024, "")
	good("v=DKIM1; g=; n=for%20mail; x_new=1; p="+rsaKey, "rsa", 1024, "")
	// p=
	bad("p=", dkim.ErrKeyRevoked)
	bad("v=DKIM1; k=rsa; p= \t ;", dkim.ErrKeyRevoked)
	good("p="+rsaKey[:20]+" "+rsaKey[20:60]+"\t \r\n "+rsaKey[60:], "rsa", 1024, "")
	bad("p="+rsaKey[:len(rsaKey)-3], dkim.ErrKeySyntax)
	bad("p=*"+rsaKey, dkim.ErrKeySyntax)
	bad("p="+base64.StdEncoding.EncodeToString([]byte("no DER")), dkim.ErrKeySyntax)
	bad("p="+pkcs1(odd(1024), f4)[:100]+"====", dkim.ErrKeySyntax)
	// Sizes of RSA keys.
	bad("p="+pkcs1(odd(512), f4), dkim.ErrKeyShort)
	bad("p="+pkcs1(odd(1023), f4), dkim.ErrKeyShort)
	bad("p="+spki(odd(1023), f4), dkim.ErrKeyShort)
	good("p="+pkcs1(odd(4096), f4), "rsa", 4096, "")
	good("p="+pkcs1(odd(8192), f4), "rsa", 8192, "")
	good("v=DKIM1; k=rsa; p="+spki(odd(8192), f4), "rsa", 8192, "")
	bad("p="+pkcs1(odd(8193), f4), dkim.ErrKeyLong)
	bad("p="+spki(odd(16384), f4), dkim.ErrKeyLong)
	// Exponents and modulus.
	bad("p="+pkcs1(odd(1024), big.NewInt(1)), dkim.ErrKeyExponent)
	bad("p="+pkcs1(odd(1024), big.NewInt(2)), dkim.ErrKeyExponent)
	bad("p="+pkcs1(odd(1024), big.NewInt(65536)), dkim.ErrKeyExponent)
	good("p="+pkcs1(odd(1024), big.NewInt(3)), "rsa", 1024, "")
	good("p="+pkcs1(odd(1024), big.NewInt(1<<31-1)), "rsa", 1024, "")
	bad("p="+pkcs1(odd(1024), big.NewInt(1<<31)), dkim.ErrKeySyntax) // crypto/x509 refuses it as no key
	bad("p="+spki(odd(1024), big.NewInt(1<<31)), dkim.ErrKeyExponent)
	bad("p="+spki(odd(1024), big.NewInt(1<<31+1)), dkim.ErrKeyExponent)
	bad("p="+pkcs1(odd(1024), odd(100)), dkim.ErrKeySyntax) // no Go int
	bad("p="+pkcs1(odd(1024), big.NewInt(0)), dkim.ErrKeySyntax)
	bad("p="+pkcs1(odd(1024), big.NewInt(-3)), dkim.ErrKeySyntax)
	bad("p="+pkcs1(new(big.Int).Lsh(big.NewInt(1), 1023), f4), dkim.ErrKeyModulus)
	bad("p="+pkcs1(new(big.Int).Neg(odd(1024)), f4), dkim.ErrKeySyntax)
	bad("p="+pkcs1(big.NewInt(0), f4), dkim.ErrKeySyntax)
	// Ed25519.
	bad("k=ed25519; p="+base64.StdEncoding.EncodeToString(make([]byte, 31)), dkim.ErrKeySyntax)
	bad("k=ed25519; p="+base64.StdEncoding.EncodeToString(make([]byte, 33)), dkim.ErrKeySyntax)
	bad("k=ed25519; p=MCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=", dkim.ErrKeySyntax) // RFC 8463 §4.2: bare, no SubjectPublicKeyInfo
	// The length of the record.
	const most = 4096
	good("p="+rsaKey+"; n="+strings.Repeat("x", most-len(rsaKey)-6), "rsa", 1024, "")
	bad("p="+rsaKey+"; n="+strings.Repeat("x", most-len(rsaKey)-5), dkim.ErrKeySyntax)
	bad("v=DKIM1; p="+strings.Repeat("A", 64<<10), dkim.ErrKeySyntax)
}

// TestEd25519Hostile: a point that is none verifies nothing.
func TestEd25519Hostile(t *testing.T) {
	for _, p := range []byte{0, 0xff} {
		key, err := dkim.ParseKey("k=ed25519; p=" + base64.StdEncoding.EncodeToString([]byte(strings.Repeat(string([]byte{p}), 32))))
		if err != nil {
			continue
		}
		for _, sig := range [][]byte{nil, make([]byte, 63), make([]byte, 65), []byte(strings.Repeat("\xff", 64))} {
			if key.Verify(make([]byte, 32), sig) {
				t.Errorf("p=%x: %x verifies", p, sig)
			}
		}
	}
}

func TestFindKey(t *testing.T) {
	record := "v=DKIM1; p=" + pkcs1(odd(1024), big.NewInt(65537))
	check := func(what string, want error, records ...string) {
		t.Helper()
		zone := dnstest.New()
		zone.Add("example.com", "A", "192.0.2.1")
		for _, r := range records {
			zone.Add("s._domainkey.example.com", "TXT", r)
		}
		_, err := dkim.FindKey(context.Background(), zone, domain.MustParse("s"), domain.MustParse("example.com"))
		if (want == nil) != (err == nil) || !errors.Is(err, want) {
			t.Errorf("%s: got %v, want %v", what, err, want)
		}
		if got := fmt.Sprint(zone.Questions()); got != "[TXT s._domainkey.example.com]" {
			t.Errorf("%s: asked %s", what, got)
		}
	}
	check("one record", nil, record)
	check("no record", dkim.ErrNoKey)
	check("junk alone", dkim.ErrKeySyntax, "google-site-verification=x")
	check("junk beside it", nil, "google-site-verification=x", record, "v=spf1 -all", "")
	check("two keys", dkim.ErrKeyCount, record, "v=DKIM1; p=")
	check("the same key twice", dkim.ErrKeyCount, record, record)
	check("two keys, one broken", dkim.ErrKeyCount, record, "v=DKIM1; p")
	check("only junk", dkim.ErrKeySyntax, "a", "b")
	check("revoked", dkim.ErrKeyRevoked, "v=DKIM1; p=")
	check("64 KiB", dkim.ErrKeySyntax, "v=DKIM1; p="+strings.Repeat("A", 60_000))
	check("long, in several strings", nil, "v=DKIM1; p="+pkcs1(odd(8192), big.NewInt(65537)))

	ask := func(what string, zone *dnstest.Zone, ctx context.Context, selector string, want error) {
		t.Helper()
		_, err := dkim.FindKey(ctx, zone, domain.MustParse(selector), domain.MustParse("example.com"))
		if !errors.Is(err, want) {
			t.Errorf("%s: got %v, want %v", what, err, want)
		}
	}
	zone := dnstest.MustParse(t, "empty._domainkey.example.com. A 192.0.2.1\nfail._domainkey.example.com. TXT SERVFAIL\nslow._domainkey.example.com. TXT TIMEOUT\nno._domainkey.example.com. TXT REFUSED\n"+
		"alias._domainkey.example.com. CNAME s._domainkey.example.net.\ns._domainkey.example.net. TXT \"v=DKIM1; p=\"")
	ctx, cancel := context.WithCancel(context.Background())
	ask("NXDOMAIN", zone, ctx, "absent", dkim.ErrNoKey)
	ask("no TXT", zone, ctx, "empty", dkim.ErrNoKey)
	ask("SERVFAIL", zone, ctx, "fail", dkim.ErrLookup)
	ask("TIMEOUT", zone, ctx, "slow", dkim.ErrLookup)
	ask("REFUSED", zone, ctx, "no", dkim.ErrLookup)
	ask("CNAME", zone, ctx, "alias", dkim.ErrKeyRevoked)
	cancel()
	ask("cancelled", zone, ctx, "alias", dkim.ErrLookup)
	zone.Reset()
	ask("name of more than 253 octets", zone, context.Background(), strings.Repeat(strings.Repeat("x", 60)+".", 4)[:240], dkim.ErrNoKey)
	if q := zone.Questions(); len(q) != 0 {
		t.Errorf("asked %v for a name that cannot exist", q)
	}
}

// TestKeyKept: the key is parsed once for as long as the DNS answer is kept.
func TestKeyKept(t *testing.T) {
	zone := dnstest.New()
	zone.Add("s._domainkey.example.com", "TXT", "p="+pkcs1(odd(2048), big.NewInt(65537)))
	find := func() *dkim.Key {
		key, err := dkim.FindKey(context.Background(), zone, domain.MustParse("s"), domain.MustParse("example.com"))
		if err != nil {
			t.Fatal(err)
		}
		return key
	}
	first := find()
	if find() != first {
		t.Error("parsed anew from the same answer")
	}
	zone.Add("other.example.com", "A", "192.0.2.1") // the zone changed: another answer
	if find() == first {
		t.Error("an old key outlives its answer")
	}
}

// FuzzKey: a key record never panics the parser, and what it accepts holds to
// the limits.
func FuzzKey(f *testing.F) {
	f.Add("v=DKIM1; k=rsa; h=sha1:sha256; s=email:*; t=s:y; n=x; p="+spki(odd(1024), big.NewInt(65537)), []byte("signature"))
	f.Add("p="+pkcs1(odd(8192), big.NewInt(3)), make([]byte, 1024))
	f.Add("v=DKIM1; k=ed25519; p="+edKey, make([]byte, 64))
	f.Add("p="+pkcs1(odd(8193), big.NewInt(1<<31)), []byte{})
	f.Fuzz(func(t *testing.T, record string, sig []byte) {
		key, err := dkim.ParseKey(record)
		if err != nil {
			for _, known := range []error{dkim.ErrKeySyntax, dkim.ErrKeyRevoked, dkim.ErrKeyVersion, dkim.ErrKeyType, dkim.ErrKeyHash, dkim.ErrKeyService, dkim.ErrKeyShort, dkim.ErrKeyLong, dkim.ErrKeyExponent, dkim.ErrKeyModulus} {
				if errors.Is(err, known) {
					return
				}
			}
			t.Fatalf("%q: error %v has no cause", record, err)
		}
		if key.Type == "rsa" && (key.Bits < 1024 || key.Bits > 8192) || key.Type == "ed25519" && key.Bits != 256 {
			t.Errorf("%q: accepted %s with %d bits", record, key.Type, key.Bits)
		}
		key.Verify(make([]byte, 32), sig)
	})
}

// TestForms: a generated key is the same key in both forms.
func TestForms(t *testing.T) {
	private := generate(t, 1024)
	der, err := x509.MarshalPKIXPublicKey(&private.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := spki(private.N, big.NewInt(int64(private.E))), base64.StdEncoding.EncodeToString(der); got != want {
		t.Fatalf("the test's own SubjectPublicKeyInfo is wrong:\n got %s\nwant %s", got, want)
	}
	if got, want := pkcs1(private.N, big.NewInt(int64(private.E))), base64.StdEncoding.EncodeToString(x509.MarshalPKCS1PublicKey(&private.PublicKey)); got != want {
		t.Fatalf("the test's own RSAPublicKey is wrong:\n got %s\nwant %s", got, want)
	}
}
