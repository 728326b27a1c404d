package spf

import (
	"fmt"
	"net/netip"
	"testing"
)

// TestReverseNames covers ptr and %{p}, whose names come from the client's own
// reverse zone.
func TestReverseNames(t *testing.T) {
	const reverse4 = "3.2.0.192.in-addr.arpa."
	const reverse6 = "3.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa."
	check := func(ip netip.Addr, record, records string, want Result, asked int) {
		t.Helper()
		c, got := mailFrom(t, ip, "x.org. TXT \""+record+"\"\n"+records, "a@x.org")
		if c.Result != want || len(got) != asked {
			t.Errorf("%s, %s:\n%s\ngot %s (%v), asked %q\nwant %s, %d questions", ip, record, records, c.Result, c.Err, got, want, asked)
		}
	}
	names := func(n int, last string) (text string) {
		for i := range n - 1 {
			text += fmt.Sprintf("%s PTR n%d.x.net.\nn%d.x.net. A 192.0.2.9\n", reverse4, i, i)
		}
		return text + reverse4 + " PTR " + last + "\n" + last + " A 192.0.2.3\n"
	}
	check(client4, "v=spf1 ptr -all", names(1, "x.org."), Pass, 3)
	check(client4, "v=spf1 ptr -all", names(1, "MX.x.ORG."), Pass, 3)
	check(client4, "v=spf1 ptr -all", names(1, "notx.org."), Fail, 3)
	check(client6, "v=spf1 ptr -all", reverse6+" PTR x.org.\nx.org. AAAA 2001:db8::3", Pass, 3)
	check(client6, "v=spf1 ptr -all", reverse6+" PTR x.org.\nx.org. A 192.0.2.3", Fail, 3)
	check(client4, "v=spf1 ptr -all", names(10, "x.org."), Pass, 12)
	check(client4, "v=spf1 ptr -all", names(11, "x.org."), Fail, 12)
	check(client4, "v=spf1 ptr -all", reverse4+` PTR a\\b.x.org.`, Fail, 2) // a name with a backslash
	// The names are looked up once.
	check(client4, "v=spf1 ptr:y.org ptr:z.org ptr -all", names(1, "x.org."), Pass, 3)
	// Failures in the client's zone are no temperror; one void look-up counts once.
	check(client4, "v=spf1 ptr -all", reverse4+" TIMEOUT", Fail, 2)
	check(client4, "v=spf1 ptr -all", names(1, "x.org.")+"x.org. A SERVFAIL", Fail, 3)
	check(client4, "v=spf1 ptr ptr ptr ptr a:v1.org -all", "", Fail, 3)
	check(client4, "v=spf1 ptr a:v1.org a:v2.org -all", "", PermError, 4)

	check(client4, "v=spf1 exists:%{p}.p.org -all", names(1, "n.net.")+"n.net.p.org. A 127.0.0.2", Pass, 4)
	check(client4, "v=spf1 exists:%{p}.p.org -all", names(1, "x.org.")+reverse4+" PTR n.net.\nn.net. A 192.0.2.3\nx.org.p.org. A 127.0.0.2", Pass, 5)
	check(client4, "v=spf1 exists:%{p}.p.org -all", names(1, "n.net.")+reverse4+" PTR a.x.org.\na.x.org. A 192.0.2.3\na.x.org.p.org. A 127.0.0.2", Pass, 5)
	check(client4, "v=spf1 exists:%{p}.p.org -all", names(1, "a.x.org.")+reverse4+" PTR X.org.\nx.org. A 192.0.2.3\nx.org.p.org. A 127.0.0.2", Pass, 5)
	check(client4, "v=spf1 exists:%{p}.p.org -all", "unknown.p.org. A 127.0.0.2", Pass, 3)
	check(client4, "v=spf1 exists:%{p}.p.org -all", "unknown.p.org. A 127.0.0.2\n"+reverse4+" SERVFAIL", Pass, 3)
}
