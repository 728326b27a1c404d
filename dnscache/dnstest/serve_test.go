package dnstest

import (
	"fmt"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"
)

// exchange asks the server once and renders the reply: rcode, flags, the
// records of the answer and those of the authority section.
func exchange(t *testing.T, network, addr, name string, qtype uint16, size uint16) string {
	t.Helper()
	m := new(dns.Msg).SetQuestion(name, qtype)
	if size != 0 {
		m.SetEdns0(size, false)
	}
	client := dns.Client{Net: network, Timeout: 5 * time.Second, UDPSize: 65535}
	reply, _, err := client.Exchange(m, addr)
	if err != nil {
		t.Fatalf("%s %s: %v", network, name, err)
	}
	words := []string{dns.RcodeToString[reply.Rcode]}
	if reply.Truncated {
		words = append(words, "TC")
	}
	if !reply.Truncated {
		for _, rr := range reply.Answer {
			words = append(words, rr.Header().Name+" "+dns.TypeToString[rr.Header().Rrtype])
		}
	}
	for _, rr := range reply.Ns {
		words = append(words, fmt.Sprintf("[%s SOA %d]", rr.Header().Name, rr.(*dns.SOA).Minttl))
	}
	return strings.Join(words, " ")
}

func TestServe(t *testing.T) {
	z := MustParse(t, zoneText+"big.example. TXT "+strings.Repeat(`"`+strings.Repeat("x", 200)+`" `, 3)+"\n")
	z.Add("unpackable.example", "CNAME", "a..b")
	addr := z.Serve(t)
	asks := func(network, name string, qtype, size uint16, want string) {
		t.Helper()
		if got := exchange(t, network, addr, name, qtype, size); got != want {
			t.Errorf("%s %s: got %s, want %s", network, name, got, want)
		}
	}
	asks("udp", "example.com.", dns.TypeMX, 0, "NOERROR example.com. MX example.com. MX")
	asks("tcp", "EXAMPLE.com.", dns.TypeA, 0, "NOERROR example.com. A")
	asks("udp", "x.wild.example.com.", dns.TypeTXT, 0, "NOERROR x.wild.example.com. TXT")
	asks("udp", "alias.example.com.", dns.TypeA, 0, "NOERROR alias.example.com. CNAME a.b.alias2.example.com. CNAME example.com. A")
	asks("udp", "lost.example.com.", dns.TypeA, 0, "NXDOMAIN lost.example.com. CNAME [com. SOA 300]")
	asks("udp", "null.example.com.", dns.TypeA, 0, "NOERROR [com. SOA 300]")
	asks("udp", "x.ns.example.net.", dns.TypeA, 0, "NXDOMAIN [ns.example.net. SOA 60]")
	asks("udp", "down.example.com.", dns.TypeA, 0, "SERVFAIL")
	asks("udp", "busy.example.com.", dns.TypeTXT, 0, "REFUSED")
	asks("udp", `a\.b.example.com.`, dns.TypeTXT, 0, "NXDOMAIN")
	asks("udp", "unpackable.example.", dns.TypeA, 0, "SERVFAIL")
	asks("udp", "big.example.", dns.TypeTXT, 0, "NOERROR TC")
	asks("udp", "big.example.", dns.TypeTXT, 600, "NOERROR TC")
	asks("udp", "big.example.", dns.TypeTXT, 1232, "NOERROR big.example. TXT")
	asks("tcp", "big.example.", dns.TypeTXT, 0, "NOERROR big.example. TXT")

	if got := z.Questions()[:2]; !slices.Equal(got, []string{"MX example.com", "A example.com"}) {
		t.Errorf("Questions: %q", got)
	}
}

func TestServeTimeoutIsSilence(t *testing.T) {
	addr := MustParse(t, "slow.example. TIMEOUT").Serve(t)
	for _, network := range []string{"udp", "tcp"} {
		client := dns.Client{Net: network, Timeout: 50 * time.Millisecond}
		reply, _, err := client.Exchange(new(dns.Msg).SetQuestion("slow.example.", dns.TypeA), addr)
		if e, ok := err.(net.Error); !ok || !e.Timeout() {
			t.Errorf("%s: got %v, %v, want a time-out", network, reply, err)
		}
	}
}

// TestServeAt answers at the address that it is given, and no sooner than it is
// told to.
func TestServeAt(t *testing.T) {
	z := MustParse(t, `a.example. A 192.0.2.1`)
	free := z.Serve(t)
	host, _, err := net.SplitHostPort(free)
	if err != nil {
		t.Fatal(err)
	}
	// The same port at another address of this machine was free a moment ago.
	addr := strings.Replace(free, host, "127.0.0.2", 1)
	z.ServeAt(t, addr)
	const delay = 50 * time.Millisecond
	for _, network := range []string{"udp", "tcp"} {
		z.Delay(delay)
		began := time.Now()
		if got := exchange(t, network, addr, "a.example.", dns.TypeA, 0); got != "NOERROR a.example. A" {
			t.Errorf("%s: got %s", network, got)
		}
		if took := time.Since(began); took < delay {
			t.Errorf("%s: answered after %v", network, took)
		}
		z.Delay(0)
	}
}
