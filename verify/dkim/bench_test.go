package dkim_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	msgauth "github.com/emersion/go-msgauth/dkim"

	"assay/dnscache/dnstest"
	"assay/verify/dkim"
	"assay/verify/domain"
	"assay/verify/lookup"
	"assay/verify/message"
)

// text returns n octets of ordinary text in lines of 76 columns.
func text(n int) []byte {
	const words = "the quick brown fox jumps over the lazy dog and pays for his supper with a song "
	var b bytes.Buffer
	for b.Len() < n {
		at := b.Len() % 40
		line := strings.Repeat(words, 2)[at : at+76]
		b.WriteString(strings.TrimRight(line, " ") + "\r\n")
	}
	return b.Bytes()[: n-2 : n-2]
}

// encoded returns n octets of base64 in lines of 76 columns.
func encoded(n int) []byte {
	line := strings.Repeat("VGhpcyBpcyBiYXNlNjQu", 4)[:76] + "\r\n"
	return []byte(strings.Repeat(line, n/len(line)+1)[:n])
}

// quoted returns n octets of quoted-printable HTML.
func quoted(n int) []byte {
	line := "  <td style=3D\"padding:0 4px\">caf=C3=A9 au lait, 3=E2=82=AC a cup, and  =\r\n"
	return []byte(strings.Repeat(line, n/len(line)+1)[:n])
}

// signer signs test messages and publishes its key.
type signer struct {
	key  *rsa.PrivateKey
	zone *dnstest.Zone
}

func newSigner(tb testing.TB, bits int) *signer {
	tb.Helper()
	key, err := rsa.GenerateKey(rand.Reader, bits)
	if err != nil {
		tb.Fatal(err)
	}
	public, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		tb.Fatal(err)
	}
	s := &signer{key: key, zone: dnstest.New()}
	for i := range 3 {
		s.zone.Add(fmt.Sprintf("s%d._domainkey.example.com", i), "TXT", "v=DKIM1; p="+base64.StdEncoding.EncodeToString(public))
	}
	return s
}

// cached answers as a cache does that holds the keys of s.
func (s *signer) cached(tb testing.TB) lookup.Resolver {
	tb.Helper()
	answers := map[string]*lookup.TXT{}
	for i := range 3 {
		name := fmt.Sprintf("s%d._domainkey.example.com", i)
		answer, err := s.zone.TXT(context.Background(), name)
		if err != nil {
			tb.Fatal(err)
		}
		answers[name] = answer
	}
	return asking{s.zone, func(_ context.Context, name string) (*lookup.TXT, error) { return answers[name], nil }}
}

// sign returns the message with count signatures on top.
func (s *signer) sign(tb testing.TB, raw []byte, count int, canon dkim.Canon) []byte {
	tb.Helper()
	for i := range count {
		var signed bytes.Buffer
		err := msgauth.Sign(&signed, bytes.NewReader(raw), &msgauth.SignOptions{
			Domain: "example.com", Selector: fmt.Sprintf("s%d", i), Signer: s.key, Hash: crypto.SHA256,
			HeaderCanonicalization: msgauth.Canonicalization(canon), BodyCanonicalization: msgauth.Canonicalization(canon),
			HeaderKeys: []string{"From", "To", "Subject", "Date", "Message-ID", "MIME-Version", "Content-Type"},
		})
		if err != nil {
			tb.Fatal(err)
		}
		raw = signed.Bytes()
	}
	return raw
}

const benchHeader = "Received: from out.example.com (out.example.com [192.0.2.7])\r\n\tby mx.example.net with ESMTPS id 4ABC123\r\n\tfor <you@example.net>; Tue, 24 Nov 2026 09:00:00 +0000 (UTC)\r\n" +
	"From: Example Sender <sender@example.com>\r\nTo: you@example.net\r\nSubject: The weekly report of everything that happened\r\n" +
	"Date: Tue, 24 Nov 2026 09:00:00 +0000\r\nMessage-ID: <20261124090000.1234@example.com>\r\nMIME-Version: 1.0\r\n" +
	"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\nX-Mailer: example 1.0\r\n\r\n"

// split cuts a raw message into header fields and body.
func split(raw []byte) (message.Header, []byte) {
	var header message.Header
	block, body, _ := bytes.Cut(raw, []byte("\r\n\r\n"))
	for _, line := range strings.Split(string(block), "\r\n") {
		if line == "" {
			continue
		}
		if (line[0] == ' ' || line[0] == '\t') && len(header) > 0 {
			header[len(header)-1].Value += "\r\n" + line
			continue
		}
		name, value, _ := strings.Cut(line, ":")
		header = append(header, message.Field{Name: name, Value: value})
	}
	return header, body
}

// chunkSize is the size of the chunks in which an MTA sends the body.
const chunkSize = 65535

func verify(v dkim.Verifier, header message.Header, body []byte) []dkim.Signature {
	var bodies dkim.Bodies
	run := v.Begin(context.Background(), header, domain.Name{}, &bodies)
	for len(body) > 0 && bodies.Open() {
		n := min(len(body), chunkSize)
		bodies.Write(body[:n])
		body = body[n:]
	}
	bodies.Close()
	return run.Finish()
}

// BenchmarkVerify asks: what does a whole message cost, beside the same work by
// the library and beside its floor, which is bare SHA-256 of the body once and
// bare crypto/rsa for each signature?
func BenchmarkVerify(b *testing.B) {
	s := newSigner(b, 2048)
	resolver := s.cached(b)
	v := dkim.Verifier{Resolver: resolver, Now: time.Now}
	for _, size := range []int{2 << 10, 20 << 10, 200 << 10, 5 << 20} {
		for _, count := range []int{1, 3} {
			raw := s.sign(b, append([]byte(benchHeader), text(size)...), count, dkim.Relaxed)
			header, body := split(raw)
			name := fmt.Sprintf("%dKiB-%dsig", size>>10, count)
			b.Run(name+"/assay", func(b *testing.B) {
				b.ReportAllocs()
				b.SetBytes(int64(len(raw)))
				for b.Loop() {
					for _, sig := range verify(v, header, body) {
						if sig.Result != dkim.Pass {
							b.Fatal(sig.Err)
						}
					}
				}
			})
			b.Run(name+"/go-msgauth", func(b *testing.B) {
				b.ReportAllocs()
				b.SetBytes(int64(len(raw)))
				options := &msgauth.VerifyOptions{LookupTXT: func(name string) ([]string, error) {
					answer, err := resolver.TXT(context.Background(), name)
					return answer.Records, err
				}}
				for b.Loop() {
					if _, err := msgauth.VerifyWithOptions(bytes.NewReader(raw), options); err != nil {
						b.Fatal(err)
					}
				}
			})
			b.Run(name+"/floor", func(b *testing.B) {
				b.SetBytes(int64(len(raw)))
				floor := s.floor(b, body, count)
				for b.Loop() {
					floor()
				}
			})
		}
	}
}

// BenchmarkBody asks: how fast is a body canonicalized and hashed, beside bare
// SHA-256?
func BenchmarkBody(b *testing.B) {
	for name, body := range map[string][]byte{"text": text(5 << 20), "base64": encoded(5 << 20), "quoted": quoted(5 << 20)} {
		for _, canon := range []dkim.Canon{dkim.Simple, dkim.Relaxed} {
			b.Run(name+"/"+string(canon), func(b *testing.B) {
				b.ReportAllocs()
				b.SetBytes(int64(len(body)))
				for b.Loop() {
					stream(canon, body)
				}
			})
		}
		b.Run(name+"/sha256", func(b *testing.B) {
			b.SetBytes(int64(len(body)))
			h := sha256.New()
			for b.Loop() {
				h.Reset()
				io.Copy(h, bytes.NewReader(body))
				h.Sum(nil)
			}
		})
	}
}

// BenchmarkRSA asks: is the prepared modulus worth having?
func BenchmarkRSA(b *testing.B) {
	for _, bits := range []int{1024, 2048, 4096} {
		key, err := rsa.GenerateKey(rand.Reader, bits)
		if err != nil {
			b.Fatal(err)
		}
		digest := sha256.Sum256([]byte("x"))
		sig, err := rsa.SignPKCS1v15(nil, key, crypto.SHA256, digest[:])
		if err != nil {
			b.Fatal(err)
		}
		public, err := x509.MarshalPKIXPublicKey(key.Public())
		if err != nil {
			b.Fatal(err)
		}
		ours, err := dkim.ParseKey("p=" + base64.StdEncoding.EncodeToString(public))
		if err != nil {
			b.Fatal(err)
		}
		b.Run(fmt.Sprintf("%d/assay", bits), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if !ours.Verify(digest[:], sig) {
					b.Fatal("no")
				}
			}
		})
		b.Run(fmt.Sprintf("%d/crypto-rsa", bits), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if rsa.VerifyPKCS1v15(&key.PublicKey, crypto.SHA256, digest[:], sig) != nil {
					b.Fatal("no")
				}
			}
		})
	}
}
