package dkim_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"assay/verify/dkim"
	"assay/verify/domain"
	"assay/verify/message"
)

// letter is the message that most tests sign.
var letter = message.Header{
	{Name: "Received", Value: " from a\r\n\tby b; x"},
	{Name: "From", Value: " A <a@example.com>"},
	{Name: "To", Value: " b@example.net"},
	{Name: "Subject", Value: "  a  subject"},
	{Name: "Date", Value: " Tue, 24 Nov 2026 09:00:00 +0000"},
}

// letterBody has letterSize octets in its canonical form, in both algorithms.
const (
	letterBody = "hello\r\nworld\r\n\r\n\r\n"
	letterSize = 14
)

// plain is the signature field that the rows of the tables change.
const plain = " v=1; a=rsa-sha256; c=relaxed/relaxed; d=example.com; s=s0;\r\n\th=From:To:Subject:Date; bh=BODYHASH;\r\n\tb=SIGNATURE"

// unasked are the errors that are found before any DNS query.
var unasked = []error{
	dkim.ErrSyntax, dkim.ErrFieldSize, dkim.ErrVersion, dkim.ErrTagMissing, dkim.ErrAlgorithm, dkim.ErrSHA1, dkim.ErrDomain, dkim.ErrAUID, dkim.ErrFrom,
	dkim.ErrNames, dkim.ErrQuery, dkim.ErrExpired, dkim.ErrFuture, dkim.ErrTime, dkim.ErrCanon, dkim.ErrTooMany,
}

func isOneOf(err error, targets []error) bool {
	return slices.ContainsFunc(targets, func(target error) bool { return errors.Is(err, target) })
}

// publish adds the key of s under more names, with more tags.
func (s *signer) publish(name, tags string) {
	s.zone.Add(name, "TXT", tags+"p="+pkcs1(s.key.N, bigInt(s.key.E)))
}

// rules returns what checks one signature field: plain with old replaced by
// replacement and then sealed must get the result that wanted explains; nil is pass.
func rules(t *testing.T) func(old, replacement string, result dkim.Result, wanted error) dkim.Signature {
	s := newSigner(t, 1024)
	s.publish("strict._domainkey.example.com", "v=DKIM1; t=s; ")
	s.publish("xn--grn-ioa._domainkey.xn--bcher-kva.example", "")
	s.publish(strings.Repeat("s", 63)+"._domainkey.example.com", "")
	s.publish("a.b-c_d.e._domainkey.example.com", "")
	v := dkim.Verifier{Resolver: s.zone, Now: clock}
	return func(old, replacement string, result dkim.Result, wanted error) dkim.Signature {
		t.Helper()
		if !strings.Contains(plain, old) {
			t.Fatalf("%q is not in the plain signature", old)
		}
		template := strings.Replace(plain, old, replacement, 1)
		header := seal(t, s.key, letter, []byte(letterBody), template)
		s.zone.Reset()
		got := verify(v, header, []byte(letterBody))[0]
		if got.Result != result || !errors.Is(got.Err, wanted) || (wanted == nil) != (got.Err == nil) {
			t.Errorf("%.200q -> %.200q: got %s (%v), want %s (%v)", old, replacement, got.Result, got.Err, result, wanted)
		}
		if asked := s.zone.Questions(); (len(asked) == 0) != isOneOf(wanted, unasked) {
			t.Errorf("%.200q -> %.200q: %v, asked %v", old, replacement, wanted, asked)
		}
		return got
	}
}

func TestTags(t *testing.T) {
	check := rules(t)
	const pass, permerror, neutral = dkim.Pass, dkim.PermError, dkim.Neutral
	check("", "", pass, nil)
	// The list.
	check("SIGNATURE", "SIGNATURE;", pass, nil)
	check("SIGNATURE", "SIGNATURE ; ", pass, nil)
	check("SIGNATURE", "SIGNATURE;;", permerror, dkim.ErrSyntax)
	check(" v=1;", " v=1;;", permerror, dkim.ErrSyntax)
	check(" v=1;", ";v=1;", permerror, dkim.ErrSyntax)
	check(" v=1;", " v=1; v=1;", permerror, dkim.ErrSyntax)
	check(" v=1;", " v=1; d=example.com;", permerror, dkim.ErrSyntax)
	check(" v=1;", " v=1; xyz=1; xyz=1;", permerror, dkim.ErrSyntax)
	check(" v=1;", " v=1; junk;", permerror, dkim.ErrSyntax)
	check(" v=1;", " v=1; =x;", permerror, dkim.ErrSyntax)
	check(" v=1;", " v=1; 1a=x;", permerror, dkim.ErrSyntax)
	check(" v=1;", " v=1; a-b=x;", permerror, dkim.ErrSyntax)
	check(" v=1;", " v=1; x=\x01;", permerror, dkim.ErrSyntax)
	check(" v=1;", " v=1; z=a\nb;", permerror, dkim.ErrSyntax)
	check(" v=1;", " v=1; z=a\rb;", permerror, dkim.ErrSyntax)
	check(" v=1;", " v=1; V=2; D=other.example; x_1=; z=caf\xc3\xa9 = x;", pass, nil)
	check(" v=1;", "\tv\r\n =\r\n\t1\r\n ;", pass, nil)
	check(" v=1;"+plain[5:], "", permerror, dkim.ErrSyntax)
	// Required tags.
	check(" v=1;", "", permerror, dkim.ErrVersion)
	check(" a=rsa-sha256;", "", permerror, dkim.ErrTagMissing)
	check(" d=example.com;", "", permerror, dkim.ErrTagMissing)
	check(" s=s0;", "", permerror, dkim.ErrTagMissing)
	check("h=From:To:Subject:Date;", "", permerror, dkim.ErrTagMissing)
	check(" bh=BODYHASH;", "", permerror, dkim.ErrTagMissing)
	check(";\r\n\tb=SIGNATURE", "", permerror, dkim.ErrTagMissing)
	// v=, a=
	check("v=1", "v=2", permerror, dkim.ErrVersion)
	check("v=1", "v=", permerror, dkim.ErrVersion)
	check("v=1", "v=01", permerror, dkim.ErrVersion)
	check("v=1", "v=1.0", permerror, dkim.ErrVersion)
	check("rsa-sha256", "rsa-sha1", permerror, dkim.ErrSHA1)
	check("rsa-sha256", "rsa-sha512", permerror, dkim.ErrAlgorithm)
	check("rsa-sha256", "RSA-SHA256", permerror, dkim.ErrAlgorithm)
	check("rsa-sha256", "sha256", permerror, dkim.ErrAlgorithm)
	check("rsa-sha256", "", permerror, dkim.ErrAlgorithm)
	check("rsa-sha256", "ed25519-sha256", permerror, dkim.ErrKeyType)
	// c=
	check("c=relaxed/relaxed; ", "", pass, nil)
	check("c=relaxed/relaxed", "c=relaxed", pass, nil)
	check("c=relaxed/relaxed", "c=simple", pass, nil)
	check("c=relaxed/relaxed", "c=", neutral, dkim.ErrCanon)
	check("c=relaxed/relaxed", "c=relaxed/", neutral, dkim.ErrCanon)
	check("c=relaxed/relaxed", "c=/relaxed", neutral, dkim.ErrCanon)
	check("c=relaxed/relaxed", "c=nowsp", neutral, dkim.ErrCanon)
	check("c=relaxed/relaxed", "c=relaxed/nowsp", neutral, dkim.ErrCanon)
	check("c=relaxed/relaxed", "c=simple/simple/simple", neutral, dkim.ErrCanon)
	// q=
	check(" s=s0;", " s=s0; q=dns/txt;", pass, nil)
	check(" s=s0;", " s=s0; q=http : dns/txt;", pass, nil)
	check(" s=s0;", " s=s0; q=dns/txt:http;", pass, nil)
	check(" s=s0;", " s=s0; q=http;", permerror, dkim.ErrQuery)
	check(" s=s0;", " s=s0; q=dns;", permerror, dkim.ErrQuery)
	check(" s=s0;", " s=s0; q=;", permerror, dkim.ErrQuery)
	// bh=, b=
	check("bh=BODYHASH", "bh=B B", permerror, dkim.ErrSyntax)
	check("bh=BODYHASH", "bh=", permerror, dkim.ErrSyntax)
	check("bh=BODYHASH", "bh=!!!!", permerror, dkim.ErrSyntax)
	check("bh=BODYHASH", "bh=AAAAAAAAAAAAAAAAAAAAAAAAAAA=", dkim.Fail, dkim.ErrBodyHash)
	check("bh=BODYHASH", "bh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=", dkim.Fail, dkim.ErrBodyHash)
	check("bh=BODYHASH", "bh=\r\n\tBODYHASH ", pass, nil)
	check("b=SIGNATURE", "b=", permerror, dkim.ErrSyntax)
	check("b=SIGNATURE", "b=\xff", permerror, dkim.ErrSyntax)
	check("b=SIGNATURE", "b=AAAA", dkim.Fail, dkim.ErrSignature)
	check("b=SIGNATURE", "b= \r\n\tSIGNATURE\r\n ;", pass, nil)
	// The size of the field.
	pad := strings.Repeat("x", dkim.MaxFieldBytes-len(fill(t, plain))-len(" pad=;"))
	check(" s=s0;", " s=s0; pad="+pad+";", pass, nil)
	check(" s=s0;", " s=s0; pad="+pad+"x;", permerror, dkim.ErrFieldSize)
}

// fill returns template at the length it has when sealed with a key of 1024
// bits.
func fill(t *testing.T, template string) string {
	t.Helper()
	const hashChars, signatureChars = 44, 172
	return strings.NewReplacer(bodyHash, strings.Repeat("x", hashChars), signatureHere, strings.Repeat("x", signatureChars)).Replace(template)
}

func TestNames(t *testing.T) {
	check := rules(t)
	const pass, permerror = dkim.Pass, dkim.PermError
	// d=: nothing of a bad one is asked for or repeated.
	for _, d := range []string{
		"example.com\x00", "\x00", "example.com\x00.attack.example", "exa\x00mple.com", "example.com\x1b",
	} {
		if got := check("d=example.com", "d="+d, permerror, dkim.ErrSyntax); !got.SDID.IsZero() {
			t.Errorf("d=%q is repeated as %q", d, got.SDID)
		}
	}
	for _, d := range []string{
		"com", "com.", "", ".", ".example.com", "example..com", "example.com..", "example.com(.attack.example", "example.com'", `"example.com"`, "example.com)",
		"exa mple.com", "example.com\r\n x", "@example.com", "example.com/x", "*.example.com", "127.0.0.1:53", "exam\xffple.com", "ex\u200bample.com", "ex\u00adample.com",
		strings.Repeat("a", 64) + ".example.com", strings.Repeat("a.", 127) + "com",
	} {
		got := check("d=example.com", "d="+d, permerror, dkim.ErrDomain)
		if !got.SDID.IsZero() && got.SDID.Labels() > 1 {
			t.Errorf("d=%q is repeated as %q", d, got.SDID)
		}
	}
	check("d=example.com", "d=EXAMPLE.com", pass, nil)
	check("d=example.com", "d=example.com.", pass, nil)
	check("d=example.com", "d= \r\n\texample.com ", pass, nil)
	check("d=example.com", "d=other.example", permerror, dkim.ErrNoKey)
	// s=
	for _, s := range []string{"s0._domainkey.attack.example.\x00.any", "\x00", "s0\x00", "s0\x7f"} {
		if got := check("s=s0", "s="+s, permerror, dkim.ErrSyntax); !got.Selector.IsZero() {
			t.Errorf("s=%q is repeated as %q", s, got.Selector)
		}
	}
	for _, s := range []string{"", ".", "s0..x", ".s0", "s 0", "s0(", "s0\"", "s0@x", "*", strings.Repeat("s", 64), strings.Repeat("s.", 126) + "ss"} {
		check("s=s0", "s="+s, permerror, dkim.ErrDomain)
	}
	check("s=s0", "s=S0", pass, nil)
	check("s=s0", "s="+strings.Repeat("s", 63), pass, nil)
	check("s=s0", "s=A.b-c_d.e", pass, nil)
	// i=
	auid := func(i string, result dkim.Result, wanted error, shown string) {
		t.Helper()
		if got := check(" s=s0;", " s=s0; i="+i+";", result, wanted); got.AUID != shown {
			t.Errorf("i=%s is shown as %q, want %q", i, got.AUID, shown)
		}
	}
	auid("@example.com", pass, nil, "@example.com")
	auid("joe@example.com", pass, nil, "@example.com")
	auid("joe=20x@Sub.EXAMPLE.com", pass, nil, "@sub.example.com")
	auid("a@b@example.com", pass, nil, "@example.com")
	auid("(comment)@example.com", pass, nil, "@example.com")
	auid("", permerror, dkim.ErrAUID, "")
	auid("@", permerror, dkim.ErrAUID, "")
	auid("example.com", permerror, dkim.ErrAUID, "")
	auid("@com", permerror, dkim.ErrAUID, "")
	auid("@badexample.com", permerror, dkim.ErrAUID, "")
	auid("@example.com.attack.example", permerror, dkim.ErrAUID, "")
	auid("@other.example", permerror, dkim.ErrAUID, "")
	auid("@sub.example.com(x", permerror, dkim.ErrAUID, "")
	auid("@\x00.example.com", permerror, dkim.ErrSyntax, "")
	// t=s in the key: RFC 6376 §3.6.1.
	check(" s=s0;", " s=strict;", pass, nil)
	check(" s=s0;", " s=strict; i=x@example.com;", pass, nil)
	check(" s=s0;", " s=strict; i=@sub.example.com;", permerror, dkim.ErrKeySubdomain)
	// RFC 8616 §5: U-labels are asked for and compared as A-labels and hashed as they are.
	for _, names := range []string{
		"d=bücher.example; s=grün", "d=BÜCHER.example; s=GRÜN; i=@xn--bcher-kva.example", "d=xn--bcher-kva.example; s=xn--grn-ioa; i=j@mail.bücher.example",
	} {
		got := check("d=example.com; s=s0", names, pass, nil)
		if got.SDID != domain.MustParse("xn--bcher-kva.example") || got.Selector.String() != "xn--grn-ioa" {
			t.Errorf("%s: read as %s and %s", names, got.SDID, got.Selector)
		}
	}
}

func TestSigned(t *testing.T) {
	check := rules(t)
	const pass, permerror = dkim.Pass, dkim.PermError
	h := func(names string, result dkim.Result, wanted error) {
		t.Helper()
		check("From:To:Subject:Date", names, result, wanted)
	}
	h("from", pass, nil)
	h("To : FROM :\r\n\t Subject", pass, nil)
	h("From:From", pass, nil)
	h("From:DKIM-Signature:X-Absent", pass, nil)
	h("To:Subject", permerror, dkim.ErrFrom)
	h("Fromm:X-From", permerror, dkim.ErrFrom)
	h("", permerror, dkim.ErrSyntax)
	h("From:", permerror, dkim.ErrSyntax)
	h(":From", permerror, dkim.ErrSyntax)
	h("From::To", permerror, dkim.ErrSyntax)
	h("From To", permerror, dkim.ErrSyntax)
	h("From:S\xfcbject", permerror, dkim.ErrSyntax)
	h("From"+strings.Repeat(":x", dkim.MaxNames-1), pass, nil)
	h("From"+strings.Repeat(":x", dkim.MaxNames), permerror, dkim.ErrNames)
	h(strings.Repeat("x:", dkim.MaxNames)+"From", permerror, dkim.ErrNames)
}

func TestLength(t *testing.T) {
	check := rules(t)
	const pass, permerror, policy = dkim.Pass, dkim.PermError, dkim.Policy
	l := func(length string, result dkim.Result, wanted error) {
		t.Helper()
		check(" s=s0;", " s=s0; l="+length+";", result, wanted)
	}
	l(fmt.Sprint(letterSize), pass, nil)
	l(fmt.Sprint(letterSize-1), policy, dkim.ErrBodyLength)
	l(fmt.Sprint(letterSize+1), permerror, dkim.ErrLength)
	l("0", policy, dkim.ErrBodyLength)
	l("1", policy, dkim.ErrBodyLength)
	l(fmt.Sprintf("%076d", letterSize), pass, nil)
	l(fmt.Sprintf("%077d", letterSize), permerror, dkim.ErrSyntax)
	l(strings.Repeat("9", 76), permerror, dkim.ErrLength)
	l(fmt.Sprint(uint64(1<<63)), permerror, dkim.ErrLength)
	l("", permerror, dkim.ErrSyntax)
	l("-1", permerror, dkim.ErrSyntax)
	l("+14", permerror, dkim.ErrSyntax)
	l("1 4", permerror, dkim.ErrSyntax)
	l("0x0e", permerror, dkim.ErrSyntax)
	l("14a", permerror, dkim.ErrSyntax)
	l("\u0661\u0664", permerror, dkim.ErrSyntax)
	check(" s=s0;\r\n\th=From:To:Subject:Date; bh=BODYHASH", " s=s0; l=5;\r\n\th=From:To:Subject:Date; bh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=", dkim.Fail, dkim.ErrBodyHash)
}

func TestTimes(t *testing.T) {
	check := rules(t)
	const pass, permerror = dkim.Pass, dkim.PermError
	now := clock().Unix()
	at := func(format string, result dkim.Result, wanted error, times ...any) {
		t.Helper()
		check(" s=s0;", " s=s0; "+fmt.Sprintf(format, times...)+";", result, wanted)
	}
	const minutes = 300
	at("x=%d", pass, nil, now+1)
	at("x=%d", pass, nil, now-minutes)
	at("x=%d", permerror, dkim.ErrExpired, now-minutes-1)
	at("t=%d", pass, nil, now-1)
	at("t=%d", pass, nil, now+minutes)
	at("t=%d", permerror, dkim.ErrFuture, now+minutes+1)
	at("t=%d; x=%d", pass, nil, now-100, now-99)
	at("t=%d; x=%d", permerror, dkim.ErrTime, now-100, now-100)
	at("t=%d; x=%d", permerror, dkim.ErrTime, now, now-1)
	at("t=0; x=%d", pass, nil, now)
	at("t=000%d", pass, nil, 1)
	at("x=999999999999", pass, nil)
	at("x=1000000000000", permerror, dkim.ErrSyntax)
	at("t=0000000000001", permerror, dkim.ErrSyntax)
	at("t=", permerror, dkim.ErrSyntax)
	at("x=", permerror, dkim.ErrSyntax)
	at("t=-1", permerror, dkim.ErrSyntax)
	at("x=+1", permerror, dkim.ErrSyntax)
	at("t=1.5", permerror, dkim.ErrSyntax)
	at("t=soon", permerror, dkim.ErrSyntax)
}

// TestAltered: what happens to a signed message on its way.
func TestAltered(t *testing.T) {
	s := newSigner(t, 1024)
	s.publish("test._domainkey.example.com", "v=DKIM1; t=y; ")
	v := dkim.Verifier{Resolver: s.zone, Now: clock}
	check := func(what, selector, names string, alter func(message.Header, string) (message.Header, string), result dkim.Result, wanted error) {
		t.Helper()
		template := strings.NewReplacer("s=s0", "s="+selector, "From:To:Subject:Date", names).Replace(plain)
		header, body := seal(t, s.key, letter, []byte(letterBody), template), letterBody
		if alter != nil {
			header, body = alter(header, body)
		}
		got := verify(v, header, []byte(body))[0]
		if got.Result != result || !errors.Is(got.Err, wanted) || (wanted == nil) != (got.Err == nil) {
			t.Errorf("%s: got %s (%v), want %s (%v)", what, got.Result, got.Err, result, wanted)
		}
	}
	add := func(at int, name, value string) func(message.Header, string) (message.Header, string) {
		return func(h message.Header, body string) (message.Header, string) {
			if at < 0 {
				at = len(h)
			}
			return slices.Insert(h, at, message.Field{Name: name, Value: value}), body
		}
	}
	change := func(name, value string) func(message.Header, string) (message.Header, string) {
		return func(h message.Header, body string) (message.Header, string) {
			for i := range h {
				if h[i].Name == name {
					h[i].Value = value
				}
			}
			return h, body
		}
	}
	body := func(now string) func(message.Header, string) (message.Header, string) {
		return func(h message.Header, _ string) (message.Header, string) { return h, now }
	}
	broken := change("From", " C <c@example.com>")
	const all = "From:To:Subject:Date"
	const fail, pass, policy, neutral = dkim.Fail, dkim.Pass, dkim.Policy, dkim.Neutral
	check("nothing", "s0", all, nil, pass, nil)
	check("body", "s0", all, body("hello\r\nworld!\r\n"), fail, dkim.ErrBodyHash)
	check("body emptied", "s0", all, body(""), fail, dkim.ErrBodyHash)
	check("empty lines at the end", "s0", all, body("hello\r\nworld"), pass, nil)
	check("From", "s0", all, broken, fail, dkim.ErrSignature)
	check("blanks in To", "s0", all, change("To", "\tb@example.net  "), pass, nil)
	check("a field that is not signed", "s0", all, change("Received", " x"), pass, nil)
	check("another field on top", "s0", all, add(0, "Received", " x"), pass, nil)
	// RFC 6376 §8.15: a second field of a kind of which there is one.
	for _, name := range []string{"From", "Subject", "Date", "To", "subject", "SUBJECT ", " Subject", "Subject\t"} {
		check("second "+name+" on top", "s0", all, add(0, name, " x"), policy, dkim.ErrUnsigned)
	}
	check("second Subject below", "s0", all, add(-1, "Subject", " x"), fail, dkim.ErrSignature)
	check("second Subject on top, oversigned", "s0", all+":Subject", add(0, "Subject", " x"), fail, dkim.ErrSignature)
	check("second Subject by an odd name on top, oversigned", "s0", all+":Subject", add(0, " Subject", " x"), policy, dkim.ErrUnsigned)
	check("second From on top, oversigned", "s0", all+":From", add(0, "From", " x"), fail, dkim.ErrSignature)
	check("Reply-To that was not there, oversigned", "s0", all+":Reply-To", add(0, "Reply-To", " x"), fail, dkim.ErrSignature)
	check("one Reply-To, unsigned", "s0", all, add(0, "Reply-To", " x"), pass, nil)
	check("one Subject, unsigned", "s0", "From", nil, pass, nil)
	for _, name := range []string{"Reply-To", "Message-ID", "Content-Type", "Content-Transfer-Encoding", "MIME-Version"} {
		twice := func(h message.Header, body string) (message.Header, string) {
			return append(h, message.Field{Name: name, Value: " 1"}, message.Field{Name: name, Value: " 2"}), body
		}
		check("two of "+name, "s0", all, twice, policy, dkim.ErrUnsigned)
	}
	// RFC 6376 §3.6.1: with t=y neither a good nor a bad signature counts.
	check("test mode", "test", all, nil, neutral, dkim.ErrTestMode)
	check("test mode, From altered", "test", all, broken, neutral, dkim.ErrTestMode)
	check("test mode, body altered", "test", all, body("x"), neutral, dkim.ErrTestMode)
}

// TestExpiryInFractions: the tolerance is exact below the second.
func TestExpiryInFractions(t *testing.T) {
	s := newSigner(t, 1024)
	header := seal(t, s.key, letter, []byte(letterBody), strings.Replace(plain, "s=s0", fmt.Sprintf("s=s0; x=%d", clock().Unix()), 1))
	for after, want := range map[time.Duration]dkim.Result{300 * time.Second: dkim.Pass, 300*time.Second + 1: dkim.PermError} {
		v := dkim.Verifier{Resolver: s.zone, Now: func() time.Time { return clock().Add(after) }}
		if got := verify(v, header, []byte(letterBody))[0]; got.Result != want {
			t.Errorf("%v after x=: got %s (%v), want %s", after, got.Result, got.Err, want)
		}
	}
}

// FuzzSignature: a signature field never panics, gets a result with a cause, and
// shows nothing but clean names.
func FuzzSignature(f *testing.F) {
	s := newSigner(f, 1024)
	sealed := seal(f, s.key, letter, []byte(letterBody), plain)[0].Value
	f.Add(sealed)
	f.Add(strings.Replace(sealed, "s=s0", "s=s0; i=@a.example.com; q=dns/txt; l=3; t=1; x=999999999999; z=From:x", 1))
	f.Add(" v=1; a=ed25519-sha256; d=bücher.example; s=grün; h=from; bh=AAAA; b=AAAA")
	f.Add(" v=1; a=rsa-sha1; d=a\x00.example; s=; h=::from:; bh= ; b=")
	v := dkim.Verifier{Resolver: s.zone, Now: clock}
	f.Fuzz(func(t *testing.T, value string) {
		header := append(message.Header{{Name: "DKIM-Signature", Value: value}}, letter...)
		got := verify(v, header, []byte(letterBody))
		if len(got) != 1 || got[0].Result == "" || got[0].Result == dkim.None || (got[0].Err == nil) != (got[0].Result == dkim.Pass) {
			t.Fatalf("%q: got %+v", value, got)
		}
		g := got[0]
		clean := func(r rune) bool { return r > ' ' && r < 0x7f && !strings.ContainsRune(`()"\;`, r) }
		for _, shown := range []string{g.SDID.String(), g.AUID, g.Selector.String(), g.Algorithm, g.B, string(g.Header), string(g.Body)} {
			if strings.ContainsFunc(shown, func(r rune) bool { return !clean(r) }) {
				t.Errorf("%q: shows %q", value, shown)
			}
		}
		if g.AUID != "" && !strings.HasSuffix(g.AUID, g.SDID.String()) {
			t.Errorf("%q: i=%q outside d=%s", value, g.AUID, g.SDID)
		}
	})
}
