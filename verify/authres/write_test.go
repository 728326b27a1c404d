package authres

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
)

// wellFormed checks what must hold for every value we insert, whatever was
// put into the Field, and returns it as Parse reads it.
func wellFormed(t *testing.T, f Field) Field {
	t.Helper()
	value := f.Value()
	if strings.ContainsAny(value, "\r\x00") {
		t.Errorf("CR or NUL in %q", value)
	}
	for i, line := range strings.Split(FieldName+": "+value, "\n") {
		if i > 0 && !strings.HasPrefix(line, " ") && !strings.HasPrefix(line, "\t") {
			t.Errorf("line %d of %q does not begin with a blank", i, value)
		}
		if strings.TrimSpace(line) == "" {
			t.Errorf("line %d of %q is empty", i, value)
		}
		if len(line) > 998 {
			t.Errorf("line %d of %q has %d octets", i, value, len(line))
		}
	}
	read, err := Parse(value)
	if err != nil {
		t.Errorf("Value() = %q\ndoes not parse: %v", value, err)
	}
	return read
}

func TestValueLook(t *testing.T) {
	look := func(f Field, want ...string) {
		t.Helper()
		if got := f.Value(); got != strings.Join(want, "\n\t") {
			t.Errorf("%+v\n got %q\nwant %q", f, got, strings.Join(want, "\n\t"))
		}
		// All the looks below show clean fields: they come back as they are.
		if got := wellFormed(t, f); !reflect.DeepEqual(got, f) {
			t.Errorf("read back\n got %+v\nwant %+v", got, f)
		}
	}
	look(Field{AuthservID: "mx.example.net"}, "mx.example.net; none")
	look(Field{AuthservID: `a "gate\way"`}, `"a \"gate\\way\""; none`)
	look(Field{"mx.example.net", []Result{
		{Method: "spf", Value: "pass", Props: []Prop{{"smtp", "mailfrom", "list.example.org"}}},
		{Method: "dkim", Value: "fail", Comment: "body hash mismatch", Props: []Prop{
			{"header", "d", "example.com"}, {"header", "s", "s1"}, {"header", "a", "rsa-sha256"}, {"header", "b", "Ab3/dEfG"}}},
		{Method: "dmarc", Value: "fail", Comment: "p=reject dis=quarantine", Props: []Prop{
			{"header", "from", "example.com"}, {"policy", "dmarc", "reject"}}},
	}},
		"mx.example.net;",
		"spf=pass smtp.mailfrom=list.example.org;",
		"dkim=fail (body hash mismatch) header.d=example.com header.s=s1",
		`header.a=rsa-sha256 header.b="Ab3/dEfG";`,
		"dmarc=fail (p=reject dis=quarantine) header.from=example.com",
		"policy.dmarc=reject")
	look(Field{"mx.example.net", []Result{
		{Method: "dkim", Value: "permerror", Reason: "key is gone", Comment: "key of (or at) s1._domainkey.example.com is revoked, said the owner of it",
			Props: []Prop{{"header", "i", "@example.com"}, {"header", "i", `"a b"@example.com`}}},
		{Method: "arc", Value: "pass", Comment: `i=1 a\b`, Props: []Prop{{"smtp", "remote-ip", "2001:db8::1"}, {"header", "oldest-pass", "0"}}},
	}},
		"mx.example.net;",
		`dkim=permerror (key of \(or at\) s1._domainkey.example.com is`,
		`revoked, said the owner of it) reason="key is gone"`,
		`header.i=@example.com header.i="a b"@example.com;`,
		`arc=pass (i=1 a\\b) smtp.remote-ip="2001:db8::1" header.oldest-pass=0`)
}

func TestValueOfProp(t *testing.T) {
	write := func(value, want string) {
		t.Helper()
		f := Field{"a", []Result{{Method: "m", Value: "pass", Props: []Prop{{"smtp", "p", value}}}}}
		got := f.Value()
		wellFormed(t, f)
		if want != "" {
			want = " smtp.p=" + want
		}
		if want = "a;\n\tm=pass" + want; got != want {
			t.Errorf("value %q\n got %q\nwant %q", value, got, want)
		}
	}
	write("example.com", "example.com")
	write("a_b*c", "a_b*c")
	write("user@example.com", "user@example.com")
	write("@example.com", "@example.com")
	write("u/v=w@example.com", "u/v=w@example.com")
	write(`"u v"@example.com`, `"u v"@example.com`)
	write(`"u"@example.com`, "u@example.com")
	write(`"\u v"@example.com`, `"u v"@example.com`)
	write("u..v@example.com", `"u..v@example.com"`)
	write("u v@example.com", `"u v@example.com"`)
	write("user@localhost", `"user@localhost"`)
	write("user@a_b.example", `"user@a_b.example"`)
	write("u@v@example.com", `"u@v@example.com"`)
	write("2001:db8::1", `"2001:db8::1"`)
	write("EjCbN/c3=", `"EjCbN/c3="`)
	write("two words", `"two words"`)
	write("<>", `"<>"`)
	write(" ", `" "`)
	// Left out.
	write("", "")
	write("x\r\ny", "")
	write("x\n y", "")
	write("x\ty", "")
	write("x\x00", "")
	write("x\x7f", "")
	write("\u00fc@example.com", "")
	write("\xff", "")
	write("x;dkim=pass", "")
	write("x header.d=bank.example", "")
	write(`x"y`, "")
	write(`x\y`, "")
	write(`"a"b@example.com`, "")
	write("any@legit.example(.attack.example", "")
	write(`"a;b"@example.com`, "")
	write(`"a(b"@example.com`, "")
	write(`"a\"b"@example.com`, "")
	write(`"a\\"@example.com`, "")
	// 998 octets with the tab, "smtp.p=" and the ";".
	fits := strings.Repeat("x", 998-len("\tsmtp.p=;"))
	if got := (Prop{"smtp", "p", fits}).word(); got != "smtp.p="+fits {
		t.Errorf("a property of a full line is left out")
	}
	write(fits+"x", "")
}

func TestValueKeywords(t *testing.T) {
	f := func(method, value, ptype, name string) Field {
		return Field{"a", []Result{{Method: method, Value: value, Props: []Prop{{ptype, name, "v"}}}}}
	}
	write := func(f Field, want string) {
		t.Helper()
		wellFormed(t, f)
		if got := f.Value(); got != want {
			t.Errorf("%+v\n got %q\nwant %q", f, got, want)
		}
	}
	long := strings.Repeat("k", MaxKeyword)
	write(f("m", "pass", "smtp", "p"), "a;\n\tm=pass smtp.p=v")
	write(f("M", "PASS", "SMTP", "P"), "a;\n\tm=pass smtp.p=v")
	write(f("x-9", "y-9", "p-9", "q-9"), "a;\n\tx-9=y-9 p-9.q-9=v")
	write(f("x-9", long, "p-9", "q-9"), "a;\n\tx-9="+long+"\n\tp-9.q-9=v")
	for _, bad := range []string{"", "a_b", "a b", "a-", "-", "a=b", "a;b", "a.b", "a\n", "\u00fc", long + "k"} {
		write(f(bad, "pass", "smtp", "p"), "a; none")
		write(f("m", bad, "smtp", "p"), "a; none")
		write(f("m", "pass", bad, "p"), "a;\n\tm=pass")
		write(f("m", "pass", "smtp", bad), "a;\n\tm=pass")
	}
}

func TestValueID(t *testing.T) {
	write := func(id, want string) {
		t.Helper()
		wellFormed(t, Field{AuthservID: id})
		if got := (Field{AuthservID: id}).Value(); got != want+"; none" {
			t.Errorf("id %q: got %q, want %q", id, got, want+"; none")
		}
	}
	write("mx.example.net", "mx.example.net")
	write("MX.example.net.", "MX.example.net.")
	write("mail gate", `"mail gate"`)
	write("mx;x=y", `"mx;x=y"`)
	write("mx.b\u00fccher.example", "mx.xn--bcher-kva.example")
	write("mx\r\nBcc: x", `"mxBcc: x"`)
	write("m\u00fc x", `"m x"`)
	write("", `""`)
	fits := strings.Repeat("i", MaxIDChars)
	write(fits, fits)
	write(fits+"i", fits)
}

func TestValueSize(t *testing.T) {
	big := Result{Method: "dkim", Value: "pass"}
	for i := range 100 {
		big.Props = append(big.Props, Prop{"header", "b", fmt.Sprintf("%d%s", i, strings.Repeat("b", 900))})
	}
	small := Result{Method: "spf", Value: "pass"}
	f := Field{"a", []Result{big, small, {Method: "dkim", Value: "fail", Props: big.Props[:60]}, big}}
	got := wellFormed(t, f)
	if len(got.Results) != 2 || got.Results[0].Method != "spf" || got.Results[1].Value != "fail" {
		t.Errorf("a result too large for the field must go alone; got %d results", len(got.Results))
	}
	if n := len(f.Value()); n > MaxFieldBytes {
		t.Errorf("field of %d octets", n)
	}
}

func TestComment(t *testing.T) {
	clean := func(text, want string) {
		t.Helper()
		got := Comment(text)
		if got != want || Comment(got) != got {
			t.Errorf("Comment(%q)\n got %q, again %q\nwant %q", text, got, Comment(got), want)
		}
		f := wellFormed(t, Field{"a", []Result{{Method: "m", Value: "pass", Comment: text}}})
		if f.Results[0].Comment != want {
			t.Errorf("comment %q comes back as %q, want %q", text, f.Results[0].Comment, want)
		}
	}
	clean("", "")
	clean(" \t\r\n ", "")
	clean("body hash mismatch", "body hash mismatch")
	clean("p=reject dis=quarantine", "p=reject dis=quarantine")
	clean(" a \r\n\tb\x00\x1b[1mc\x7f ", "a b[1mc")
	clean("x\u00fc\u202e\xffy\u00a0z", "xyz")
	clean(`a (b) \c "d"`, `a (b) \c "d"`)
	clean("a) dkim=pass (b", "a] dkim=pass [b")
	clean("a ((b)", "a [[b]")
	clean("x; dkim=pass", "x, dkim=pass")
	clean("x header.d=bank.example=y z=1.2", "x header.d:bank.example:y z=1.2")
	full := strings.Repeat("x", MaxCommentChars)
	clean(full, full)
	clean(full+"y", full)
	clean(full[1:]+" y", full[1:])
	clean(full[1:]+"(y)", full[1:]+"[")
	// Only so much is looked at.
	clean(strings.Repeat("\x00", 16*MaxCommentChars-1)+"xy", "x")
}

func TestReason(t *testing.T) {
	write := func(text, want string) {
		t.Helper()
		f := Field{"a", []Result{{Method: "m", Value: "pass", Reason: text}}}
		wellFormed(t, f)
		if got := f.Value(); got != "a;\n\tm=pass"+want {
			t.Errorf("reason %q: got %q, want %q", text, got, want)
		}
	}
	write("", "")
	write("\n", "")
	write("bad", " reason=bad")
	write("so bad", ` reason="so bad"`)
	write("so\r\n\"(bad)\";\\", ` reason="so '[bad]',/"`)
	write("x header.d=bank.example", ` reason="x header.d:bank.example"`)
}
