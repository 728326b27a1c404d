package dnscache

import (
	"context"
	"crypto/tls"
	"errors"
	"sync/atomic"
	"time"

	"github.com/miekg/dns"
)

// upstream is one server with what we know about it.
type upstream struct {
	server Server
	name   string // server as text
	stream *stream
	jar    jar
	health
	// lowers is set for a server that does not keep the case of names.
	lowers atomic.Bool
}

// unusable is the error of an answer that is ours and says nothing: asking the
// same server again is of no use.
type unusable struct{ error }

func (u *unusable) Unwrap() error { return u.error }

func newUpstream(s Server, timeout time.Duration, config *tls.Config) *upstream {
	return &upstream{server: s, name: s.String(), stream: newStream(s, timeout, config)}
}

// ask puts q to the server and returns its reply, whatever it says.
func (u *upstream) ask(ctx context.Context, q question, c *Config) (*dns.Msg, error) {
	query := newQuery(q, c.RequireAD)
	if u.server.Network == TCP || u.server.Network == TLS {
		return u.stream.ask(ctx, query)
	}
	mixes := c.MixCase && !u.lowers.Load()
	if mixes {
		query.Question[0].Name = mixCase(query.Question[0].Name)
	}
	reply, err := u.askWithCookie(ctx, query)
	if err != nil {
		return nil, err
	}
	kept := keepsCase(reply, query)
	if kept && keepsCookie(reply, query) && !reply.Truncated && reply.Rcode != dns.RcodeBadCookie {
		return reply, nil
	}
	// RFC 7766 §5: a truncated answer is asked for again over TCP. So is one that
	// does not repeat the case of the name or the cookie, because it may be forged.
	// RFC 7873 §5.3: and where the server likes no cookie.
	reply, err = u.stream.ask(ctx, query)
	if !errors.Is(ctx.Err(), context.Canceled) { // another server was quicker
		u.overTCP(err)
	}
	if err != nil {
		return nil, err
	}
	// Nobody forges over TCP: the server is like that.
	u.jar.take(reply, true)
	if !kept && !keepsCase(reply, query) {
		u.lowers.Store(true)
	}
	return reply, nil
}

// askWithCookie asks once more where the server wants a cookie it has just sent.
func (u *upstream) askWithCookie(ctx context.Context, query *dns.Msg) (reply *dns.Msg, err error) {
	for range 2 {
		u.jar.put(query)
		if reply, err = askUDP(ctx, u.server, query); err != nil {
			return nil, err
		}
		u.jar.take(reply, false)
		if reply.Rcode != dns.RcodeBadCookie {
			break
		}
	}
	return reply, nil
}

// final reports whether err rules out that the same server answers soon.
func final(err error) bool {
	var u *unusable
	return errors.As(err, &u)
}
