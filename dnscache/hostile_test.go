package dnscache

import (
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"
)

// serve runs handler as a name server over UDP and TCP until the test ends.
func serve(t testing.TB, handler dns.HandlerFunc) (addr string) {
	t.Helper()
	packets, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr = packets.LocalAddr().String()
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		packets.Close()
		return serve(t, handler) // the TCP port is taken
	}
	for _, server := range []*dns.Server{{PacketConn: packets, Handler: handler}, {Listener: listener, Handler: handler}} {
		started, stopped := make(chan struct{}), make(chan struct{})
		server.NotifyStartedFunc = func() { close(started) }
		go func() {
			defer close(stopped)
			server.ActivateAndServe()
		}()
		<-started
		t.Cleanup(func() {
			server.Shutdown()
			<-stopped
		})
	}
	return addr
}

func isTCP(w dns.ResponseWriter) bool {
	_, tcp := w.RemoteAddr().(*net.TCPAddr)
	return tcp
}

// respond returns a proper response with records given as zone text.
func respond(query *dns.Msg, records ...string) *dns.Msg {
	reply := new(dns.Msg).SetReply(query)
	reply.RecursionAvailable = true
	reply.Compress = true
	for _, record := range records {
		rr, err := dns.NewRR(record)
		if err != nil {
			panic(err)
		}
		reply.Answer = append(reply.Answer, rr)
	}
	return reply
}

func pack(m *dns.Msg) []byte {
	wire, err := m.Pack()
	if err != nil {
		panic(err)
	}
	return wire
}

// TestSpoofed sends datagrams before the answer that are none: they must be
// passed over, and alone they are silence.
func TestSpoofed(t *testing.T) {
	passes := func(what string, spoof func(query *dns.Msg) []byte) {
		t.Helper()
		honest := serve(t, func(w dns.ResponseWriter, query *dns.Msg) {
			w.Write(spoof(query))
			w.WriteMsg(respond(query, "x. 60 IN TXT true"))
		})
		if got := resolve(New(Config{Servers: servers(honest)}), t.Context(), "TXT", "x"); got != `"true"` {
			t.Errorf("%s, then the answer: got %s", what, got)
		}
		silent := serve(t, func(w dns.ResponseWriter, query *dns.Msg) { w.Write(spoof(query)) })
		r := New(Config{Servers: servers(silent), Timeout: 30 * time.Millisecond})
		if got := resolve(r, t.Context(), "TXT", "x"); got != "timeout" {
			t.Errorf("%s: got %s, want timeout", what, got)
		}
	}
	passes("wrong id", func(query *dns.Msg) []byte {
		m := respond(query, "x. 60 IN TXT forged")
		m.Id++
		return pack(m)
	})
	passes("wrong name", func(query *dns.Msg) []byte {
		m := respond(query, "x. 60 IN TXT forged")
		m.Question[0].Name = "y."
		return pack(m)
	})
	passes("wrong type", func(query *dns.Msg) []byte {
		m := respond(query, "x. 60 IN TXT forged")
		m.Question[0].Qtype = dns.TypeA
		return pack(m)
	})
	passes("wrong class", func(query *dns.Msg) []byte {
		m := respond(query, "x. 60 IN TXT forged")
		m.Question[0].Qclass = dns.ClassCHAOS
		return pack(m)
	})
	passes("two questions", func(query *dns.Msg) []byte {
		m := respond(query, "x. 60 IN TXT forged")
		m.Question = append(m.Question, m.Question[0])
		return pack(m)
	})
	passes("no question", func(query *dns.Msg) []byte {
		m := respond(query, "x. 60 IN TXT forged")
		m.Question = nil
		return pack(m)
	})
	passes("no response", func(query *dns.Msg) []byte {
		m := respond(query, "x. 60 IN TXT forged")
		m.Response = false
		return pack(m)
	})
	passes("wrong opcode", func(query *dns.Msg) []byte {
		m := respond(query, "x. 60 IN TXT forged")
		m.Opcode = dns.OpcodeNotify
		return pack(m)
	})
	passes("short", func(*dns.Msg) []byte { return []byte("short") })
	passes("empty", func(*dns.Msg) []byte { return nil })
}

// TestRefusedAnswers has answers that are ours but cannot be used. The look-up
// fails at once, not by a time-out, and the next server is asked.
func TestRefusedAnswers(t *testing.T) {
	good := serve(t, func(w dns.ResponseWriter, query *dns.Msg) { w.WriteMsg(respond(query, "x. 60 IN TXT good")) })
	refuses := func(what, want string, bad func(query *dns.Msg, tcp bool) []byte) {
		t.Helper()
		addr := serve(t, func(w dns.ResponseWriter, query *dns.Msg) { w.Write(bad(query, isTCP(w))) })
		r := New(Config{Servers: servers(addr), Timeout: time.Minute})
		_, err := r.TXT(t.Context(), "x")
		if err == nil || kind(err) != "temporary" || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want a temporary error with %q", what, err, want)
		}
		r = New(Config{Servers: servers(addr, good), Timeout: time.Minute})
		if got := resolve(r, t.Context(), "TXT", "x"); got != `"good"` {
			t.Errorf("%s: got %s from the next server", what, got)
		}
	}
	rcode := func(code int) func(*dns.Msg, bool) []byte {
		return func(query *dns.Msg, _ bool) []byte { return pack(new(dns.Msg).SetRcode(query, code)) }
	}
	refuses("SERVFAIL", "SERVFAIL", rcode(dns.RcodeServerFailure))
	refuses("FORMERR", "FORMERR", rcode(dns.RcodeFormatError))
	refuses("unknown rcode", "RCODE14", rcode(14))
	refuses("bare header", "REFUSED", func(query *dns.Msg, _ bool) []byte {
		m := new(dns.Msg).SetRcode(query, dns.RcodeRefused)
		m.Question = nil
		return pack(m)
	})
	refuses("cut in a record", "malformed", func(query *dns.Msg, _ bool) []byte {
		wire := pack(respond(query, "x. 60 IN TXT forged"))
		return wire[:len(wire)-1]
	})
	refuses("cut between records", errCut.Error(), func(query *dns.Msg, _ bool) []byte {
		wire := pack(respond(query, "x. 60 IN TXT forged"))
		wire[7]++ // ANCOUNT
		return wire
	})
	refuses("cut before the authority section", errCut.Error(), func(query *dns.Msg, _ bool) []byte {
		wire := pack(respond(query))
		wire[9]++ // NSCOUNT
		return wire
	})
	refuses("truncated over TCP", errTC.Error(), func(query *dns.Msg, _ bool) []byte {
		m := respond(query, "x. 60 IN TXT forged")
		m.Truncated = true
		return pack(m)
	})
	refuses("wrong question over TCP", errNotOurs.Error(), func(query *dns.Msg, tcp bool) []byte {
		m := respond(query, "x. 60 IN TXT forged")
		m.Truncated = true
		if tcp {
			m.Question[0].Name = "y."
		}
		return pack(m)
	})
	refuses("garbage over TCP", "malformed", func(query *dns.Msg, tcp bool) []byte {
		m := respond(query, "x. 60 IN TXT forged")
		m.Truncated = true
		if wire := pack(m); !tcp {
			return wire
		}
		m.Truncated = false
		wire := pack(m)
		return wire[:len(wire)-1]
	})
	refuses("records for an absent name", errMixed.Error(), func(query *dns.Msg, _ bool) []byte {
		m := respond(query, "x. 60 IN TXT forged")
		m.Rcode = dns.RcodeNameError
		return pack(m)
	})
	refuses("record without data", errRecord.Error(), func(query *dns.Msg, _ bool) []byte {
		m := respond(query)
		m.Answer = []dns.RR{&dns.ANY{Hdr: dns.RR_Header{Name: "x.", Rrtype: dns.TypeTXT, Class: dns.ClassINET}}}
		return pack(m)
	})
	refuses("referral", errReferral.Error(), func(query *dns.Msg, _ bool) []byte {
		m := respond(query)
		ns, _ := dns.NewRR("x. 60 IN NS ns.x.")
		m.Ns = []dns.RR{ns}
		return pack(m)
	})
	refuses("empty and not resolved", errReferral.Error(), func(query *dns.Msg, _ bool) []byte {
		m := respond(query)
		m.RecursionAvailable = false
		return pack(m)
	})
	refuses("chain not followed", errReferral.Error(), func(query *dns.Msg, _ bool) []byte {
		m := respond(query, "x. 60 IN CNAME elsewhere.")
		m.RecursionAvailable, m.Authoritative = false, true
		return pack(m)
	})
	refuses("loop", errChain.Error(), func(query *dns.Msg, _ bool) []byte {
		return pack(respond(query, "x. 60 IN CNAME y.", "y. 60 IN CNAME x."))
	})
}

// TestCutDatagram has a server that cuts the datagram itself and says so.
func TestCutDatagram(t *testing.T) {
	addr := serve(t, func(w dns.ResponseWriter, query *dns.Msg) {
		m := respond(query, "x. 60 IN TXT whole")
		m.Truncated = !isTCP(w)
		wire := pack(m)
		if m.Truncated {
			wire = wire[:len(wire)-3]
		}
		w.Write(wire)
	})
	if got := resolve(New(Config{Servers: servers(addr)}), t.Context(), "TXT", "x"); got != `"whole"` {
		t.Errorf("got %s", got)
	}
}

// TestLostDatagram loses the first one.
func TestLostDatagram(t *testing.T) {
	lost := make(chan uint16, 1)
	addr := serve(t, func(w dns.ResponseWriter, query *dns.Msg) {
		select {
		case lost <- query.Id:
		default:
			w.WriteMsg(respond(query, "x. 60 IN TXT again"))
		}
	})
	r := New(Config{Servers: servers(addr), Timeout: 1500 * time.Millisecond})
	if got := resolve(r, t.Context(), "TXT", "x"); got != `"again"` {
		t.Errorf("got %s", got)
	}
}

// TestQuery looks at what is sent.
func TestQuery(t *testing.T) {
	ids, queries := map[uint16]bool{}, make(chan *dns.Msg, 1)
	addr := serve(t, func(w dns.ResponseWriter, query *dns.Msg) {
		queries <- query
		w.WriteMsg(respond(query))
	})
	r := New(Config{Servers: servers(addr)})
	for i := range 20 {
		resolve(r, t.Context(), "TXT", fmt.Sprintf("N%d", i))
		query := <-queries
		ids[query.Id] = true
		question := query.Question[0]
		want := dns.Question{Name: fmt.Sprintf("n%d.", i), Qtype: dns.TypeTXT, Qclass: dns.ClassINET}
		if opt := query.IsEdns0(); question != want || !query.RecursionDesired || opt == nil || opt.UDPSize() != udpSize {
			t.Errorf("sent %v", query)
		}
	}
	if len(ids) < 15 {
		t.Errorf("%d ids in 20 queries", len(ids))
	}
}
