package authres

import (
	"errors"
	"reflect"
	"strings"
	"testing"
)

func TestParse(t *testing.T) {
	read := func(value string, want Field) {
		t.Helper()
		got, err := Parse(value)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("Parse(%q)\n got %+v, %v\nwant %+v", value, got, err, want)
		}
	}
	id := func(id string, results ...Result) Field { return Field{AuthservID: id, Results: results} }
	result := func(method, value string, props ...Prop) Result {
		return Result{Method: method, Value: value, Props: props}
	}
	prop := func(value string) Field { return id("a", result("m", "pass", Prop{"smtp", "p", value})) }

	// no-result, authserv-id and version
	read("example.org; none", id("example.org"))
	read(" example.org 1; none", id("example.org"))
	read("example.org 1;none", id("example.org"))
	read("example.org 001 ; none", id("example.org"))
	read("example.org(c)1(c);(c)NONE(c)", id("example.org"))
	read(`"example.org" ; none`, id("example.org"))
	read(`"exa\mple \"org\""; none`, id(`example "org"`))
	read(`"";none`, id(""))
	read("m\u00fc.example; none", id("m\u00fc.example"))
	read("(a (b) \\) \\\\) example.org (\u00fc); none", id("example.org"))
	read("\n\texample.org\r\n ;\n  \n none\t", id("example.org"))
	read("a; none=pass", id("a", result("none", "pass")))

	// methods and results
	read("a;dkim=pass", id("a", result("dkim", "pass")))
	read("a; DKIM = Pass", id("a", result("dkim", "pass")))
	read("a; dkim/1=pass; x-y9 / 01 (c) = fail", id("a", result("dkim", "pass"), result("x-y9", "fail")))
	read("a; dkim/2=pass; spf=fail", id("a", result("spf", "fail")))
	read("a; dkim(c)/(c)1(c)=(c)pass(d)", id("a", Result{Method: "dkim", Value: "pass", Comment: "d"}))
	read("a; dkim=pass () (two  \n words) (three)", id("a", Result{Method: "dkim", Value: "pass", Comment: "two words"}))
	read(`a; dkim=pass (x (y\() \\z)`, id("a", Result{Method: "dkim", Value: "pass", Comment: `x (y() \z`}))

	// reason
	read("a; spf=fail reason=bad", id("a", Result{Method: "spf", Value: "fail", Reason: "bad"}))
	read(`a; spf=fail(c)REASON (c) = (c) "so; (bad)" (d)`, id("a", Result{Method: "spf", Value: "fail", Comment: "c", Reason: "so; (bad)"}))
	read(`a; spf=fail reason="" smtp.p=v`, id("a", result("spf", "fail", Prop{"smtp", "p", "v"})))
	read(`a; spf=fail reason="x" reason.p=v`, id("a", Result{Method: "spf", Value: "fail", Reason: "x", Props: []Prop{{"reason", "p", "v"}}}))

	// properties
	read("a; m=pass smtp.mailfrom=x header.b=y", id("a", result("m", "pass", Prop{"smtp", "mailfrom", "x"}, Prop{"header", "b", "y"})))
	read("a; m=pass SMTP (c) . (c) P (c) = (c) v (c) ; n=fail", id("a", result("m", "pass", Prop{"smtp", "p", "v"}), result("n", "fail")))
	read(`a; m=pass smtp.p="x"smtp.q=y`, id("a", result("m", "pass", Prop{"smtp", "p", "x"}, Prop{"smtp", "q", "y"})))
	read("a; m=pass smtp.p=example.com", prop("example.com"))
	read("a; m=pass smtp.p=@example.com", prop("@example.com"))
	read("a; m=pass smtp.p=u/v=w?+x@example.com", prop("u/v=w?+x@example.com"))
	read("a; m=pass smtp.p=u (c) @example.com", prop("u@example.com"))
	read("a; m=pass smtp.p=\u00fc@b\u00fc.example", prop("\u00fc@b\u00fc.example"))
	read(`a; m=pass smtp.p="u"@example.com`, prop("u@example.com"))
	read(`a; m=pass smtp.p="u \"v" (c) @example.com`, prop(`"u \"v"@example.com`))
	read(`a; m=pass smtp.p=""@example.com`, prop(`""@example.com`))
	read(`a; m=pass smtp.p="u@example.com"`, prop("u@example.com"))
	read(`a; m=pass smtp.p="2001:db8::1"`, prop("2001:db8::1"))
	read(`a; m=pass smtp.p=""`, prop(""))
	read("a; m=pass smtp.p=\"x\r\n y\\\tz\"", prop("x y\tz"))
}

func TestParseRefuses(t *testing.T) {
	refuse := func(value string, want error) {
		t.Helper()
		if got, err := Parse(value); !errors.Is(err, want) {
			t.Errorf("Parse(%q) = %+v, %v; want %v", value, got, err, want)
		}
	}
	for _, value := range []string{
		"", " ", "a", "a;", "a; ", "; none", ";a; none", "a; none;", "a; none; none", "a; none; m=pass",
		"a; m=pass;", "a;; m=pass", "a; m=pass; none", "a 1", "a 1 2; none", "a x; none", "a/1; none",
		"x@a; none", "a,b; none", "<a>; none", `"a; none`, `"a"b; none`, `"a"1; none`, `a"b"; none`,
		"a\\; none", "a\x00; none", "a\x7f; none", "a\x80; none", "a; m=pass (\xff)",
		"a\n; none", "a\r\n; none", "a\r ; none", "a; none\n", "a; none\r\n", "a\n\n ; none", "a\n\r ; none",
		"(; none", "(a; none", "a ((); none", "a (\\); none", "a (\\", "a ); none", "a (\x01); none", "a (\\\x01); none", "(x\n) a; none",
		"a;(", "a; none(", "a 1 (", "a; m(", "a; m/(", "a; m/1(", "a; m=(", "a; m=pass(", "a; m=pass reason(", "a; m=pass reason=(", "a; m=pass reason=x(",
		"a; m=pass smtp.(", "a; m=pass smtp.p(", "a; m=pass smtp.p=(", "a; m=pass smtp.p=v(", "a; m=pass smtp.p=v\x00",
		"a; m", "a; m=", "a; =pass", "a; m=pa_ss", "a; m-=pass", "a; m=pass-", "a; m_=pass", "a; \u00fc=pass",
		"a; m/=pass", "a; m/x=pass", "a; m/1.0=pass", "a; m=pass x", "a; m=pass,x",
		"a; m=pass reason", "a; m=pass reason=", "a; m=pass reason=a reason=b", "a; m=pass smtp.p=v reason=x", "a; m=pass reason=x@y.z",
		`a; m=pass reason="x"smtp.p=v`, `a; m="pass"`, "a; m=pass action=none",
		"a; m=pass smtp", "a; m=pass smtp.", "a; m=pass smtp.p", "a; m=pass smtp.p=", "a; m=pass .p=v", "a; m=pass smtp.p_=v",
		"a; m=pass smtp.p=a/b", "a; m=pass smtp.p=a=", "a; m=pass smtp.p=2001:db8::1", "a; m=pass smtp.p=<u@example.com>",
		"a; m=pass smtp.p=@", "a; m=pass smtp.p=u@", "a; m=pass smtp.p=u@localhost", "a; m=pass smtp.p=u@-a.example", "a; m=pass smtp.p=u@a..example",
		"a; m=pass smtp.p=u@a.example-", "a; m=pass smtp.p=u@a_b.example", "a; m=pass smtp.p=.u@a.example", "a; m=pass smtp.p=u..v@a.example", "a; m=pass smtp.p=u@v@a.example",
		"a; m=pass smtp.p=u@ a.example", `a; m=pass smtp.p="u`, `a; m=pass smtp.p="u\`, "a; m=pass smtp.p=\"u\nv\"", `a; m=pass smtp.p="u"v`,
	} {
		refuse(value, ErrSyntax)
	}
	refuse("a 2; none", ErrVersion)
	refuse("a 0; none", ErrVersion)
	refuse("a 11; m=pass", ErrVersion)
	refuse("a 99999999999999999999999; m=pass", ErrVersion)
}

func TestParseLimits(t *testing.T) {
	limit := func(what, fits, over string) {
		t.Helper()
		if _, err := Parse(fits); err != nil {
			t.Errorf("%s at the limit: %v", what, err)
		}
		if _, err := Parse(over); !errors.Is(err, ErrTooLarge) {
			t.Errorf("%s over the limit: got %v, want %v", what, err, ErrTooLarge)
		}
	}
	long := func(n int) string { return "a; none" + strings.Repeat(" ", n-len("a; none")) }
	limit("octets", long(MaxFieldBytes), long(MaxFieldBytes+1))
	deep := func(n int) string { return strings.Repeat("(", n) + strings.Repeat(")", n) + "a; none" }
	limit("depth", deep(MaxCommentDepth), deep(MaxCommentDepth+1))
	if _, err := Parse(strings.Repeat("()", 10_000) + "a; none"); err != nil {
		t.Errorf("many comments in a row: %v", err)
	}
}
