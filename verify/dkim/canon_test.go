package dkim_test

import (
	"strings"
	"testing"

	"assay/verify/dkim"
	"assay/verify/message"
	"assay/verify/tags"
)

func TestField(t *testing.T) {
	check := func(name, value, simple, relaxed string) {
		t.Helper()
		for canon, want := range map[dkim.Canon]string{dkim.Simple: simple, dkim.Relaxed: relaxed} {
			f := message.Field{Name: name, Value: value}
			if got := string(dkim.AppendField([]byte("before "), canon, f)); got != "before "+want {
				t.Errorf("%s %q: %q: got %q, want %q", canon, name, value, got, want)
			}
			if got := oracleField(canon, f); got != want {
				t.Errorf("%s %q: %q: oracle says %q, table says %q", canon, name, value, got, want)
			}
		}
	}
	// RFC 6376 §3.4.5.
	check("A", " X", "A: X\r\n", "a:X\r\n")
	check("B ", " Y\t\r\n\tZ  ", "B : Y\t\r\n\tZ  \r\n", "b:Y Z\r\n")
	// The colon and the blanks around it.
	check("Subject", "x", "Subject:x\r\n", "subject:x\r\n")
	check("Subject", "\t \tx", "Subject:\t \tx\r\n", "subject:x\r\n")
	check("SUBJECT \t", "  a:b", "SUBJECT \t:  a:b\r\n", "subject:a:b\r\n")
	check("Subject", "", "Subject:\r\n", "subject:\r\n")
	check("Subject", " ", "Subject: \r\n", "subject:\r\n")
	check("Subject", " \r\n ", "Subject: \r\n \r\n", "subject:\r\n")
	check("Subject", "\r\n x", "Subject:\r\n x\r\n", "subject:x\r\n")
	// Folds.
	check("T", " a\r\n b", "T: a\r\n b\r\n", "t:a b\r\n")
	check("T", " a \r\n\t \r\n b \r\n", "T: a \r\n\t \r\n b \r\n\r\n", "t:a b\r\n")
	check("T", " a\r\n", "T: a\r\n\r\n", "t:a\r\n")
	check("T", " a  b\t\tc \td", "T: a  b\t\tc \td\r\n", "t:a b c d\r\n")
	check("T", strings.Repeat(" x\r\n", 400)+" y", "T:"+strings.Repeat(" x\r\n", 400)+" y\r\n", "t:"+strings.Repeat("x ", 400)+"y\r\n")
	check("T", " "+strings.Repeat("x", 2000), "T: "+strings.Repeat("x", 2000)+"\r\n", "t:"+strings.Repeat("x", 2000)+"\r\n")
	// Octets that are neither blank nor text stay what they are.
	check("T", " a\nb", "T: a\nb\r\n", "t:a\nb\r\n")
	check("T", " a\n b", "T: a\n b\r\n", "t:a\n b\r\n")
	check("T", " a\rb\r", "T: a\rb\r\r\n", "t:a\rb\r\r\n")
	check("T", " a \r b", "T: a \r b\r\n", "t:a \r b\r\n")
	check("T", " a\r\nb", "T: a\r\nb\r\n", "t:a\r\nb\r\n")
	check("T", " \x00\x01 \v\f\x7f ", "T: \x00\x01 \v\f\x7f \r\n", "t:\x00\x01 \v\f\x7f\r\n")
	check("T", " \xa0caf\xc3\xa9\xa0 \xff", "T: \xa0caf\xc3\xa9\xa0 \xff\r\n", "t:\xa0caf\xc3\xa9\xa0 \xff\r\n")
	check("\xc3\x84-X\xff", " a", "\xc3\x84-X\xff: a\r\n", "\xc3\x84-x\xff:a\r\n")
	check("", " a", ": a\r\n", ":a\r\n")
}

func TestSelect(t *testing.T) {
	header := message.Header{
		{Name: "DKIM-Signature", Value: " 0"}, // the one being verified
		{Name: "Received", Value: " 1"},
		{Name: "From", Value: " 2"},
		{Name: "received", Value: " 3"},
		{Name: "RECEIVED ", Value: " 4"},
		{Name: " From", Value: " 5"},
		{Name: "DKIM-Signature", Value: " 6"},
	}
	check := func(names, want string) {
		t.Helper()
		got := string(dkim.AppendSelected(nil, dkim.Relaxed, header, strings.Split(names, ":"), 0))
		got = strings.ReplaceAll(got, "\r\n", "|")
		if got != want {
			t.Errorf("h=%s: got %q, want %q", names, got, want)
		}
	}
	check("From", "from:2|")
	check("FROM", "from:2|")
	check("Received", "received:4|")
	check("Received:received", "received:4|received:3|")
	check("Received:From:Received:Received", "received:4|from:2|received:3|received:1|")
	check("Received:Received:Received:Received:Received", "received:4|received:3|received:1|")
	check("Subject:From:Subject", "from:2|")
	check("From:From", "from:2|") // oversigned: the blank before the other name makes it another field
	check("Receive", "")
	check("DKIM-Signature", "dkim-signature:6|")
	check("DKIM-Signature:DKIM-Signature", "dkim-signature:6|") // never itself
}

func TestUnsigned(t *testing.T) {
	check := func(value, simple, relaxed string) {
		t.Helper()
		list, err := tags.Parse(value)
		if err != nil {
			t.Fatalf("%q: %v", value, err)
		}
		f := message.Field{Name: "DKIM-Signature", Value: value}
		for canon, want := range map[dkim.Canon]string{dkim.Simple: simple, dkim.Relaxed: relaxed} {
			if got := string(dkim.AppendUnsigned(nil, canon, f, list)); got != want {
				t.Errorf("%s %q: got %q, want %q", canon, value, got, want)
			}
		}
	}
	// RFC 6376 §3.7: the value of b= goes with all white space around it, the rest stays.
	check(" v=1; b=abc", "DKIM-Signature: v=1; b=", "dkim-signature:v=1; b=")
	check(" v=1; b=abc;", "DKIM-Signature: v=1; b=;", "dkim-signature:v=1; b=;")
	check(" v=1; b = a b\r\n\tc \r\n ; d=x", "DKIM-Signature: v=1; b =; d=x", "dkim-signature:v=1; b =; d=x")
	check(" v=1; b=\r\n abc\r\n ", "DKIM-Signature: v=1; b=", "dkim-signature:v=1; b=")
	check(" b=abc; v=1 ; ", "DKIM-Signature: b=; v=1 ; ", "dkim-signature:b=; v=1 ;")
	check(" b=; v=1", "DKIM-Signature: b=; v=1", "dkim-signature:b=; v=1")
	// Only b= is emptied, not what ends in a "b".
	check(" bh=b=; xb=abc; b=abc; z=From:b=x", "DKIM-Signature: bh=b=; xb=abc; b=; z=From:b=x", "dkim-signature:bh=b=; xb=abc; b=; z=From:b=x")
}

// TestCanonPairs: a signature of each pair verifies over a message that the two
// algorithms read differently, however the body is cut.
func TestCanonPairs(t *testing.T) {
	s := newSigner(t, 1024)
	header := message.Header{
		{Name: "From", Value: "  A \t<a@example.com>"},
		{Name: "SUBJECT ", Value: "\tfolded\r\n\t twice\r\n  "},
	}
	v := dkim.Verifier{Resolver: s.zone, Now: clock}
	for _, body := range []string{"", "\r\n\r\n", " \r\n", "a  b \r\n\tc\r\n\r\n\r\n", "no end", "\x00 \xff\t\xfe", "a\rb\nc \r \n"} {
		for _, c := range []string{"", "c=simple;", "c=relaxed;", "c=simple/simple;", "c=simple/relaxed;", "c=relaxed/simple;", "c=relaxed/relaxed;"} {
			signed := seal(t, s.key, header, []byte(body), " v=1; a=rsa-sha256; "+c+" d=example.com; s=s0;\r\n\th=From:Subject:Subject; bh=BODYHASH;\r\n\tb=\r\n\t SIGNATURE\r\n ;")
			for size := 1; size <= len(body)+1; size++ {
				if got := verifyChunked(v, signed, []byte(body), size)[0]; got.Result != dkim.Pass {
					t.Errorf("%q %q in chunks of %d: got %s (%v), want pass", c, body, size, got.Result, got.Err)
				}
			}
			if strings.HasPrefix(c, "c=relaxed") {
				continue
			}
			signed[1].Value += " "
			if got := verifyChunked(v, signed, []byte(body), 1)[0]; got.Result != dkim.Fail {
				t.Errorf("%q with a blank added to From: got %s, want fail: simple changes nothing", c, got.Result)
			}
		}
	}
}

// FuzzField: the canonical field is what the oracle says.
func FuzzField(f *testing.F) {
	f.Add("Subject ", " a\r\n\tb  c \r\n")
	f.Add("FROM\t", "\r\n \r\n \x00\r \n\xff")
	f.Fuzz(func(t *testing.T, name, value string) {
		for _, canon := range []dkim.Canon{dkim.Simple, dkim.Relaxed} {
			field := message.Field{Name: name, Value: value}
			want := oracleField(canon, field)
			if got := string(dkim.AppendField(nil, canon, field)); got != want {
				t.Errorf("%s %q: %q: got %q, want %q", canon, name, value, got, want)
			}
		}
	})
}
