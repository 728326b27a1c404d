package dnstest

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"

	"assay/verify/lookup"
)

const zoneText = `
$ORIGIN example.com.
@           TXT "v=spf1 " "mx -all"   ; SERVFAIL in a comment is none
            TXT "other; SERVFAIL"
            MX  10 mx1
            MX  20 MX2.example.com.
            600 IN A 192.0.2.1
            AAAA 2001:db8::1
null        MX 0 .
alias       CNAME a.b.alias2
a.b.alias2  CNAME example.com.
loop        CNAME loop
lost        CNAME nowhere
dead        CNAME down
*.wild      TXT "wild"
mx.wild     A 192.0.2.2
quote       TXT "\"\\\255\000 \; x"
down        SERVFAIL
busy        TXT REFUSED
busy        A 192.0.2.3
slow        300 IN TIMEOUT   ; every type
1.2.0.192.in-addr.arpa. PTR mail.example.com.
$ORIGIN net.
ns.example  SOA ns.example.net. h.example.net. 1 2 3 4 60
`

// show renders any answer and error in one line.
func show[T any](answer []T, err error) string {
	var e *net.DNSError
	switch {
	case err == nil:
		return fmt.Sprint(answer)
	case !errors.As(err, &e) || err != error(e):
		return "not bare: " + err.Error()
	case e.IsTimeout && e.IsTemporary:
		return "timeout"
	case e.IsTemporary:
		return "temporary"
	case e.IsNotFound:
		return "absent"
	}
	return "neither absent nor temporary: " + err.Error()
}

func showMX(mxs []*net.MX, err error) string {
	var words []string
	for _, mx := range mxs {
		words = append(words, fmt.Sprintf("%d:%s", mx.Pref, mx.Host))
	}
	return show(words, err)
}

func showTXT(txt *lookup.TXT, err error) string {
	if err != nil {
		return show[string](nil, err)
	}
	return fmt.Sprintf("%q", txt.Records)
}

func TestParsedZone(t *testing.T) {
	z := MustParse(t, zoneText)
	ctx := t.Context()
	is := func(question, got, want string) {
		t.Helper()
		if got != want {
			t.Errorf("%s: got %s, want %s", question, got, want)
		}
	}
	txt := func(name, want string) { t.Helper(); is("TXT "+name, showTXT(z.TXT(ctx, name)), want) }
	a := func(name, want string) { t.Helper(); is("A "+name, show(z.A(ctx, name)), want) }
	aaaa := func(name, want string) { t.Helper(); is("AAAA "+name, show(z.AAAA(ctx, name)), want) }
	mx := func(name, want string) { t.Helper(); is("MX "+name, showMX(z.MX(ctx, name)), want) }
	ptr := func(addr, want string) {
		t.Helper()
		is("PTR "+addr, show(z.PTR(ctx, netip.MustParseAddr(addr))), want)
	}

	txt("example.com", `["v=spf1 mx -all" "other; SERVFAIL"]`)
	txt("EXAMPLE.com.", `["v=spf1 mx -all" "other; SERVFAIL"]`)
	txt("quote.example.com", `["\"\\\xff\x00 ; x"]`)
	a("example.com", "[192.0.2.1]")
	aaaa("example.com", "[2001:db8::1]")
	mx("example.com", "[10:mx1.example.com 20:MX2.example.com]")
	mx("null.example.com", "[0:]")
	ptr("192.0.2.1", "[mail.example.com]")
	ptr("::ffff:192.0.2.1", "[mail.example.com]")
	ptr("192.0.2.2", "absent")

	a("alias.example.com", "[192.0.2.1]")
	a("loop.example.com", "temporary")
	a("lost.example.com", "absent")
	a("dead.example.com", "temporary")

	a("nowhere.example.com", "absent")
	a("b.alias2.example.com", "[]")
	a("com", "[]")
	a("org", "absent")
	a("null.example.com", "[]")
	a("", "absent")

	txt("x.wild.example.com", `["wild"]`)
	txt("y.x.wild.example.com", `["wild"]`)
	a("x.wild.example.com", "[]")
	txt("mx.wild.example.com", "[]")
	txt("x.mx.wild.example.com", "absent")
	txt("wild.example.com", "[]")
	txt("a..wild.example.com", "absent")
	txt(strings.Repeat("a", 63)+".wild.example.com", `["wild"]`)
	txt(strings.Repeat("a", 64)+".wild.example.com", "absent")

	txt("down.example.com", "temporary")
	a("down.example.com", "temporary")
	txt("busy.example.com", "temporary")
	a("busy.example.com", "[192.0.2.3]")
	aaaa("busy.example.com", "[]")
	txt("slow.example.com", "timeout")
	mx("slow.example.com", "timeout")
}

func TestFailureNames(t *testing.T) {
	fails := func(text, name string) {
		t.Helper()
		z := MustParse(t, text)
		if got := show(z.A(t.Context(), name)); got != "temporary" {
			t.Errorf("%q: A %s: got %s, want temporary", text, name, got)
		}
	}
	fails("X.Example. SERVFAIL", "x.example")
	fails("$ORIGIN example.\nx A REFUSED", "x.example")
	fails("$ORIGIN example.\n@ IN 60 A REFUSED", "example")
	fails("$ORIGIN example.\n$ORIGIN sub\nx SERVFAIL", "x.sub.example")
	fails("$ORIGIN .\nx SERVFAIL", "x")
	fails("*.example. SERVFAIL", "x.example")
	fails(`a\032b.example. SERVFAIL`, "a b.example")
}

func TestParseRefuses(t *testing.T) {
	refuses := func(text, want string) {
		t.Helper()
		if _, err := Parse(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Parse(%q): got %v, want an error with %q", text, err, want)
		}
	}
	refuses("relative A 192.0.2.1", "relative")
	refuses("\nrelative SERVFAIL", "line 2")
	refuses("x. SERVFAIL\nx. A nonsense", "line: 2")
	refuses("x. A 192.0.2.1\n  SERVFAIL 1 SERVFAIL", "line 2")
	refuses("x. NOTYPE SERVFAIL", "line 1")
	refuses(`a\.b. A 192.0.2.1`, "dot")
	refuses(`a\.b. SERVFAIL`, "line 1")
}

func TestAdd(t *testing.T) {
	z := New()
	ctx := t.Context()
	long := strings.Repeat("x", 256)
	z.Add("Example.com.", "TXT", "a\\", "\"\x00\xff", long)
	z.Add("example.com", "TXT", "second")
	z.Add("example.com", "A", "192.0.2.1", "192.0.2.2")
	z.Add("example.com", "MX", "5", "mail.example.com.")
	z.Add("example.com", "CAA", "0", "issue", `"ca.example"`)
	z.Add("a..b", "TXT", "bad name")
	z.Add("with space@x.example", "A", "192.0.2.3")
	z.Add("alias.example", "CNAME", "with space@x.example")
	z.Add("\xffX.example", "A", "192.0.2.4")
	z.Fail("down.example.com", "", ServFail)
	z.Fail("part.example.com", "A", Timeout)
	is := func(got, want string) {
		t.Helper()
		if got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	is(showTXT(z.TXT(ctx, "example.com")), fmt.Sprintf("%q", []string{"a\\\"\x00\xff" + long, "second"}))
	is(show(z.A(ctx, "example.com")), "[192.0.2.1 192.0.2.2]")
	is(showMX(z.MX(ctx, "example.com")), "[5:mail.example.com]")
	is(showTXT(z.TXT(ctx, "a..b")), `["bad name"]`)
	is(show(z.A(ctx, "With Space@x.example")), "[192.0.2.3]")
	is(show(z.A(ctx, "alias.example")), "[192.0.2.3]")
	is(show(z.A(ctx, "\xffx.example")), "[192.0.2.4]")
	is(show(z.A(ctx, "\ufffdx.example")), "absent")
	is(show(z.AAAA(ctx, "down.example.com")), "temporary")
	is(show(z.A(ctx, "part.example.com")), "timeout")
	is(show(z.AAAA(ctx, "part.example.com")), "[]")

	panics := func(name, rrtype string, data ...string) {
		t.Helper()
		defer func() {
			if recover() == nil {
				t.Errorf("Add(%q, %q, %q) did not panic", name, rrtype, data)
			}
		}()
		z.Add(name, rrtype, data...)
	}
	panics("x", "A", "2001:db8::1")
	panics("x", "AAAA", "192.0.2.1")
	panics("x", "A", "nonsense")
	panics("x", "MX", "70000", "host")
	panics("x", "MX", "1")
	panics("x", "NOTYPE", "1")
}

func TestQuestions(t *testing.T) {
	z := MustParse(t, zoneText)
	ctx := t.Context()
	z.TXT(ctx, "_DMARC.example.com.")
	z.A(ctx, "alias.example.com")
	z.PTR(ctx, netip.MustParseAddr("2001:db8::1"))
	want := []string{"TXT _dmarc.example.com", "A alias.example.com",
		"PTR 1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa"}
	if got := z.Questions(); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	z.Reset()
	if got := z.Questions(); len(got) != 0 {
		t.Errorf("after Reset: %q", got)
	}
}

func TestCancelledContext(t *testing.T) {
	z := MustParse(t, zoneText)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if got := show(z.A(ctx, "example.com")); got != "temporary" {
		t.Errorf("got %s, want temporary", got)
	}
}

func TestTXTIsKept(t *testing.T) {
	z := MustParse(t, zoneText)
	first, _ := z.TXT(t.Context(), "example.com")
	second, _ := z.TXT(t.Context(), "Example.com.")
	if first != second {
		t.Error("the answer changed though the zone did not")
	}
	z.Add("example.com", "TXT", "more")
	if third, _ := z.TXT(t.Context(), "example.com"); len(third.Records) != 3 {
		t.Errorf("after Add: %q", third.Records)
	}
}

func TestConcurrentUse(t *testing.T) {
	z := MustParse(t, zoneText)
	var group sync.WaitGroup
	for i := range 20 {
		group.Go(func() {
			z.TXT(t.Context(), "alias.example.com")
			z.Add("new.example.com", "TXT", fmt.Sprint(i))
			z.Fail("new2.example.com", "A", ServFail)
			z.Questions()
		})
	}
	group.Wait()
	if got := len(z.Questions()); got != 20 {
		t.Errorf("%d questions, want 20", got)
	}
}
