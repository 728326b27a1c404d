package spf

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"assay/dnscache/dnstest"
)

// TestEvidence covers Mechanism, Lookups, Err and the written result.
func TestEvidence(t *testing.T) {
	check := func(ip netip.Addr, record, records string, want Result, mechanism string, lookups int, reason error, comment string) {
		t.Helper()
		c, _ := mailFrom(t, ip, "x.org. TXT \""+record+"\"\n"+records, "a@x.org")
		if c.Result != want || c.Mechanism != mechanism || c.Lookups != lookups || !errors.Is(c.Err, reason) {
			t.Errorf("%s:\ngot %+v\nwant %s by %q, %d look-ups, error %v", record, c, want, mechanism, lookups, reason)
		}
		if got := c.AuthRes().Comment; got != comment {
			t.Errorf("%s: comment %q, want %q", record, got, comment)
		}
	}
	const host = "h.org. A 192.0.2.3\nm.org. MX 0 h.org.\ni.org. TXT \"v=spf1 a:h.org -all\"\nn.org. TXT \"v=spf1 mx:m.org a:n.org -all\"\nn.org. A 192.0.2.9\n" +
		"3.2.0.192.in-addr.arpa. PTR h.org.\n"
	const loop = "v=spf1 include:x.org"
	nine := strings.Repeat(" -a:n.org", 9)

	check(client4, "v=spf1 ~all", "", SoftFail, "all", 0, nil, "matched all")
	check(client4, "v=spf1 ip4:192.0.2.0/24 -all", "", Pass, "ip4", 0, nil, "matched ip4")
	check(client6, "v=spf1 ip6:2001:db8::/32 -all", "", Pass, "ip6", 0, nil, "matched ip6")
	check(client4, "v=spf1 ?a:h.org -all", host, Neutral, "a", 1, nil, "matched a")
	check(client4, "v=spf1 -mx:m.org", host, Fail, "mx", 1, nil, "matched mx")
	check(client4, "v=spf1 ptr:h.org -all", host, Pass, "ptr", 1, nil, "matched ptr")
	check(client4, "v=spf1 exists:h.org -all", host, Pass, "exists", 1, nil, "matched exists")
	check(client4, "v=spf1 include:i.org -all", host, Pass, "a", 2, nil, "matched a")
	check(client4, "v=spf1 ptr:y.org ptr:z.org redirect=i.org", host, Pass, "a", 4, nil, "matched a")
	check(client4, "v=spf1 include:n.org", host, Pass, "mx", 2, nil, "matched mx")
	check(client4, "v=spf1 a:n.org", host, Neutral, "", 1, nil, "nothing matched")
	check(client4, "v=spf1 redirect=z.org -all", host, Fail, "all", 0, nil, "matched all")

	check(client4, "v=spf1"+nine+" a:h.org", host, Pass, "a", 10, nil, "matched a")
	check(client4, "v=spf1"+nine+" a:n.org a:h.org", host, PermError, "", 10, ErrTooManyLookups, "too many DNS look-ups")
	check(client4, "v=spf1"+nine+" a:n.org ip4:192.0.2.3", host, Pass, "ip4", 10, nil, "matched ip4")
	check(client4, "v=spf1"+nine+" ptr:h.org", host, Pass, "ptr", 10, nil, "matched ptr")
	check(client4, "v=spf1"+nine+" include:i.org", host, PermError, "", 10, ErrTooManyLookups, "too many DNS look-ups")
	check(client4, loop, "", PermError, "", 10, ErrTooManyLookups, "too many DNS look-ups")
	check(client4, "v=spf1 redirect=x.org", "", PermError, "", 10, ErrTooManyLookups, "too many DNS look-ups")
	check(client4, "v=spf1 a:v1.org mx:v2.org ?all", "", Neutral, "all", 2, nil, "matched all")
	check(client4, "v=spf1 a:v1.org mx:v2.org exists:v3.org ?all", "", PermError, "", 3, ErrTooManyVoid, "too many DNS look-ups without answer")
	check(client6, "v=spf1 a:h.org a:h.org a:h.org ?all", host, PermError, "", 3, ErrTooManyVoid, "too many DNS look-ups without answer")

	check(client4, "v=spf1 include:none.org", "", PermError, "", 1, ErrNoRecord, "no SPF record")
	check(client4, "v=spf1 redirect=h.org", host, PermError, "", 1, ErrNoRecord, "no SPF record")
	check(client4, "v=spf10", "", None, "", 0, ErrNoRecord, "no SPF record")
	check(client4, "v=spf1", "x.org. TXT \"v=spf1 all\"", PermError, "", 0, ErrMultipleRecords, "more than one SPF record")
	check(client4, "v=spf1 all moo", "", PermError, "", 0, ErrSyntax, "syntax error in SPF record")
	check(client4, "v=spf1 include:y.org", "y.org. TXT \"v=spf1"+strings.Repeat(" a", 101)+"\"", PermError, "", 1, ErrTooManyTerms, "too many terms in SPF record")
	check(client4, "v=spf1 -all", "x.org. TXT SERVFAIL", TempError, "", 0, ErrDNS, "DNS failure")
	check(client4, "v=spf1 -all", "x.org. TXT TIMEOUT", TempError, "", 0, ErrDNS, "DNS failure")
	check(client4, "v=spf1 a:f.org -all", "f.org. SERVFAIL", TempError, "", 1, ErrDNS, "DNS failure")
	check(client4, "v=spf1 mx:f.org -all", "f.org. REFUSED", TempError, "", 1, ErrDNS, "DNS failure")
	check(client4, "v=spf1 mx:m.org -all", "m.org. MX 0 f.org.\nf.org. A TIMEOUT", TempError, "", 1, ErrDNS, "DNS failure")
	check(client4, "v=spf1 exists:f.org -all", "f.org. TIMEOUT", TempError, "", 1, ErrDNS, "DNS failure")
	check(client4, "v=spf1 include:f.org -all", "f.org. TIMEOUT", TempError, "", 1, ErrDNS, "DNS failure")
	check(client4, "v=spf1 redirect=f.org", "f.org. TIMEOUT", TempError, "", 1, ErrDNS, "DNS failure")
}

// TestErrText shows what an operator finds in the log: where it went wrong.
func TestErrText(t *testing.T) {
	check := func(record, records, want string) {
		t.Helper()
		c, _ := mailFrom(t, client4, "x.org. TXT \""+record+"\"\n"+records, "a@x.org")
		if got := fmt.Sprint(c.Err); got != want {
			t.Errorf("%s:\ngot  %s\nwant %s", record, got, want)
		}
	}
	check("v=spf10", "", "spf: x.org: no SPF record")
	check("v=spf1 a:x.museum moo", "", `spf: x.org: record of "x.org": syntax error in SPF record: "moo": unknown mechanism`)
	check("v=spf1 include:%{v}._spf.%{d}", "", `spf: x.org: include:"in-addr._spf.x.org": no SPF record`)
	check("v=spf1"+strings.Repeat(" mx:m.org", 11), "m.org. MX 0 h.org.\nh.org. A 192.0.2.9", `spf: x.org: mx:"m.org": too many DNS look-ups`)
	check("v=spf1 a:f.org", "f.org. SERVFAIL", `spf: x.org: DNS failure: look-up of A "f.org": lookup f.org: server misbehaving`)
}

func TestMXLimit(t *testing.T) {
	check := func(hosts int, want Result, reason error) {
		t.Helper()
		records := "x.org. TXT \"v=spf1 mx -all\"\n"
		for i := range hosts {
			records += fmt.Sprintf("x.org. MX %d h%d.org.\nh%d.org. A 192.0.2.%d\n", i, i, i, 12-i)
		}
		c, asked := mailFrom(t, client4, records, "a@x.org")
		if c.Result != want || !errors.Is(c.Err, reason) {
			t.Errorf("%d hosts: got %+v, want %s, %v", hosts, c, want, reason)
		}
		if want == PermError && len(asked) != 2 {
			t.Errorf("%d hosts: asked %q after too many", hosts, asked)
		}
	}
	check(10, Pass, nil)
	check(11, PermError, ErrTooManyMX)
}

func TestAuthRes(t *testing.T) {
	check := func(c Check, value, property, host string) {
		t.Helper()
		r := c.AuthRes()
		if r.Method != "spf" || r.Value != value || len(r.Props) != 1 || r.Props[0].Type != "smtp" ||
			r.Props[0].Name != property || r.Props[0].Value != host {
			t.Errorf("got %+v, want spf=%s smtp.%s=%s", r, value, property, host)
		}
	}
	verifier := Verifier{Resolver: dnstest.MustParse(t, zone)}
	ctx := context.Background()
	check(verifier.MailFrom(ctx, client4, "h.org", "secret@example.org"), "pass", "mailfrom", "example.org")
	check(verifier.MailFrom(ctx, client4, "example.org", ""), "pass", "helo", "example.org")
	check(verifier.Helo(ctx, client4, "legit.com"), "fail", "helo", "legit.com")
	check(verifier.MailFrom(ctx, client4, "h.org", "any@legit.com(.attack.com"), "none", "mailfrom", "")
}

// TestExplainUnknown shows what would be said if the library refused a record
// that passed the syntax check, and of a Check that is none.
func TestExplainUnknown(t *testing.T) {
	theirs := errors.New("theirs")
	if err := new(evaluation).explain(PermError, theirs); !errors.Is(err, ErrSyntax) || !errors.Is(err, theirs) {
		t.Errorf("got %v, want ErrSyntax and the cause", err)
	}
	if got := (Check{}).comment(); got != "" {
		t.Errorf("comment of a zero Check: %q", got)
	}
}
