package dnscache

import (
	"crypto/rand"
	"encoding/hex"
	"strings"
	"sync"

	"github.com/miekg/dns"
)

// clientCookie is how long our half of a cookie is, in hex digits.
const clientCookie = 16

// maxCookie is how long both halves are at most (RFC 7873 §4), in hex digits.
const maxCookie = 80

// jar keeps the cookie of one server (RFC 7873): a secret that both sides repeat,
// so that nobody who cannot see the traffic can answer in its place.
type jar struct {
	mu     sync.Mutex
	cookie string // hex
}

// put adds the cookie to a query that has an OPT record.
func (j *jar) put(query *dns.Msg) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.cookie == "" {
		ours := make([]byte, clientCookie/2)
		rand.Read(ours) // never fails
		j.cookie = hex.EncodeToString(ours)
	}
	opt := query.IsEdns0()
	opt.Option = []dns.EDNS0{&dns.EDNS0_COOKIE{Code: dns.EDNS0COOKIE, Cookie: j.cookie}}
}

// take keeps the server's half from a reply that fits its query. Where reply has
// none it is forgotten only if reply is sure to be the server's: otherwise who forges
// one reply without cookie is believed the next.
func (j *jar) take(reply *dns.Msg, sure bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	switch cookie := cookieOf(reply); {
	case cookie == "" && sure:
		j.cookie = j.cookie[:min(len(j.cookie), clientCookie)]
	case len(cookie) > clientCookie && len(cookie) <= maxCookie:
		j.cookie = cookie
	}
}

// keepsCookie reports whether a reply that fits its query has a cookie where the
// server's half was sent. One that has none may be forged: leaving it out is
// easier than guessing it.
func keepsCookie(reply, query *dns.Msg) bool {
	return len(cookieOf(query)) <= clientCookie || cookieOf(reply) != ""
}

// cookieFits reports whether reply repeats our half of the cookie of query, or
// has no cookie at all, as servers do that know nothing of them.
func cookieFits(reply, query *dns.Msg) bool {
	got, sent := cookieOf(reply), cookieOf(query)
	return got == "" || sent != "" && strings.HasPrefix(got, sent[:clientCookie])
}

func cookieOf(m *dns.Msg) string {
	if opt := m.IsEdns0(); opt != nil {
		for _, option := range opt.Option {
			if cookie, ok := option.(*dns.EDNS0_COOKIE); ok {
				return cookie.Cookie
			}
		}
	}
	return ""
}
