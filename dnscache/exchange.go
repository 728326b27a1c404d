package dnscache

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"time"

	"github.com/miekg/dns"
)

// udpSize is the size of UDP answer that we ask for, in octets: one that no
// path has to fragment.
const udpSize = 1232

var (
	errNotOurs = errors.New("the answer is to another question")
	errCut     = errors.New("malformed answer: records are missing")
)

// exchange asks one server and returns its reply, whatever it says. ctx has a
// deadline.
func exchange(ctx context.Context, server netip.AddrPort, q question) (*dns.Msg, error) {
	// The library draws the id from crypto/rand.
	query := new(dns.Msg).SetQuestion(q.wire(), q.qtype)
	query.SetEdns0(udpSize, false)
	reply, err := exchangeUDP(ctx, server, query)
	if err == nil && reply.Truncated {
		// RFC 7766 §5: a truncated answer is asked for again over TCP.
		reply, err = exchangeTCP(ctx, server, query)
	}
	return reply, err
}

// exchangeUDP sends query, and once more after a third of the time, because one
// lost datagram must not become a failed look-up. Each exchange has a socket
// and so a port of its own.
func exchangeUDP(ctx context.Context, server netip.AddrPort, query *dns.Msg) (*dns.Msg, error) {
	conn, err := dial(ctx, "udp", server)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	deadline, _ := ctx.Deadline()
	again := time.Now().Add(time.Until(deadline) / 3)
	for _, end := range []time.Time{again, deadline} {
		conn.SetDeadline(end)
		if err = conn.WriteMsg(query); err != nil {
			return nil, err
		}
		var reply *dns.Msg
		reply, err = receive(conn, query)
		if !isTimeout(err) {
			return reply, err
		}
	}
	return nil, err
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
		if !answers(reply, query) {
			continue
		}
		if err != nil && !reply.Truncated {
			return nil, err
		}
		return reply, nil
	}
}

func exchangeTCP(ctx context.Context, server netip.AddrPort, query *dns.Msg) (*dns.Msg, error) {
	conn, err := dial(ctx, "tcp", server)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	deadline, _ := ctx.Deadline()
	conn.SetDeadline(deadline)
	if err := conn.WriteMsg(query); err != nil {
		return nil, err
	}
	packet, err := conn.ReadMsgHeader(nil)
	if err != nil {
		return nil, err
	}
	reply, err := parse(packet)
	if !answers(reply, query) {
		return nil, errNotOurs
	}
	return reply, err
}

func dial(ctx context.Context, network string, server netip.AddrPort) (*dns.Conn, error) {
	var dialer net.Dialer
	conn, err := dialer.DialContext(ctx, network, server.String())
	if err != nil {
		return nil, err
	}
	return &dns.Conn{Conn: conn, UDPSize: udpSize}, nil
}

// parse reads a message. Where it fails, what it returns is good for its header
// and question only.
func parse(packet []byte) (*dns.Msg, error) {
	reply := new(dns.Msg)
	if err := reply.Unpack(packet); err != nil {
		return reply, fmt.Errorf("malformed answer: %w", err)
	}
	// The library overlooks records that are announced and missing.
	if int(binary.BigEndian.Uint16(packet[6:])) != len(reply.Answer) ||
		int(binary.BigEndian.Uint16(packet[8:])) != len(reply.Ns) {
		return reply, errCut
	}
	return reply, nil
}

// answers reports whether reply is a response to query.
func answers(reply, query *dns.Msg) bool {
	if !reply.Response || reply.Id != query.Id || reply.Opcode != dns.OpcodeQuery {
		return false
	}
	if len(reply.Question) == 0 {
		// Some servers refuse with a bare header. It can only make us turn to
		// the next server.
		return reply.Rcode != dns.RcodeSuccess && reply.Rcode != dns.RcodeNameError
	}
	got, asked := reply.Question[0], query.Question[0]
	return len(reply.Question) == 1 && got.Qtype == asked.Qtype && got.Qclass == asked.Qclass &&
		strings.EqualFold(got.Name, asked.Name)
}

func isTimeout(err error) bool {
	var e net.Error
	return errors.As(err, &e) && e.Timeout()
}
