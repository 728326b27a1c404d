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
	conn    *dns.Conn              // nil until connected
	err     error                  // why it is done
	pending map[uint16]chan []byte // each has room for its answer
}

func openLink(s *stream) *link {
	ctx, cancel := context.WithCancel(context.Background())
	l := &link{
		timeout: s.timeout, ready: make(chan struct{}), done: make(chan struct{}),
		cancel: cancel, pending: map[uint16]chan []byte{},
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
	query = query.Copy()
	answer, err := l.enter(query)
	if err != nil {
		return nil, err
	}
	if err := l.write(query); err != nil {
		err = fmt.Errorf("%w: %w", errClosed, err)
		l.fail(err)
		return nil, err
	}
	select {
	case packet := <-answer:
		return understand(packet, query)
	case <-l.done:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	select {
	case packet := <-answer: // the last one before the end
		return understand(packet, query)
	default:
		return nil, l.err
	}
}

// understand reads the packet that came under the id of query.
func understand(packet []byte, query *dns.Msg) (*dns.Msg, error) {
	reply, err := parse(packet)
	if !answers(reply, query) {
		return nil, &unusable{errNotOurs}
	}
	if err != nil {
		return nil, &unusable{err}
	}
	return reply, nil
}

// enter gives query an id that is free.
func (l *link) enter(query *dns.Msg) (answer <-chan []byte, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.err != nil {
		return nil, l.err
	}
	for taken := true; taken; {
		var id [2]byte
		rand.Read(id[:]) // never fails
		query.Id = binary.BigEndian.Uint16(id[:])
		_, taken = l.pending[query.Id]
	}
	room := make(chan []byte, 1)
	l.pending[query.Id] = room
	if len(l.pending) == 1 {
		l.extend()
	}
	return room, nil
}

func (l *link) write(query *dns.Msg) error {
	l.writing.Lock()
	defer l.writing.Unlock()
	l.conn.SetWriteDeadline(time.Now().Add(l.timeout))
	return l.conn.WriteMsg(query)
}

// deliver hands an answer, of at least 12 octets, to the one who asked for it.
func (l *link) deliver(packet []byte) {
	id := binary.BigEndian.Uint16(packet)
	l.mu.Lock()
	defer l.mu.Unlock()
	room := l.pending[id]
	if room == nil {
		return // nobody asked; the deadline stays what it is
	}
	delete(l.pending, id)
	l.extend()
	room <- packet
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
	first, conn := l.err == nil, l.conn
	if first {
		l.err = err
		close(l.done)
		l.cancel()
	}
	l.mu.Unlock()
	if first && conn != nil {
		conn.Close() // TLS may take seconds to say goodbye
	}
}
