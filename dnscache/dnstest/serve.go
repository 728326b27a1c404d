package dnstest

import (
	"net"
	"testing"
	"time"

	"assay/dnscache/zone"
	"github.com/miekg/dns"
)

// Serve answers from z over UDP and TCP, on one port of 127.0.0.1, until the
// test ends, and returns "127.0.0.1:port". Timeout is silence. What does not
// fit into 512 octets, or the size the client states by EDNS, is truncated over
// UDP. A negative answer carries an SOA record.
func (z *Zone) Serve(t testing.TB) (addr string) {
	t.Helper()
	packets, listener := listen(t)
	z.serveOn(t, packets, listener)
	return packets.LocalAddr().String()
}

// ServeAt is Serve on an address of the caller's, for programs that ask port 53
// and no other.
func (z *Zone) ServeAt(t testing.TB, addr string) {
	t.Helper()
	packets, err := net.ListenPacket("udp", addr)
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	z.serveOn(t, packets, listener)
}

// Delay makes every answer over the wire take so long from now on, as that of a
// distant server.
func (z *Zone) Delay(d time.Duration) { z.delay.Store(int64(d)) }

func (z *Zone) serveOn(t testing.TB, packets net.PacketConn, listener net.Listener) {
	for _, server := range []*dns.Server{
		{PacketConn: packets, Handler: dns.HandlerFunc(z.serve)},
		{Listener: listener, Handler: dns.HandlerFunc(z.serve)},
	} {
		started, stopped := make(chan struct{}), make(chan struct{})
		server.NotifyStartedFunc = func() { close(started) }
		go func() {
			defer close(stopped)
			if err := server.ActivateAndServe(); err != nil {
				t.Errorf("dnstest: %v", err)
			}
		}()
		<-started
		t.Cleanup(func() {
			if err := server.Shutdown(); err != nil {
				t.Errorf("dnstest: %v", err)
			}
			<-stopped
		})
	}
}

// listen opens the same port twice. Another process may hold the TCP port that
// goes with our UDP port, hence the attempts.
func listen(t testing.TB) (net.PacketConn, net.Listener) {
	t.Helper()
	for range 20 {
		packets, err := net.ListenPacket("udp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		if listener, err := net.Listen("tcp", packets.LocalAddr().String()); err == nil {
			return packets, listener
		}
		packets.Close()
	}
	t.Fatal("dnstest: no port is free for both UDP and TCP")
	return nil, nil
}

func (z *Zone) serve(w dns.ResponseWriter, request *dns.Msg) {
	question := request.Question[0]
	if name, ok := zone.Unescape(question.Name); ok {
		z.note(name, question.Qtype)
	}
	if d := time.Duration(z.delay.Load()); d > 0 {
		time.Sleep(d) // each packet has a goroutine of its own
	}
	reply := z.zone.Reply(request)
	if reply.Rcode == silence {
		return
	}
	size := dns.MinMsgSize
	if edns := request.IsEdns0(); edns != nil {
		size = max(size, int(edns.UDPSize()))
		reply.SetEdns0(4096, false)
	}
	if _, tcp := w.RemoteAddr().(*net.TCPAddr); tcp {
		size = dns.MaxMsgSize
	}
	reply.Truncate(size)
	if w.WriteMsg(reply) != nil {
		// The zone holds a name that the wire cannot carry.
		w.WriteMsg(new(dns.Msg).SetRcode(request, dns.RcodeServerFailure))
	}
}
