package peers

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"testing"
	"time"

	"assay/filter/miltertest"
)

// How the slow world is.
const (
	answerTakes = 50 * time.Millisecond  // each of the name server
	bodyTakes   = 300 * time.Millisecond // to arrive
	strangers   = 10                     // domains of which nothing is known yet
)

// wait asks: how long does a message wait at its end when DNS is slow? The first
// from a domain, and from its client, is cold; the next is warm.
func (f *field) wait(b *testing.B) {
	var all []mail
	for n := range strangers {
		all = append(all, f.office.stranger(b, n))
	}
	f.office.zone.Delay(answerTakes)
	defer f.office.zone.Delay(0)
	fmt.Print("\n| filter | cold, median / longest, ms | warm, median / longest, ms | medians at most |\n|---|---|---|---|\n")
	for i, c := range f.verifiers() {
		cold, warm := waits(b, c, all), waits(b, c, all)
		first, second, most := cold.String(), warm.String(), ""
		if i == 0 {
			most = "60, less than 2"
			first = f.bar("wait with slow DNS, cold", cold.middle <= 60*time.Millisecond, first)
			second = f.bar("wait with slow DNS, warm", warm.middle < 2*time.Millisecond, second)
		}
		fmt.Printf("| %s | %s | %s | %s |\n", c.name, first, second, most)
	}
}

// stranger makes a message of 20 KiB whose domain and client share nothing with
// others.
func (p *postOffice) stranger(t testing.TB, n int) mail {
	t.Helper()
	domain, host := "stranger"+strconv.Itoa(n)+".example", netip.AddrFrom4([4]byte{192, 0, 2, byte(100 + n)})
	p.publish(domain)
	p.zone.Add(domain, "TXT", "v=spf1 include:_spf."+domain+" -all")
	p.zone.Add("_spf."+domain, "TXT", "v=spf1 ip4:"+host.String()+" -all")
	p.zone.Add("_dmarc."+domain, "TXT", "v=DMARC1; p=reject")
	p.zone.Add("out."+domain, "A", host.String())
	p.zone.Add(fmt.Sprintf("%d.2.0.192.in-addr.arpa", 100+n), "PTR", "out."+domain)
	raw := []byte("From: a@" + domain + "\r\nTo: b@rcpt.test\r\nSubject: hello\r\nDate: Tue, 24 Nov 2026 06:18:33 +0000\r\n" +
		"Message-Id: <1@" + domain + ">\r\n\r\n" + prose(1, 20<<10))
	return mail{miltertest.Message{
		Client: netip.AddrPortFrom(host, 25000), ClientName: "out." + domain, Helo: "out." + domain,
		From: "a@" + domain, Rcpts: []string{"b@rcpt.test"}, Raw: p.sign(t, domain, raw),
	}, 1}
}

// waited is how long messages waited at their end.
type waited struct{ middle, longest time.Duration }

func (w waited) String() string {
	return milliseconds(float64(w.middle)) + " / " + milliseconds(float64(w.longest))
}

func waits(t testing.TB, c contender, mails []mail) waited {
	t.Helper()
	var all []time.Duration
	for _, m := range mails {
		w, err := openSlowly(c)
		if err != nil {
			t.Fatal(err)
		}
		results, took, err := w.deliver(m.Message)
		if err = errors.Join(err, w.close()); err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if !passes(results, m.signatures) {
			t.Errorf("%s: not verified: %s", c.name, results)
		}
		all = append(all, took)
	}
	if len(all) == 0 {
		return waited{}
	}
	slices.Sort(all)
	return waited{all[len(all)/2], all[len(all)-1]}
}

// openSlowly connects to the filters as an MTA whose sender is slow.
func openSlowly(c contender) (w way, err error) {
	profile := miltertest.Postfix()
	profile.Nagle = true
	for _, p := range c.filters {
		nc, err := net.Dial("unix", p.socket)
		if err != nil {
			return nil, errors.Join(err, w.close())
		}
		conn, err := miltertest.New(slow{nc}, profile)
		if err != nil {
			return nil, errors.Join(err, w.close())
		}
		w = append(w, conn)
	}
	return w, nil
}

// slow is a connection on which a body arrives in pieces.
type slow struct{ net.Conn }

func (s slow) Write(packet []byte) (int, error) {
	if len(packet) < 5 || packet[4] != miltertest.CmdBody {
		return s.Conn.Write(packet)
	}
	const pieces = 6
	written := 0
	for piece := range slices.Chunk(packet, len(packet)/pieces+1) {
		time.Sleep(bodyTakes / pieces)
		n, err := s.Conn.Write(piece)
		written += n
		if err != nil {
			return written, err
		}
	}
	return written, nil
}
