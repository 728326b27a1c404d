package dnscache

import (
	"context"
	"crypto/tls"
	"errors"
	"sync"
	"time"

	"github.com/miekg/dns"
)

// idle is how long a connection is kept open without questions (RFC 7766 §6.2.3).
const idle = 30 * time.Second

// stream asks one server over TCP or TLS. One connection is kept open and takes
// many questions at a time (RFC 7766 §6.2.1).
type stream struct {
	server  Server
	timeout time.Duration // until connected; between answers when some are due
	config  *tls.Config

	mu   sync.Mutex
	live *link // nil where there is none
}

func newStream(s Server, timeout time.Duration, config *tls.Config) *stream {
	if s.Network == TLS {
		if config = config.Clone(); config == nil {
			config = new(tls.Config)
		}
		// RFC 7858 §3.2 with the strict profile: the certificate is checked.
		config.ServerName = s.Name
		config.MinVersion = tls.VersionTLS12
		config.ClientSessionCache = tls.NewLRUClientSessionCache(1)
	} else {
		config = nil
	}
	return &stream{server: s, timeout: timeout, config: config}
}

// ask asks over the connection, a new one where there is none. A server may close
// one at any time, so a question that it was not the first of is asked once more.
func (s *stream) ask(ctx context.Context, query *dns.Msg) (*dns.Msg, error) {
	l, used := s.link()
	reply, err := l.ask(ctx, query)
	if used && errors.Is(err, errClosed) && ctx.Err() == nil {
		l, _ = s.link()
		reply, err = l.ask(ctx, query)
	}
	return reply, err
}

// link returns the open connection, or one that is about to be.
func (s *stream) link() (l *link, used bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.live != nil && s.live.usable() {
		return s.live, true
	}
	s.live = openLink(s)
	return s.live, false
}

// close closes the connection; questions that are out fail. The next question
// opens another.
func (s *stream) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.live != nil {
		s.live.fail(errClosed)
		s.live = nil
	}
}
