package filter

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/emersion/go-milter"

	"assay/policy"
	"assay/verify"
	"assay/verify/authres"
)

// Settings is what a session works by. It is not changed once in use: a reload makes
// a new one, and sessions keep what they began with.
type Settings struct {
	ID       string // authserv-id our results are stated under
	Verifier *verify.Verifier
	Rules    *policy.Rules
	// Shadow is a policy to try: it judges every message that is examined to its
	// end too, and what it would do otherwise is logged and counted. It may be nil.
	Shadow *policy.Rules
	// MaxRejects is how many per cent of the messages of the last
	// RejectWindow may be refused before refusing stops; 0 and 100 are off.
	MaxRejects int
	// WhenUnable is what a message gets that we failed to examine: policy.Accept
	// or policy.Defer.
	WhenUnable policy.Action
	Limits     Limits
	Privacy    Privacy  // how much of addresses is logged
	Recorder   Recorder // told of every message; it may be nil

	// What follows from them, and what is counted while they are in force.
	id      authres.ID
	headers []string // fields that rules add
	brake   *brake
	tally   *tally
}

// Server is the milter. Its methods are safe for concurrent use.
type Server struct {
	log      *slog.Logger
	settings atomic.Pointer[Settings]
	debug    atomic.Pointer[Debug]
	counters
	crowd  crowd
	chunks sync.Pool // of *[chunkBuffer]byte
	// cut ends when messages in flight are cut off, and with it what they wait for.
	cut    context.Context
	cutOff context.CancelFunc

	mu        sync.Mutex
	listeners []net.Listener
	conns     map[*conn]struct{}
	closing   bool
	stopping  chan struct{} // closed when closing
	gone      chan struct{} // closed when closing and the last connection is gone
}

// NewServer returns a server that works by the given settings and logs one
// line for each message.
func NewServer(log *slog.Logger, s Settings) *Server {
	server := &Server{log: log, conns: make(map[*conn]struct{}), gone: make(chan struct{}), stopping: make(chan struct{})}
	server.cut, server.cutOff = context.WithCancel(context.Background())
	server.chunks.New = func() any { return new([chunkBuffer]byte) }
	server.Use(s)
	return server
}

// Use makes later sessions work by other settings.
func (s *Server) Use(settings Settings) {
	settings.id = authres.NewID(settings.ID)
	settings.Limits = settings.Limits.withDefaults()
	settings.headers = settings.Rules.Headers()
	settings.brake = &brake{limit: settings.MaxRejects}
	var before *tally
	if old := s.settings.Load(); old != nil {
		before = old.tally
	}
	settings.tally = newTally(settings.Rules, before)
	s.settings.Store(&settings)
}

// Serve accepts connections from l until Shutdown, and returns nil then. It
// owns l.
func (s *Server) Serve(l net.Listener) error {
	defer l.Close()
	s.mu.Lock()
	if s.closing {
		s.mu.Unlock()
		return nil
	}
	s.listeners = append(s.listeners, l)
	s.mu.Unlock()
	for tries := 0; ; {
		accepted, err := l.Accept()
		switch {
		case err == nil:
			tries = 0
			s.take(accepted)
		case s.isClosing():
			return nil
		case !passing(err):
			return err
		default:
			s.pause(tries, err)
			tries++
		}
	}
}

// passing reports whether an error of Accept goes by: there are too many open
// files, or the client has gone already.
func passing(err error) bool {
	for _, e := range []error{syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS, syscall.ENOMEM, syscall.ECONNABORTED, syscall.EINTR} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

// The pauses after an error of Accept: the first, and the longest.
const (
	firstPause   = 5 * time.Millisecond
	longestPause = time.Second
)

// pause waits before the next connection is accepted, longer each time, and no
// longer than until Shutdown. MTAs wait meanwhile.
func (s *Server) pause(tries int, why error) {
	if tries == 0 {
		s.log.Error("cannot accept connections, trying again", "error", why)
	}
	timer := time.NewTimer(min(firstPause<<min(tries, 16), longestPause))
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-s.stopping:
	}
}

// take begins a session, or closes the connection at once where there are far too
// many.
func (s *Server) take(accepted net.Conn) {
	limits := s.settings.Load().Limits
	c := newConn(accepted, s.log, limits, &s.chunks)
	if !s.crowd.enter(c.peer, limits) {
		s.turnedAway.Add(1)
		s.log.Error("connection closed: far too many sessions", "peer", accepted.RemoteAddr().String(), "limit", limits.Sessions)
		accepted.Close()
		return
	}
	if !s.enter(c) {
		s.crowd.leave(c.peer)
		accepted.Close()
		return
	}
	go s.converse(c)
}

func (s *Server) isClosing() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.closing
}

func (s *Server) enter(c *conn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.closing {
		s.conns[c] = struct{}{}
		s.accepted.Add(1)
	}
	return !s.closing
}

func (s *Server) leave(c *conn) {
	s.crowd.leave(c.peer)
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.conns, c)
	if s.closing && len(s.conns) == 0 {
		s.release()
	}
}

// release tells Shutdown that nobody is left; s.mu is held.
func (s *Server) release() {
	select {
	case <-s.gone:
	default:
		close(s.gone)
	}
}

// converse negotiates with one MTA and leaves the rest to a library server of
// its own, which knows this one session only. The library would build a new
// backend after some answers; here it gets the same again, and with it the client's
// address.
func (s *Server) converse(c *conn) {
	agreed, err := c.negotiate()
	if err != nil {
		c.fail(err)
		c.Close()
		s.leave(c)
		return
	}
	if !agreed.canEdit() {
		s.cannotEdit.Add(1)
		s.log.Error("the MTA does not allow header changes: its messages are deferred", "peer", c.RemoteAddr().String())
	}
	session := newSession(s, c)
	c.session = session
	library := milter.Server{
		NewMilter: func() milter.Milter { return session },
		Actions:   agreed.actions,
		Protocol:  agreed.protocol,
		SymList:   macros(),
	}
	// Serve returns as soon as the one connection has been handed over.
	_ = library.Serve(&handover{conn: &tracked{conn: c, session: session}})
}

// handover is a listener that accepts one connection.
type handover struct {
	conn net.Conn
}

func (h *handover) Accept() (net.Conn, error) {
	if h.conn == nil {
		return nil, net.ErrClosed
	}
	c := h.conn
	h.conn = nil
	return c, nil
}

func (h *handover) Close() error   { return nil }
func (h *handover) Addr() net.Addr { return nil }

// tracked tells the server when the library is done with a connection.
type tracked struct {
	*conn
	session *session
	once    sync.Once
}

func (t *tracked) Close() error {
	err := t.conn.Close()
	t.once.Do(func() {
		t.session.end()
		t.session.server.leave(t.conn)
	})
	return err
}

// Shutdown stops to accept, closes the connections that are between two
// messages, and waits until those with a message in flight have finished it or ctx
// is done, which closes them too; ctx's error is returned then.
func (s *Server) Shutdown(ctx context.Context) error {
	s.mu.Lock()
	if !s.closing {
		s.closing = true
		close(s.stopping)
	}
	for _, l := range s.listeners {
		l.Close()
	}
	for c := range s.conns {
		c.state.draining.Store(true)
		if !c.state.busy.Load() {
			c.Close()
		}
	}
	if len(s.conns) == 0 {
		s.release()
	}
	s.mu.Unlock()

	select {
	case <-s.gone:
		return nil
	case <-ctx.Done():
	}
	s.mu.Lock()
	for c := range s.conns {
		c.Close()
	}
	s.mu.Unlock()
	s.cutOff()
	<-s.gone
	return errors.Join(errors.New("messages in flight were cut off"), ctx.Err())
}
