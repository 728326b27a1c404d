package spf

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

func TestParseRecord(t *testing.T) {
	check := func(terms string, reason error) {
		t.Helper()
		text := "v=spf1 " + terms
		_, err := parseRecord(text)
		if !errors.Is(err, reason) || (reason != nil) != errors.Is(err, ErrSyntax) {
			t.Errorf("%q: got error %v, want %v", text, err, reason)
		}
		if abnfRecord(text) != (reason == nil) {
			t.Errorf("%q: the ABNF says %v", text, abnfRecord(text))
		}
	}
	repeated := ErrSyntax

	check("", nil)
	check("a mx ptr include:x.org exists:x.org all ", nil)
	check("  A  -MX  ~PtR ?INCLUDE:X.org +ALL", nil)
	check("a\tmx", errCharacter)
	check("a:x.org\x00", errCharacter)
	check("a:ex\u00e4mple.org", errCharacter)
	check("\u201ca\u201d", errCharacter)
	check("moo", errMechanism)
	check("-", errMechanism)
	check("--all", errMechanism)
	check("ipv4:192.0.2.1", errMechanism)
	check("-redirect=x.org", errMechanism)
	check("=x", errMechanism)
	check("1up=x", errMechanism)

	check("all:x.org", errArgument)
	check("all/8", errArgument)
	check("all.", errMechanism)
	check("include", errNoTarget)
	check("include:", errNoTarget)
	check("include/24", errArgument)
	check("include:x.org/24", errDomainEnd)
	check("exists", errNoTarget)
	check("exists:x.org/24", errDomainEnd)
	check("ptr:", errNoTarget)
	check("ptr/0", errArgument)
	check("a:", errNoTarget)
	check("a:/24", errNoTarget)

	check("a/0//0 a/32//128 mx:x.org/24//64 a//64 a:%{d}/24", nil)
	check("a/33", errPrefix)
	check("a//129", errPrefix)
	check("mx/24/64", errPrefix) // the /64 is taken first
	check("mx/024", errArgument)
	check("mx/", errArgument)
	check("mx//", errArgument)
	check("mx///64", errArgument)
	check("a:x.org/024", errDomainEnd)
	check("a:x.org/320", errDomainEnd)
	check("a:foo:bar/24.org/24", nil)

	check("ip4:192.0.2.1 ip4:192.0.2.1/0 ip4:192.0.2.1/32", nil)
	check("ip4", errNetwork)
	check("ip4:", errNetwork)
	check("ip4/24", errNetwork)
	check("ip4:192.0.2", errNetwork)
	check("ip4:192.0.2.256", errNetwork)
	check("ip4:192.0.2.01", errNetwork)
	check("ip4:192.0.2.1/33", errNetwork)
	check("ip4:192.0.2.1/08", errNetwork)
	check("ip4:192.0.2.1/", errNetwork)
	check("ip4:192.0.2.1//24", errNetwork)
	check("ip4:192.0.2.1:25", errNetwork)
	check("ip4:2001:db8::1", errNetwork)
	check("ip6:2001:db8::1 ip6:::/0 ip6:::1/128 ip6:::ffff:192.0.2.1/96", nil)
	check("ip6:192.0.2.1", errNetwork)
	check("ip6:2001:db8::1/129", errNetwork)
	check("ip6:2001:db8::1//64", errNetwork)
	check("ip6:fe80::1%%eth0", errNetwork)
	check("ip6::1::", errNetwork)

	check("a:x.org. a:x.xn--p1ai a:x.1-2 a:%{d} a:x%% a:x%_ a:x%-", nil)
	check("a:museum", errDomainEnd)
	check("a:museum.", errDomainEnd)
	check("a:x.123", errDomainEnd)
	check("a:x.-org", errDomainEnd)
	check("a:x.org-", errDomainEnd)
	check("a:x.org..", errDomainEnd)
	check("a:x.o_g", errDomainEnd)
	check("a:%{d}org", errDomainEnd)
	check("a:%{d}.org", nil)
	check("a:x.%{d}_", errDomainEnd)

	check("redirect=x.org exp=y.org", nil)
	check("redirect=", errNoTarget)
	check("exp=-all", errDomainEnd)
	check("redirect=x.org REDIRECT=y.org", repeated)
	check("exp=x.org exp=y.org", repeated)
	check("moo=cow moo=%{c}%{r}%{t} moo= a.b-c_d=/:=", nil)
	check("moo=%abc", errMacro)
	check("a=x.org", nil) // an unknown modifier

	check("exists:%{l1r+-}.%{D2}.%{ir}.%{v}.%{h000127=}.org", nil)
	check("exists:%{c}.org", errExpMacro)
	check("exp=%{R}.org", errExpMacro)
	check("redirect=%{t}.org", errExpMacro)
	check("exists:%{d0}.org", errDigits)
	check("exists:%{d00r}.org", errDigits)
	check("exists:%{x}.org", errMacro)
	check("exists:%{}.org", errMacro)
	check("exists:%{d.org", errMacro)
	check("exists:%{rd}.org", errMacro)
	check("exists:%{d r}.org", errMacro) // two words
	check("exists:%{d1r2}.org", errMacro)
	check("exists:%{d*}.org", errMacro)
	check("exists:%{1}.org", errMacro)
	check("exists:x.org%", errMacro)
	check("exists:%(d).org", errMacro)
}

func TestSelectRecord(t *testing.T) {
	check := func(found bool, err error, texts ...string) {
		t.Helper()
		got := selectRecord(texts)
		if (got.record != nil) != found || !errors.Is(got.err, err) || (err == nil) != (got.err == nil) {
			t.Errorf("%q: got %+v, %v, want found %v, error %v", texts, got.record, got.err, found, err)
		}
	}
	check(false, nil)
	check(false, nil, "")
	check(false, nil, "v=spf10", "v=spf1a", " v=spf1", "v=spf1\tall", "v=\u017fpf1 all", "\x96")
	check(true, nil, "v=spf1")
	check(true, nil, "other", "V=SPF1 -all", "v=spf10 a")
	check(false, ErrMultipleRecords, "v=spf1", "v=spf1")
	check(false, ErrMultipleRecords, "v=spf1 moo", "v=spf1 -all")
	check(false, ErrSyntax, "v=spf1 moo")
}

func TestRecordLimits(t *testing.T) {
	check := func(what, text string, want error) {
		t.Helper()
		if _, err := parseRecord(text); !errors.Is(err, want) {
			t.Errorf("%s: got %v, want %v", what, err, want)
		}
	}
	const version = "v=spf1"
	check("terms at limit", version+strings.Repeat(" a", MaxTerms), nil)
	check("terms over limit", version+strings.Repeat(" a", MaxTerms+1), ErrTooManyTerms)
	check("octets at limit", version+strings.Repeat(" ", MaxRecordBytes-len(version)), nil)
	check("octets over limit", version+strings.Repeat(" ", MaxRecordBytes-len(version)+1), ErrRecordTooLong)
}

func TestSyntaxErrorText(t *testing.T) {
	_, err := parseRecord("v=spf1 a:\r\nX-Evil:\u202e" + strings.Repeat("x", 200))
	text := fmt.Sprint(err)
	if len(text) > 250 || strings.ContainsFunc(text, func(c rune) bool { return c < ' ' || c == '\u202e' }) {
		t.Errorf("the error holds foreign text: %q", text)
	}
}
