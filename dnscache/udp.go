package dnscache

import (
	"context"
	"errors"
	"net"
	"time"

	"github.com/miekg/dns"
)

// askUDP sends query once and waits for its answer until ctx ends. Each query
// has a socket and so a port of its own, which the system draws at random.
func askUDP(ctx context.Context, server Server, query *dns.Msg) (*dns.Msg, error) {
	var dialer net.Dialer
	socket, err := dialer.DialContext(ctx, "udp", server.Addr.String())
	if err != nil {
		return nil, err
	}
	defer socket.Close()
	stop := context.AfterFunc(ctx, func() { socket.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	conn := &dns.Conn{Conn: socket, UDPSize: udpSize}
	if err := conn.WriteMsg(query); err != nil {
		return nil, err
	}
	return receive(conn, query)
}

// receive returns the first datagram that answers query. RFC 5452 §9.1: what
// has another id or question is not an answer; as anybody may have sent it, it
// is no reason to stop waiting for the answer either.
func receive(conn *dns.Conn, query *dns.Msg) (*dns.Msg, error) {
	for {
		packet, err := conn.ReadMsgHeader(nil)
		if errors.Is(err, dns.ErrShortRead) {
			continue
		}
		if err != nil {
			return nil, err
		}
		reply, err := parse(packet)
		if !answers(reply, query) || !cookieFits(reply, query) {
			continue
		}
		if err != nil && !reply.Truncated {
			return nil, &unusable{err}
		}
		return reply, nil
	}
}
