package miltertest

import (
	"strings"
	"testing"
)

func TestSMTPReply(t *testing.T) {
	check := func(payload, want, wantErr string) {
		t.Helper()
		got, err := smtpReply([]byte(payload))
		if (err == nil) != (wantErr == "") || (err != nil && !strings.Contains(err.Error(), wantErr)) || got != want {
			t.Errorf("%.200q: got %q, %v; want %q, %q", payload, got, err, want, wantErr)
		}
	}
	good := func(payload, want string) { t.Helper(); check(payload+"\x00", want, "") }
	bad := func(payload, want string) { t.Helper(); check(payload+"\x00", "", want) }

	good("550 5.7.1 no", "550 5.7.1 no")
	good("421 ", "421 ")
	good("550 no", "550 no")
	good("550 10.0.0.1 is an address", "550 10.0.0.1 is an address")
	good("550 5.7.1234 is no code", "550 5.7.1234 is no code")
	good("550-5.7.1 a\r\n550-5.7.1 b\r\n550 5.7.1 c", "550-5.7.1 a\r\n550-5.7.1 b\r\n550 5.7.1 c")
	good("550 100%% %%%%", "550 100% %%")

	check("550 no", "", "no NUL")
	check("", "", "no NUL")
	bad("", "no 4xx or 5xx")
	bad("250 yes", "no 4xx or 5xx")
	bad("55x no", "no 4xx or 5xx")
	bad("550", "no 4xx or 5xx")
	bad("550 no\r\n", "separator")
	bad("550-no\r\n", "line 2: no 4xx or 5xx")
	bad("550no", "separator")
	bad("550-no", "separator")
	bad("550 a\r\n550 b", "line 1: wrong separator")
	bad("550-a\r\n551 b", "line 2: another code")
	bad("550-5.7.1 a\r\n550 5.7.2 b", "line 2: another enhanced code")
	bad("550-5.7.1 a\r\n550 b", "line 2: another enhanced code")
	bad("550 4.7.1 no", "another class")
	bad("550 50% no", "single %")
	bad("550 %%% no", "single %")
	bad("550 a\nb", "printable")
	bad("550 a\rb", "printable")
	bad("550 a\x00b", "printable")
	bad("550 sch\u00f6n", "printable")
	bad("550 \x7f", "printable")

	good("550 "+strings.Repeat("x", MaxReplyLine-4), "550 "+strings.Repeat("x", MaxReplyLine-4))
	bad("550 "+strings.Repeat("x", MaxReplyLine-3), "981 octets")
	lines := strings.Repeat("550-x\r\n", MaxReplyLines-1) + "550 x"
	good(lines, lines)
	bad("550-x\r\n"+lines, "33 lines")
}

func TestCheckField(t *testing.T) {
	check := func(name, value, want string) {
		t.Helper()
		err := checkField(name, value)
		if (err == nil) != (want == "") || (err != nil && !strings.Contains(err.Error(), want)) {
			t.Errorf("%q %.200q: got %v, want %q", name, value, err, want)
		}
	}
	check("N", "", "")
	check("N", " v", "")
	check("N", " v\n w\n\tx", "")
	check("N", " sch\u00f6n", "")
	check("N", "\n v", "")
	check("", " v", "field name")
	check("a b", " v", "field name")
	check("a:", " v", "field name")
	check("\u00e4", " v", "field name")
	check("N\n", " v", "field name")
	check("N", " v\r", "CR")
	check("N", " v\r\n w", "CR")
	check("N", " v\nw", "LF without")
	check("N", " v\n", "LF without")
	check("N", " v\n\n w", "LF without")
	check("N", " v\n \t\n w", "blanks only")

	check("N", strings.Repeat("x", MaxHeaderLine-2), "")
	check("N", strings.Repeat("x", MaxHeaderLine-1), "999 octets")
	check("N", " v\n "+strings.Repeat("x", MaxHeaderLine-1), "")
	check("N", " v\n "+strings.Repeat("x", MaxHeaderLine), "999 octets")
}

func TestWithEnhancedCode(t *testing.T) {
	check := func(smtp, want string) {
		t.Helper()
		if got := withEnhancedCode(smtp); got != want {
			t.Errorf("%q: got %q, want %q", smtp, got, want)
		}
	}
	check("550 no", "550 5.0.0 no")
	check("450-no\r\n450 not now", "450-4.0.0 no\r\n450 4.0.0 not now")
	check("550 5.7.26 no", "550 5.7.26 no")
}
