package dnscache

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"

	"github.com/miekg/dns"
)

// udpSize is the size of UDP answer that we ask for, in octets: one that no
// path has to fragment.
const udpSize = 1232

var (
	errNotOurs = errors.New("the answer is to another question")
	errCut     = errors.New("malformed answer: records are missing")
)

// newQuery returns the message that asks q. authenticated asks the server to
// say whether it vouches for the answer.
func newQuery(q question, authenticated bool) *dns.Msg {
	// The library draws the id from crypto/rand.
	query := new(dns.Msg).SetQuestion(q.wire(), q.qtype)
	query.SetEdns0(udpSize, false)
	// RFC 6840 §5.7: the AD bit of a query says that we understand that of the
	// answer.
	query.AuthenticatedData = authenticated
	return query
}

// mixCase returns name with the case of its letters at random: what somebody
// who cannot see the query has to guess too ("0x20"). The generator is seeded by the
// system and cannot be foretold.
func mixCase(name string) string {
	mixed := []byte(name)
	for i, c := range mixed {
		if (c|0x20) >= 'a' && (c|0x20) <= 'z' {
			mixed[i] = c ^ byte(rand.Uint32()&0x20)
		}
	}
	return string(mixed)
}

// parse reads a message of at least 12 octets. Where it fails, what it returns
// is good for its header and question only.
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

// keepsCase reports whether a response has the name as the query wrote it.
func keepsCase(reply, query *dns.Msg) bool {
	return len(reply.Question) == 0 || reply.Question[0].Name == query.Question[0].Name
}
