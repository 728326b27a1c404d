package filter

import (
	"cmp"
	"errors"
	"net"
	"sync"
	"time"
)

// Limits bound what MTAs and senders can make us keep. A field that is zero has
// its value of DefaultLimits.
type Limits struct {
	Sessions     int           // open connections
	PeerSessions int           // of these, those of one host; all over unix sockets are of one
	Messages     int           // messages in flight
	HeaderFields int           // fields of one message
	HeaderBytes  int           // their names and values, in octets
	FrameBytes   int           // one packet of the MTA, from MinFrameBytes to MaxFrameBytes
	Stage        time.Duration // the rest of a packet that has begun, or the acceptance of an answer
	Idle         time.Duration // an MTA that says nothing
}

// DefaultLimits are what a busy host needs, and a bit. Idle is as long as Sendmail
// lets a client be.
func DefaultLimits() Limits {
	return Limits{
		Sessions: 5000, PeerSessions: 5000, Messages: 2000,
		HeaderFields: 2000, HeaderBytes: 1 << 20,
		FrameBytes: MaxFrameBytes,
		Stage:      time.Minute, Idle: 2*time.Hour + 10*time.Second,
	}
}

// The bounds of Limits.FrameBytes: a body chunk is 64 KiB, and the library takes
// no more than 1 MiB.
const (
	MinFrameBytes = 72 << 10
	MaxFrameBytes = 1 << 20
)

func (l Limits) withDefaults() Limits {
	d := DefaultLimits()
	return Limits{
		Sessions: cmp.Or(l.Sessions, d.Sessions), PeerSessions: cmp.Or(l.PeerSessions, d.PeerSessions), Messages: cmp.Or(l.Messages, d.Messages),
		HeaderFields: cmp.Or(l.HeaderFields, d.HeaderFields), HeaderBytes: cmp.Or(l.HeaderBytes, d.HeaderBytes),
		FrameBytes: max(MinFrameBytes, min(cmp.Or(l.FrameBytes, d.FrameBytes), MaxFrameBytes)),
		Stage:      cmp.Or(l.Stage, d.Stage), Idle: cmp.Or(l.Idle, d.Idle),
	}
}

// Why a message is not examined: a limit is passed.
var (
	errSessions     = errors.New("too many sessions")
	errPeerSessions = errors.New("too many sessions of one host")
	errMessages     = errors.New("too many messages in flight")
	// errHeader is the sender's doing. Such a message is never accepted, or anybody
	// could have his accepted unexamined.
	errHeader = errors.New("header section too large")
)

// overloaded reports whether a limit is why.
func overloaded(why error) bool {
	return errors.Is(why, errSessions) || errors.Is(why, errPeerSessions) || errors.Is(why, errMessages) || errors.Is(why, errHeader)
}

// turnedAway is how many times as many connections as may be open are answered
// with a deferral; more are closed at once.
const turnedAway = 2

// crowd counts the connections and messages there are. It is safe for concurrent
// use.
type crowd struct {
	mu       sync.Mutex
	sessions int
	peers    map[string]int
	messages int
}

// enter counts a connection; it reports whether it may stay to be answered.
func (c *crowd) enter(peer string, l Limits) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.sessions >= turnedAway*l.Sessions {
		return false
	}
	if c.peers == nil {
		c.peers = map[string]int{}
	}
	c.sessions++
	c.peers[peer]++
	return true
}

func (c *crowd) leave(peer string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.sessions--
	if c.peers[peer]--; c.peers[peer] == 0 {
		delete(c.peers, peer)
	}
}

// begin counts a message in flight, unless a limit forbids it.
func (c *crowd) begin(peer string, l Limits) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.sessions > l.Sessions:
		return errSessions
	case c.peers[peer] > l.PeerSessions:
		return errPeerSessions
	case c.messages >= l.Messages:
		return errMessages
	}
	c.messages++
	return nil
}

func (c *crowd) end() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.messages--
}

// peerOf is the host that a connection is from.
func peerOf(c net.Conn) string {
	if host, _, err := net.SplitHostPort(c.RemoteAddr().String()); err == nil {
		return host
	}
	return "" // a unix socket
}
