package spf

import (
	"net/netip"
	"slices"
	"testing"
)

// TestExchangerOutage: a mail exchanger whose address is not to be had says nothing
// against a client that another one has matched (RFC 7208 §5.4).
func TestExchangerOutage(t *testing.T) {
	const zone = `
mail.example. MX 10 one.mail.example.
mail.example. MX 20 two.mail.example.
two.mail.example. SERVFAIL
`
	for _, kind := range []string{
		"one.mail.example. A 192.0.2.3\none.mail.example. AAAA 2001:db8::3\nmail.example. TXT \"v=spf1 mx -all\"",
		"one.mail.example. A 192.0.2.99\none.mail.example. AAAA 2001:db8::99\nmail.example. TXT \"v=spf1 mx/24//64 -all\"",
	} {
		for _, client := range []struct {
			addr   string
			result Result
		}{{"192.0.2.3", Pass}, {"2001:db8::3", Pass}, {"198.51.100.1", TempError}} {
			c, asked := mailFrom(t, netip.MustParseAddr(client.addr), zone+kind, "a@mail.example")
			if c.Result != client.result || (c.Mechanism == "mx") != (c.Result == Pass) {
				t.Errorf("%s: %s by %q (%v)", client.addr, c.Result, c.Mechanism, c.Err)
			}
			if c.Result == Pass && slices.ContainsFunc(asked, func(q string) bool { return q == "A two.mail.example" || q == "AAAA two.mail.example" }) {
				t.Errorf("%s: asked %q", client.addr, asked)
			}
		}
	}
}
