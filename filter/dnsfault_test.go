package filter_test

import (
	"bytes"
	"net"
	"net/netip"
	"testing"
	"time"

	"assay/dnscache"
	"assay/dnscache/dnstest"
	"assay/filter"
	"assay/filter/miltertest"
)

// TestDNSFaults: a name server that is gone, silent or lying makes temperror, and a
// slow one makes the message wait; none of them loses it, or makes it wait longer than the budget.
func TestDNSFaults(t *testing.T) {
	zone := func(delay time.Duration) *dnstest.Zone {
		z := dnstest.MustParse(t, testZone)
		z.Delay(delay)
		return z
	}
	closed, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	gone := closed.LocalAddr().String()
	closed.Close()
	silent := dnstest.MustParse(t, "example.com. TIMEOUT\n_dmarc.example.com. TIMEOUT\n")
	for _, test := range []struct {
		name, server, want string
		timeout            time.Duration
		least              time.Duration // that the message waits
	}{
		{"gone", gone, "temperror", time.Second, 0},
		{"silent", silent.Serve(t), "temperror", 100 * time.Millisecond, 0},
		{"silent for longer than the budget", silent.Serve(t), "temperror", time.Minute, budget},
		{"slow", zone(100 * time.Millisecond).Serve(t), "pass", 10 * time.Second, 100 * time.Millisecond},
		{"lying", liar(t, 0), "temperror", 100 * time.Millisecond, 0},
		{"answering another question", liar(t, questionName), "temperror", 100 * time.Millisecond, 0},
	} {
		resolver := dnscache.New(dnscache.Config{
			Servers: []dnscache.Server{{Addr: netip.MustParseAddrPort(test.server)}},
			Timeout: test.timeout, RetryAfter: 50 * time.Millisecond,
		})
		s := start(t, resolver, func(s *filter.Settings) { s.Verifier.Budget = budget })
		c := s.dial(t, miltertest.Postfix())
		out := deliver(t, c, mail())
		wantIn(t, results(t, out), "spf="+test.want, "dmarc="+test.want)
		if out.Waited < test.least || out.Waited > budget+5*time.Second {
			t.Errorf("%s: the message waited %v", test.name, out.Waited)
		}
		quit(t, c)
		resolver.Close()
	}
}

const budget = 2 * time.Second

// questionName is where the name asked for begins in a query.
const questionName = 12

// liar is a name server whose answers are its questions, but for one octet: at 0
// the id, or one of the name.
func liar(t *testing.T, octet int) (addr string) {
	t.Helper()
	packets, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { packets.Close() })
	go func() {
		packet := make([]byte, 512)
		for {
			n, from, err := packets.ReadFrom(packet)
			if err != nil {
				return
			}
			packet[2] |= 0x80 // an answer
			packet[octet+1] ^= 1
			if _, err := packets.WriteTo(packet[:n], from); err != nil {
				return
			}
		}
	}()
	return packets.LocalAddr().String()
}

// TestHalfOpen: an MTA that has gone, whether or not it says so, does not keep its message
// in flight.
func TestHalfOpen(t *testing.T) {
	for name, leave := range map[string]func(*net.TCPConn) error{
		"closes its half": (*net.TCPConn).CloseWrite,
		"says no more":    func(*net.TCPConn) error { return nil },
	} {
		s := startZone(t, func(s *filter.Settings) {
			s.Limits = filter.Limits{Messages: 1, Idle: 200 * time.Millisecond}
		})
		c, err := net.Dial("tcp", s.addr)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		for _, octets := range [][]byte{offer, frame('C', "out.example.com\x004\x61\xa8192.0.2.7\x00"), frame('M', "<a@example.com>\x00")} {
			if _, err := c.Write(octets); err != nil {
				t.Fatal(err)
			}
		}
		for read := []byte(nil); !bytes.HasSuffix(read, frame('c', "")); { // the answer to MAIL
			octets := make([]byte, 512)
			n, err := c.Read(octets)
			if err != nil {
				t.Fatal(err)
			}
			read = append(read, octets[:n]...)
		}
		if err := leave(c.(*net.TCPConn)); err != nil {
			t.Fatal(err)
		}
		waitSessions(t, s, 0)
		other := s.dial(t, miltertest.Postfix())
		if got := results(t, deliver(t, other, mail())); got == "" {
			t.Errorf("%s: the message still counts", name)
		}
		quit(t, other)
	}
}
