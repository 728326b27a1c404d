package policy

import (
	"fmt"
	"net/netip"
	"testing"

	"assay/verify/dmarc"
	"assay/verify/domain"
	"assay/verify/message"
	"assay/verify/network"
)

// hundredThousand is a set of each kind with 100,000 entries.
func hundredThousand() (network.Set, domain.Set, *Recipients) {
	var (
		networks []netip.Prefix
		patterns []domain.Pattern
		boxes    []string
	)
	for i := range 100_000 {
		networks = append(networks, netip.PrefixFrom(netip.AddrFrom4([4]byte{byte(10 + i>>16), byte(i >> 8), byte(i), 0}), 24))
		patterns = append(patterns, domain.Pattern{Name: domain.MustParse(fmt.Sprintf("host%d.example.net", i)), Below: i%2 == 0})
		boxes = append(boxes, fmt.Sprintf("user%d@rcpt.test", i))
	}
	return network.NewSet(networks...), domain.NewSet(patterns...), NewRecipients(boxes, domain.Set{})
}

// BenchmarkDecide: what does a verdict cost with no rules, with twenty, and
// with lists of 100,000 entries in them?
func BenchmarkDecide(b *testing.B) {
	m := &message.Message{Received: noon}
	m.Connection.Addr = netip.MustParseAddr("192.0.2.7")
	m.Envelope.Recipients = []string{"b@rcpt.test"}
	f := found(dmarc.Fail, dmarc.PolicyReject)
	clients, authors, people := hundredThousand()
	large := []Rule{
		{Name: "1", Match: Match{Networks: &clients}, Action: Reject, Reason: "x"},
		{Name: "2", Match: Match{AuthorDomains: &authors}, Action: Reject, Reason: "x"},
		{Name: "3", Match: Match{Recipients: people}, Action: Reject, Reason: "x"},
	}
	var twenty []Rule
	for i := range 20 {
		twenty = append(twenty, Rule{Name: fmt.Sprint(i), Match: Match{Helo: names(fmt.Sprintf("h%d.example", i))}, Action: Reject, Reason: "x"})
	}
	for _, c := range []struct {
		name  string
		rules []Rule
	}{{"none", nil}, {"20", twenty}, {"3x100000", large}} {
		b.Run(c.name, func(b *testing.B) {
			rules := &Rules{Enforce: true, OnReject: Careful, Rules: c.rules}
			for b.Loop() {
				rules.Decide(m, f)
			}
		})
	}
}
