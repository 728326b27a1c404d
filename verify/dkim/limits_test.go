package dkim_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"assay/dnscache/dnstest"
	"assay/verify/dkim"
	"assay/verify/domain"
	"assay/verify/message"
)

// verifyFor is verify with an author domain.
func verifyFor(v dkim.Verifier, author string, header message.Header, body string) []dkim.Signature {
	var bodies dkim.Bodies
	name, _ := domain.Parse(author)
	run := v.Begin(context.Background(), header, name, &bodies)
	bodies.Write([]byte(body))
	bodies.Close()
	return run.Finish()
}

// sealedBy returns the signature field of letter for another domain.
func (s *signer) sealedBy(t *testing.T, sdid string) message.Field {
	t.Helper()
	return seal(t, s.key, letter, []byte(letterBody), strings.Replace(plain, "d=example.com", "d="+sdid, 1))[0]
}

func count(signatures []dkim.Signature, err error) int {
	n := 0
	for _, s := range signatures {
		if errors.Is(s.Err, err) {
			n++
		}
	}
	return n
}

// TestThousandSignatures: the one signature that matters, below 999 others, is
// found, and no more than MaxSignatures are asked for.
func TestThousandSignatures(t *testing.T) {
	s := newSigner(t, 1024)
	var header message.Header
	for i := range 999 {
		value := strings.NewReplacer("d=example.com", fmt.Sprintf("d=junk%d.example.net", i), bodyHash, "AAAA", signatureHere, "AAAA").Replace(plain)
		header = append(header, message.Field{Name: "DKIM-Signature", Value: value})
	}
	header = append(header, s.sealedBy(t, "example.com"))
	header = append(header, letter...)
	v := dkim.Verifier{Resolver: s.zone, Now: clock}
	got := verifyFor(v, "mail.example.com", header, letterBody)
	if len(got) != 1000 || got[999].Result != dkim.Pass {
		t.Errorf("%d signatures, the last %+v, want 1000 and pass", len(got), got[len(got)-1])
	}
	if n := count(got, dkim.ErrTooMany); n != 1000-dkim.MaxSignatures {
		t.Errorf("%d are too many, want %d", n, 1000-dkim.MaxSignatures)
	}
	if n := len(s.zone.Questions()); n != dkim.MaxSignatures {
		t.Errorf("%d questions, want %d", n, dkim.MaxSignatures)
	}
	for i, g := range got {
		if i < 9 && !errors.Is(g.Err, dkim.ErrNoKey) || i >= 9 && i < 999 && g.Result != dkim.Neutral {
			t.Errorf("signature %d: %s (%v)", i, g.Result, g.Err)
		}
	}
}

func TestMaxSignatures(t *testing.T) {
	s := newSigner(t, 1024)
	v := dkim.Verifier{Resolver: s.zone, Now: clock}
	good := s.sealedBy(t, "example.com")
	check := func(what string, fields []message.Field, passed, tooMany, other int) {
		t.Helper()
		got := verifyFor(v, "", append(fields, letter...), letterBody)
		p, m := count(got, nil), count(got, dkim.ErrTooMany)
		if p != passed || m != tooMany || len(got)-p-m != other {
			t.Errorf("%s: %d passed, %d too many, %d other; want %d, %d, %d", what, p, m, len(got)-p-m, passed, tooMany, other)
		}
		for i, g := range got {
			if errors.Is(g.Err, dkim.ErrTooMany) && i < dkim.MaxSignatures {
				t.Errorf("%s: signature %d was left out, the first come first", what, i)
			}
		}
	}
	check("none", nil, 0, 0, 0)
	check("10", slices.Repeat([]message.Field{good}, dkim.MaxSignatures), dkim.MaxSignatures, 0, 0)
	check("11", slices.Repeat([]message.Field{good}, dkim.MaxSignatures+1), dkim.MaxSignatures, 1, 0)
	// What nobody can verify takes no place.
	malformed := message.Field{Name: "DKIM-Signature", Value: " v=1; a=rsa-sha256"}
	check("100 malformed, 10", append(slices.Repeat([]message.Field{malformed}, 100), slices.Repeat([]message.Field{good}, dkim.MaxSignatures)...), dkim.MaxSignatures, 0, 100)
}

// TestNearest: the signatures nearest to the author domain are the ones that
// are evaluated, however many others stand above them.
func TestNearest(t *testing.T) {
	check := func(author, near, foreign string) {
		t.Helper()
		s := newSigner(t, 1024)
		s.publish("s0._domainkey."+near, "")
		v := dkim.Verifier{Resolver: s.zone, Now: clock}
		header := message.Header(slices.Repeat([]message.Field{s.sealedBy(t, foreign)}, dkim.MaxSignatures))
		header = append(append(header, s.sealedBy(t, near)), letter...)
		got := verifyFor(v, author, header, letterBody)
		if last := got[dkim.MaxSignatures]; last.Result != dkim.Pass {
			t.Errorf("author %s: %s below ten of %s: %s (%v)", author, near, foreign, last.Result, last.Err)
		}
		if !errors.Is(got[dkim.MaxSignatures-1].Err, dkim.ErrTooMany) || errors.Is(got[0].Err, dkim.ErrTooMany) {
			t.Errorf("author %s: the last of the foreign ones is the surplus one", author)
		}
	}
	check("example.org", "example.org", "other.example")
	check("example.org", "example.org", "mail.example.org")
	check("mail.example.org", "example.org", "example.com")
	check("a.b.example.org", "b.example.org", "example.org")
	check("example.org", "mail.example.org", "notexample.org")
	check("example.co.uk", "x.example.co.uk", "other.co.uk")
}

// TestHostileHeaders: bounded work, and a result that has a name.
func TestHostileHeaders(t *testing.T) {
	s := newSigner(t, 1024)
	v := dkim.Verifier{Resolver: s.zone, Now: clock}
	sealed := s.sealedBy(t, "example.com")
	replaced := func(old, replacement string) message.Field {
		return message.Field{Name: "DKIM-Signature", Value: strings.Replace(sealed.Value, old, replacement, 1)}
	}
	check := func(what string, want error, header message.Header) {
		t.Helper()
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		got := verifyFor(v, "example.com", header, letterBody)
		runtime.ReadMemStats(&after)
		if !errors.Is(got[0].Err, want) || (want == nil) != (got[0].Err == nil) {
			t.Errorf("%s: %s (%v), want %v", what, got[0].Result, got[0].Err, want)
		}
		if grown := after.TotalAlloc - before.TotalAlloc; grown > 8<<20 {
			t.Errorf("%s: allocated %d octets", what, grown)
		}
	}
	check("1 MiB of white space", dkim.ErrFieldSize, append(message.Header{replaced("s=s0", "s="+strings.Repeat(" ", 1<<20)+"s0")}, letter...))
	check("1 MiB of tags", dkim.ErrFieldSize, append(message.Header{replaced("s=s0", strings.Repeat("x=1;", 1<<18)+"s=s0")}, letter...))
	check("16 KiB of tags", dkim.ErrSyntax, append(message.Header{replaced("s=s0", strings.Repeat("x=1;", 3000)+"s=s0")}, letter...))
	check("100,000 names", dkim.ErrFieldSize, append(message.Header{replaced("h=From", "h=From"+strings.Repeat(":Subject", 100_000))}, letter...))
	check("7,000 names", dkim.ErrNames, append(message.Header{replaced("h=From", "h=From"+strings.Repeat(":x", 7_000))}, letter...))
	check("1 MiB of unsigned header", nil, append(message.Header{sealed, {Name: "X", Value: strings.Repeat(" x\r\n", 1<<18) + " x"}}, letter...))
	check("1 MiB in Received", nil, append(message.Header{sealed, {Name: "Received", Value: strings.Repeat("x", 1<<20)}}, letter...))
	check("100,000 fields", nil, append(append(message.Header{sealed}, slices.Repeat([]message.Field{{Name: "X", Value: " y"}}, 100_000)...), letter...))
	check("2,000 Subjects", dkim.ErrUnsigned, append(append(message.Header{sealed}, slices.Repeat([]message.Field{{Name: "Subject", Value: " y"}}, 2_000)...), letter...))
	check("1,000 fields of 16 KiB", dkim.ErrSyntax, append(message.Header(slices.Repeat([]message.Field{{Name: "DKIM-Signature", Value: strings.Repeat(";", dkim.MaxFieldBytes)}}, 1000)), letter...))
	long := message.Header{{Name: "Subject", Value: strings.Repeat(" x", 1<<18)}}
	long = append(long, letter[1])
	check("512 KiB in a signed field", nil, seal(t, s.key, long, []byte(letterBody), plain))
}

// TestWorst: ten signatures of 256 names each over 2,000 fields.
func TestWorst(t *testing.T) {
	s := newSigner(t, 1024)
	v := dkim.Verifier{Resolver: s.zone, Now: clock}
	header := append(message.Header(slices.Repeat([]message.Field{{Name: "X", Value: strings.Repeat(" y", 200)}}, 2_000)), letter...)
	field := seal(t, s.key, header, []byte(letterBody), strings.Replace(plain, "From:To", "From"+strings.Repeat(":X", dkim.MaxNames-4)+":To", 1))[0]
	header = append(slices.Repeat([]message.Field{field}, dkim.MaxSignatures), header...)
	began := time.Now()
	got := verifyFor(v, "example.com", header, letterBody)
	if n := count(got, nil); n != dkim.MaxSignatures {
		t.Errorf("%d passed, want %d; the first: %v", n, dkim.MaxSignatures, got[0].Err)
	}
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("took %v", took)
	}
}

// TestB: RFC 6008 §3: eight characters, and as many more as it takes.
func TestB(t *testing.T) {
	check := func(want string, values ...string) {
		t.Helper()
		var header message.Header
		for _, b := range values {
			header = append(header, message.Field{Name: "DKIM-Signature", Value: "v=1; b=" + b})
		}
		got := []string{}
		for _, s := range verifyFor(dkim.Verifier{Resolver: dnstest.New(), Now: clock}, "", header, "") {
			got = append(got, s.B)
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%q: got %q, want %q", values, got, want)
		}
	}
	check("abcdefgh", "abcdefghijkl")
	check("abcdefgh", " abc\r\n\t def gh ijkl")
	check("abc", "abc")
	check("abcdefgh xbcdefgh", "abcdefghijkl", "xbcdefghijkl")
	check("abcdefghi abcdefghx", "abcdefghijkl", "abcdefghxjkl")
	check("abcdefgh abcdefghx", "abcdefgh", "abcdefghxjkl")
	check("abcdefghijk1 abcdefghijk2 abcdefgx", "abcdefghijk1", "abcdefghijk2", "abcdefgxijk2")
	check(strings.Repeat("a", 32)+" "+strings.Repeat("a", 32), strings.Repeat("a", 100), strings.Repeat("a", 99)+"b")
	check(" ", "abc\"def", "abc def\xff")
	many := slices.Repeat([]string{strings.Repeat("a", 40)}, 101)
	check(strings.Repeat(strings.Repeat("a", 32)+" ", 100), many...) // the 101st has none
}
