package dnscache

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/miekg/dns"
)

// maxPending limits the questions of one connection without answer, those
// included that nobody waits for any more. One that reaches it is replaced.
const maxPending = 4096

var errClosed = errors.New("the connection was closed")

// link is one connection. A goroutine of its own opens it, reads from it, and ends
// with it.
type link struct {
	timeout time.Duration
	ready   chan struct{} // closed once connected
	done    chan struct{} // closed once it is of no more use
	cancel  context.CancelFunc

	writing sync.Mutex // held while a query is written

	mu      sync.Mutex
	conn    *dns.Conn // nil until connected
	err     error     // why it is done
	pending map[uint16]*call
}

// call is one question that waits for its answer.
type call struct {
	query *dns.Msg
	reply chan outcome // has room for the answer
}

// outcome is what came of a query.
type outcome struct {
	reply *dns.Msg
	err   error
}

func openLink(s *stream) *link {
	ctx, cancel := context.WithCancel(context.Background())
	l := &link{
		timeout: s.timeout, ready: make(chan struct{}), done: make(chan struct{}),
		cancel: cancel, pending: map[uint16]*call{},
	}
	go l.run(ctx, s)
	return l
}

func (l *link) usable() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.err == nil && len(l.pending) < maxPending
}

// run connects and reads answers until the connection ends.
func (l *link) run(ctx context.Context, s *stream) {
	defer l.cancel()
	conn, err := l.dial(ctx, s)
	if err != nil {
		l.fail(err)
		return
	}
	defer conn.Close()
	l.mu.Lock()
	if l.err != nil { // closed meanwhile
		l.mu.Unlock()
		return
	}
	l.conn = conn
	l.extend()
	l.mu.Unlock()
	close(l.ready)
	for {
		packet, err := conn.ReadMsgHeader(nil)
		if err != nil {
			l.fail(fmt.Errorf("%w: %w", errClosed, err))
			return
		}
		l.deliver(packet)
	}
}

func (l *link) dial(ctx context.Context, s *stream) (*dns.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	var dialer interface {
		DialContext(ctx context.Context, network, addr string) (net.Conn, error)
	} = new(net.Dialer)
	if s.config != nil {
		dialer = &tls.Dialer{Config: s.config}
	}
	conn, err := dialer.DialContext(ctx, "tcp", s.server.Addr.String())
	if err != nil {
		return nil, err
	}
	return &dns.Conn{Conn: conn}, nil
}

// ask sends query, under an id of this connection's, and waits for the answer.
// Where nobody waits any more the id stays taken until the answer comes, so that
// a late one is not taken for another's.
func (l *link) ask(ctx context.Context, query *dns.Msg) (*dns.Msg, error) {
	select {
	case <-l.ready:
	case <-l.done:
		return nil, l.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	c, err := l.enter(query)
	if err != nil {
		return nil, err
	}
	if err := l.write(c.query); err != nil {
		err = fmt.Errorf("%w: %w", errClosed, err)
		l.fail(err)
		return nil, err
	}
	select {
	case o := <-c.reply:
		return o.reply, o.err
	case <-l.done:
		return nil, l.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (l *link) enter(query *dns.Msg) (*call, error) {
	c := &call{query: query.Copy(), reply: make(chan outcome, 1)}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.err != nil {
		return nil, l.err
	}
	for taken := true; taken; {
		var id [2]byte
		rand.Read(id[:]) // never fails
		c.query.Id = binary.BigEndian.Uint16(id[:])
		_, taken = l.pending[c.query.Id]
	}
	l.pending[c.query.Id] = c
	if len(l.pending) == 1 {
		l.extend()
	}
	return c, nil
}

func (l *link) write(query *dns.Msg) error {
	l.writing.Lock()
	defer l.writing.Unlock()
	l.conn.SetWriteDeadline(time.Now().Add(l.timeout))
	return l.conn.WriteMsg(query)
}

// deliver hands an answer to the one who asked for it.
func (l *link) deliver(packet []byte) {
	reply, err := parse(packet)
	l.mu.Lock()
	defer l.mu.Unlock()
	c := l.pending[reply.Id]
	if c == nil {
		return // nobody asked; the deadline stays what it is
	}
	delete(l.pending, reply.Id)
	l.extend()
	switch {
	case !answers(reply, c.query):
		c.reply <- outcome{err: &unusable{errNotOurs}}
	case err != nil:
		c.reply <- outcome{err: &unusable{err}}
	default:
		c.reply <- outcome{reply: reply}
	}
}

// extend sets how long the server may take for the next whole answer. l is
// locked.
func (l *link) extend() {
	wait := idle
	if len(l.pending) > 0 {
		wait = l.timeout
	}
	l.conn.SetReadDeadline(time.Now().Add(wait))
}

// fail ends the connection and whatever waits for it.
func (l *link) fail(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.err != nil {
		return
	}
	l.err = err
	close(l.done)
	l.cancel()
	if l.conn != nil {
		l.conn.Close()
	}
}
