package spf

import (
	"context"
	"errors"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"assay/dnscache/dnstest"
)

var (
	client4 = netip.MustParseAddr("192.0.2.3")
	client6 = netip.MustParseAddr("2001:db8::3")
)

// zone holds the records that most tests ask for.
const zone = `
$ORIGIN example.org.
@           TXT  "v=spf1 a -all"
@           A    192.0.2.3
@           AAAA 2001:db8::3
attack.com. TXT  "v=spf1 +all"
legit.com.  TXT  "v=spf1 -all"
`

// mailFrom checks a sender of host against a zone of one record.
func mailFrom(t *testing.T, ip netip.Addr, text, sender string) (Check, []string) {
	t.Helper()
	z := dnstest.MustParse(t, text)
	c := Verifier{Resolver: z}.MailFrom(context.Background(), ip, "helo.example.org", sender)
	checkReason(t, c)
	return c, z.Questions()
}

func TestIdentities(t *testing.T) {
	verifier := Verifier{Resolver: dnstest.MustParse(t, zone)}
	ctx := context.Background()
	check := func(c Check, result Result, identity Identity, host string, null bool) {
		t.Helper()
		if c.Result != result || c.Identity != identity || c.Domain.String() != host || c.NullSender != null {
			t.Errorf("got %+v, want %s of %s %q, null sender %v", c, result, identity, host, null)
		}
		checkReason(t, c)
	}
	check(verifier.MailFrom(ctx, client4, "mx.attack.com", "a@example.org"), Pass, MailFrom, "example.org", false)
	check(verifier.MailFrom(ctx, client4, "example.org", ""), Pass, MailFrom, "example.org", true)
	check(verifier.MailFrom(ctx, client4, "[192.0.2.3]", ""), None, MailFrom, "", true)
	check(verifier.MailFrom(ctx, client4, "example.org", "a@b@c"), None, MailFrom, "", false)
	check(verifier.MailFrom(ctx, netip.Addr{}, "example.org", "a@example.org"), None, MailFrom, "example.org", false)
	check(verifier.Helo(ctx, client4, "Example.ORG."), Pass, Helo, "example.org", false)
	check(verifier.Helo(ctx, client4, "attack.com"), Pass, Helo, "attack.com", false)
	check(verifier.Helo(ctx, client4, "legit.com"), Fail, Helo, "legit.com", false)
	check(verifier.Helo(ctx, client4, ""), None, Helo, "", false)
	check(verifier.Helo(ctx, client4, "localhost"), None, Helo, "", false)
	check(verifier.Helo(ctx, client4, "[192.0.2.3]"), None, Helo, "", false)
	check(verifier.Helo(ctx, client4, "[IPv6:2001:db8::3]"), None, Helo, "", false)
	check(verifier.Helo(ctx, client4, "192.0.2.3"), None, Helo, "", false)
	check(verifier.Helo(ctx, client4, "a..example.org"), None, Helo, "", false)
	check(verifier.Helo(ctx, client4, "example.org\r\n"), None, Helo, "", false)
	check(verifier.Helo(ctx, netip.Addr{}, "example.org"), None, Helo, "example.org", false)
}

// TestHostileSenders has the senders of "Composition Kills": no verdict, and no
// question asked.
func TestHostileSenders(t *testing.T) {
	for _, sender := range []string{
		"(any@legit.com", "any@legit.com(.attack.com", "any@legit.com'@a.attack.com",
		"@legit.com,@any.com:'any@attack.com", "any@legit.com\x00.attack.com", "any@[192.0.2.3]", " ", "<>",
	} {
		c, asked := mailFrom(t, client4, zone, sender)
		if c.Result != None || !c.Domain.IsZero() || c.NullSender || len(asked) > 0 {
			t.Errorf("%q: got %+v, asked %q, want none, no domain and no question", sender, c, asked)
		}
	}
	// A HELO that passes says nothing about a MAIL FROM domain without record.
	c := Verifier{Resolver: dnstest.MustParse(t, zone)}.MailFrom(context.Background(), client4, "attack.com", "x@nonexist.legit.com")
	if c.Result != None || c.Domain.String() != "nonexist.legit.com" || !errors.Is(c.Err, ErrNoRecord) {
		t.Errorf("HELO confusion: got %+v, want none of nonexist.legit.com", c)
	}
}

// TestQuestions shows what is asked, and that no more is.
func TestQuestions(t *testing.T) {
	check := func(ip netip.Addr, sender, records string, want Result, asked ...string) {
		t.Helper()
		c, got := mailFrom(t, ip, records, sender)
		if asked = append([]string{"TXT x.org"}, asked...); c.Result != want || !slices.Equal(got, asked) {
			t.Errorf("%s, sender %q:%s\ngot %s (%v), asked %q\nwant %s, asked %q",
				ip, sender, records, c.Result, c.Err, got, want, asked)
		}
	}
	mapped := netip.MustParseAddr("::ffff:192.0.2.3")
	zoned := client6.WithZone("eth0")
	const hosts = `
mx.x.org.  A    192.0.2.3
mx.x.org.  AAAA 2001:db8::3
x.org.     MX   10 mx.x.org.`
	check(client4, "a@x.org", hosts+"\nx.org. TXT \"v=spf1 a:mx.x.org -all\"", Pass, "A mx.x.org")
	check(mapped, "a@x.org", hosts+"\nx.org. TXT \"v=spf1 a:mx.x.org -all\"", Pass, "A mx.x.org")
	check(client6, "a@x.org", hosts+"\nx.org. TXT \"v=spf1 a:mx.x.org -all\"", Pass, "AAAA mx.x.org")
	check(zoned, "a@x.org", hosts+"\nx.org. TXT \"v=spf1 a:mx.x.org -all\"", Pass, "AAAA mx.x.org")
	check(client4, "a@x.org", hosts+"\nx.org. TXT \"v=spf1 mx -all\"", Pass, "MX x.org", "A mx.x.org")
	check(client6, "a@x.org", hosts+"\nx.org. TXT \"v=spf1 mx -all\"", Pass, "MX x.org", "AAAA mx.x.org")
	check(client4, "a@x.org", hosts+"\nx.org. TXT \"v=spf1 exists:mx.x.org -all\"", Pass, "A mx.x.org")
	check(client6, "a@x.org", hosts+"\nx.org. TXT \"v=spf1 exists:mx.x.org -all\"", Pass, "A mx.x.org")
	check(client4, "a@x.org", "x.org. MX 0 .\nx.org. TXT \"v=spf1 mx/0 -all\"", Fail, "MX x.org")

	// exp is never looked up.
	check(client4, "a@x.org", "x.org. TXT \"v=spf1 -all exp=e.x.org\"", Fail)
	// A mapped network is not for an IPv4 client, nor for any other.
	check(mapped, "a@x.org", "x.org. TXT \"v=spf1 ip6:::ffff:192.0.2.0/120 ?all\"", Neutral)
	check(client6, "a@x.org", "x.org. TXT \"v=spf1 ip6:::ffff:192.0.2.0/120 ip4:0.0.0.0/0 ?all\"", Neutral)
	check(client6, "a@x.org", "x.org. TXT \"v=spf1 ip6:::/0 -all\"", Pass)
	// A syntax error behind a match counts, and nothing is asked.
	check(client4, "a@x.org", "x.org. TXT \"v=spf1 a:mx.x.org all moo\"", PermError)
	// An included syntax error ends the evaluation.
	check(client4, "a@x.org", "x.org. TXT \"v=spf1 include:i.org a:mx.x.org all\"\ni.org. TXT \"v=spf1 all moo\"",
		PermError, "TXT i.org")
	// Unusable names match nothing and ask nothing; they are not void either.
	check(client4, "a@x.org", `x.org. TXT "v=spf1 a:x..org/0//0 mx:x..org/0//0 exists:x..org ptr:x..org ?all"`, Neutral)
	check(client6, "a@x.org", `x.org. TXT "v=spf1 a:x..org/0//0 mx:x..org/0//0 exists:x..org ptr:x..org ?all"`, Neutral)
	check(client4, "a@x.org", `x.org. TXT "v=spf1 include:x..org ?all"`, PermError)
	check(client4, "a@x.org", `x.org. TXT "v=spf1 redirect=x..org"`, PermError)
	check(client4, "a@x.org", `x.org. TXT "v=spf1 include:%{v} ?all"`, PermError) // one label
	check(client4, `"a\\b"@x.org`, `x.org. TXT "v=spf1 exists:%{l}.x.org ?all"`, Neutral)

	// RFC 8616 §4: terms with %{s} or %{l} never match a non-ASCII local part.
	check(client4, "j\u00f6rg@x.org", `x.org. TXT "v=spf1 a:%{l}.x.org/0 mx:%{S}.x.org/0 exists:%{l1r-}.x.org ptr:%{l} include:%{l}.x.org ?all"`, Neutral)
	check(client6, "j\u00f6rg@x.org", `x.org. TXT "v=spf1 a:%{l}.x.org//0 mx:%{S}.x.org//0 ?all"`, Neutral)
	check(client4, "j\u00f6rg@x.org", `x.org. TXT "v=spf1 redirect=%{l}.x.org"`, Neutral)
	check(client4, "j\u00f6rg@x.org", "x.org. TXT \"v=spf1 exists:%{o}.y.org -all\"\nx.org.y.org. A 127.0.0.2", Pass, "A x.org.y.org")
}

// TestHeloMacro shows what a client can put into a query by its HELO.
func TestHeloMacro(t *testing.T) {
	check := func(helo, want string) {
		t.Helper()
		if got := heloMacro(helo); got != want {
			t.Errorf("%q: got %q, want %q", helo, got, want)
		}
	}
	check("MX.example.org.", "mx.example.org")
	check("b\u00fccher.example", "xn--bcher-kva.example")
	check("[192.0.2.3]", "[192.0.2.3]")
	check("JUMPIN' JUPITER", "JUMPIN' JUPITER")
	check("\u00fc \u00fc", "")
	check("a\x00b", "")
	check("a\r\nb", "")
	check(strings.Repeat("%", maxHeloBytes), strings.Repeat("%", maxHeloBytes))
	check(strings.Repeat("%", maxHeloBytes+1), "")
}
