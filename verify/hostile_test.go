package verify_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"math/big"
	"strings"
	"testing"
	"time"

	"assay/dnscache/dnstest"
	"assay/verify"
	"assay/verify/message"
)

// The limits that the filter sets to a header section.
const (
	headerFields = 2000
	headerOctets = 1 << 20
)

// fill appends make(0), make(1), … to h as long as the limits permit.
func fill(h message.Header, make func(i int) message.Field) message.Header {
	octets := 0
	for _, f := range h {
		octets += len(f.Name) + len(f.Value)
	}
	for i := 0; len(h) < headerFields; i++ {
		f := make(i)
		if octets += len(f.Name) + len(f.Value); octets > headerOctets {
			break
		}
		h = append(h, f)
	}
	return h
}

// bodyHash is of the body "x".
var bodyHash = base64.StdEncoding.EncodeToString(func() []byte { s := sha256.Sum256([]byte("x\r\n")); return s[:] }())

// costlyKey is an RSA key as large as is accepted, and a number that could be
// its signature.
func costlyKey(tb testing.TB) (record, signature string) {
	tb.Helper()
	octets := bytes.Repeat([]byte{0xff}, 1024)
	rand.Read(octets[1:])
	octets[1023] |= 1
	public, err := x509.MarshalPKIXPublicKey(&rsa.PublicKey{N: new(big.Int).SetBytes(octets), E: 1<<31 - 1})
	if err != nil {
		tb.Fatal(err)
	}
	octets[0] = 0x7f
	return "v=DKIM1; p=" + base64.StdEncoding.EncodeToString(public), base64.StdEncoding.EncodeToString(octets)
}

// hostile are header sections that are meant to keep us busy, without anything in the
// DNS of theirs being slow.
func hostile(tb testing.TB) (*dnstest.Zone, map[string]message.Header) {
	key, sig := costlyKey(tb)
	zone := dnstest.New()
	for i := range 10 {
		zone.Add(fmt.Sprintf("s%d._domainkey.evil.example", i), "TXT", key)
	}
	from := message.Field{Name: "From", Value: " a@evil.example"}
	deep := strings.Repeat("a.", 120) + "evil.example"
	signed := func(names string) message.Header {
		h := message.Header{from}
		for i := range 10 {
			h = append(h, message.Field{Name: "DKIM-Signature", Value: fmt.Sprintf(
				" v=1; a=rsa-sha256; c=relaxed/simple; d=evil.example; s=s%d; h=%s; bh=%s; b=%s", i, names, bodyHash, sig)})
		}
		return h
	}
	// 500 characters of two octets, each of them another one.
	var label strings.Builder
	for r := rune(0x1000 - 1); label.Len() < 990; r-- {
		if r >= 0x400 && r < 0x480 || r > 0x531 && r < 0x557 {
			label.WriteRune(r)
		}
		if r < 0x400 {
			r = 0x1000
		}
	}
	return zone, map[string]message.Header{
		"deep names": fill(message.Header{{Name: "From", Value: " a@" + deep}}, func(i int) message.Field {
			return message.Field{Name: "DKIM-Signature", Value: fmt.Sprintf(" v=1; a=rsa-sha256; d=%s; s=s; h=From; bh=eHh4; b=eHh4", "b"+deep[1:])}
		}),
		"U-labels": fill(message.Header{from}, func(i int) message.Field {
			return message.Field{Name: "DKIM-Signature", Value: fmt.Sprintf(" v=1; a=rsa-sha256; d=%s; s=%s; h=From; bh=eHh4; b=eHh4", label.String(), label.String())}
		}),
		"encoded words":  {{Name: "From", Value: " " + strings.Repeat("=?a?q?", 10900) + "?="}},
		"encoded base64": {{Name: "From", Value: " " + strings.Repeat("=?a?b?", 5000) + "a@b.example"}},
		"many names":     fill(signed(strings.Repeat("X:", 255)+"From"), func(i int) message.Field { return message.Field{Name: "Y", Value: strings.Repeat(" a", 200)} }),
		"long names": fill(signed(strings.Repeat("From:", 256)[:255*5]+"X"), func(i int) message.Field {
			return message.Field{Name: "X" + strings.Repeat(" ", 100<<10), Value: " a"}
		}),
		"all signed": fill(signed(strings.Repeat("X:", 255)+"From"), func(i int) message.Field { return message.Field{Name: "X", Value: strings.Repeat(" a", 1900)} }),
		"results": fill(message.Header{from}, func(i int) message.Field {
			return message.Field{Name: "Authentication-Results", Value: "(" + strings.Repeat("é ", 600) + ") foo; none"}
		}),
	}
}

// BenchmarkHostile asks: how long can one message keep us busy?
func BenchmarkHostile(b *testing.B) {
	zone, headers := hostile(b)
	for name, h := range headers {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				v := &verify.Verifier{Resolver: zone, Now: time.Now, Budget: time.Minute, ARC: true, JudgeHeader: true}
				c := connection
				run := v.Begin(context.Background(), &c, &message.Envelope{Sender: "a@evil.example"})
				run.Headers(h)
				run.Body([]byte("x\r\n"))
				run.Finish()
			}
		})
	}
}

// TestHostile: no header section within the limits keeps us busy for long.
// BenchmarkHostile has the figures; here the bound only tells linear work from
// quadratic, on a slow machine and under the race detector too.
func TestHostile(t *testing.T) {
	zone, headers := hostile(t)
	for name, h := range headers {
		begin := time.Now()
		v := &verify.Verifier{Resolver: zone, Now: time.Now, Budget: time.Minute, ARC: true, JudgeHeader: true}
		run := v.Begin(context.Background(), &connection, &message.Envelope{Sender: "a@evil.example"})
		run.Headers(h)
		run.Body([]byte("x\r\n"))
		run.Finish()
		if took := time.Since(begin); took > 3*time.Second {
			t.Errorf("%s: %v", name, took)
		}
	}
}
