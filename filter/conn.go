package filter

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"log/slog"
	"net"
	"sync/atomic"
	"time"
)

const (
	readBuffer = 4096
	// keptBuffer is the most that is kept of a buffer when a message is over.
	keptBuffer = 8192
	// replyPending is how much is written before the MTA is next listened to.
	replyPending = 32 << 10
)

// conn is the connection of one MTA as the milter library sees it: a stream of
// whole and sound frames. One goroutine reads and writes it; Close may be
// called by any.
type conn struct {
	net.Conn
	log    *slog.Logger
	limits Limits
	peer   string
	in     *bufio.Reader
	midway bool   // a frame has begun to arrive
	buffer []byte // the frame last read
	frame  []byte // what of it the library has not read yet
	body   int    // octets of a body chunk that it may read straight from in
	out    []byte // answers not yet written
	agreed agreement
	stated bool // the answer to the negotiation has been corrected

	inMail   bool   // between MAIL and the end of the message
	headed   bool   // the header section is over
	sender   string // argument of the last MAIL, as sent
	last     []byte // a chunk that came with end-of-message: nobody waits for an answer to it
	finished bool   // end-of-message was handed over: the library's header list is to be cleared

	state *state
}

// state is what the server knows about a connection.
type state struct {
	busy     atomic.Bool // a message is in flight
	draining atomic.Bool // no further message is wanted
	// working is when the command under way was received, in nanoseconds since
	// the epoch; 0 while we wait for the next.
	working atomic.Int64
}

func newConn(c net.Conn, log *slog.Logger, limits Limits) *conn {
	wrapped := &conn{Conn: c, log: log, limits: limits, peer: peerOf(c), state: &state{}}
	wrapped.in = bufio.NewReaderSize(rawReader{wrapped, newQuickAck(c)}, readBuffer)
	return wrapped
}

// rawReader reads from the network, within the time that is due.
type rawReader struct {
	*conn
	quick quickAck
}

func (r rawReader) Read(p []byte) (int, error) {
	limit := r.limits.Idle
	if r.midway {
		limit = r.limits.Stage
	}
	if err := r.Conn.SetReadDeadline(time.Now().Add(limit)); err != nil {
		return 0, err
	}
	n, err := r.Conn.Read(p)
	r.quick.again()
	return n, err
}

// Read gives the library the next octets of sound frames. Every error has been
// logged and is io.EOF for the library.
func (c *conn) Read(p []byte) (int, error) {
	if c.body > 0 && len(c.frame) == 0 {
		n, err := c.in.Read(p[:min(len(p), c.body)])
		c.body -= n
		if err != nil {
			return n, c.fail(err)
		}
		c.midway = c.body > 0
		return n, nil
	}
	for len(c.frame) == 0 {
		if err := c.next(); err != nil {
			return 0, c.fail(err)
		}
	}
	n := copy(p, c.frame)
	c.frame = c.frame[n:]
	return n, nil
}

// fail writes the one line about a connection that ends otherwise than by
// QUIT.
func (c *conn) fail(err error) error {
	switch {
	case err == io.EOF && !c.midway && !c.inMail:
	case c.state.draining.Load():
	default:
		c.log.Warn("milter connection closed", "peer", c.RemoteAddr().String(), "error", err)
	}
	return io.EOF
}

// negotiate reads the offer of the MTA and leaves it for the library to answer.
func (c *conn) negotiate() (agreement, error) {
	cmd, data, err := c.readFrame()
	if err != nil {
		return agreement{}, err
	}
	if cmd != cmdOptNeg {
		return agreement{}, fmt.Errorf("%w: %q before the negotiation", errOrder, cmd)
	}
	if c.agreed, err = agree(data); err != nil {
		return agreement{}, err
	}
	c.pass(cmd, data)
	return c.agreed, nil
}

// next reads one frame, checks it and makes it what the library can digest.
func (c *conn) next() error {
	c.state.working.Store(0)
	if c.last != nil {
		c.pass(cmdEnd, nil) // after the chunk that came with it
		c.last, c.finished = nil, true
		return nil
	}
	if c.finished {
		// The library piles header fields up until ABORT, which Sendmail does not
		// send after a message.
		c.finished, c.inMail = false, false
		c.pass(cmdAbort, nil)
		return nil
	}
	if err := c.flush(); err != nil {
		return err
	}
	if !c.inMail {
		c.idle()
		if c.state.draining.Load() {
			return io.EOF
		}
	}
	cmd, data, err := c.readFrame()
	if err != nil {
		return err
	}
	c.state.working.Store(time.Now().UnixNano())
	return c.handle(cmd, data)
}

// idle ends a message: the server may close the connection now, and large
// buffers go.
func (c *conn) idle() {
	c.state.busy.Store(false)
	if cap(c.buffer) > keptBuffer {
		c.buffer = nil
	}
	if cap(c.out) > keptBuffer {
		c.out = nil
	}
}

// readFrame reads one frame and checks it; of a body chunk it reads only the
// head. The data is valid until the next frame is read.
func (c *conn) readFrame() (cmd byte, data []byte, err error) {
	var head [4]byte
	if _, err := io.ReadFull(c.in, head[:1]); err != nil {
		return 0, nil, err
	}
	c.midway = true
	if _, err := io.ReadFull(c.in, head[1:]); err != nil {
		return 0, nil, err
	}
	size := binary.BigEndian.Uint32(head[:])
	if size == 0 || size > uint32(c.limits.FrameBytes) {
		return 0, nil, fmt.Errorf("%w: %d octets", errFrameSize, size)
	}
	if cmd, err = c.in.ReadByte(); err != nil {
		return 0, nil, err
	}
	length := int(size) - 1
	if cmd == cmdBody {
		c.body = length
		c.midway = length > 0
		return cmd, nil, check(cmd, nil, c.inMail)
	}
	c.buffer = append(c.buffer[:0], make([]byte, length)...)
	if _, err := io.ReadFull(c.in, c.buffer); err != nil {
		return 0, nil, err
	}
	c.midway = false
	if cmd == cmdOptNeg {
		return cmd, c.buffer, nil
	}
	return cmd, c.buffer, check(cmd, c.buffer, c.inMail)
}

// handle passes a frame on to the library, or does what the library cannot.
func (c *conn) handle(cmd byte, data []byte) error {
	switch cmd {
	case cmdOptNeg:
		return fmt.Errorf("%w: second negotiation", errOrder)
	case cmdBody:
		c.frame = append(c.frame, 0, 0, 0, 0, cmdBody)
		binary.BigEndian.PutUint32(c.frame, uint32(c.body)+1)
		return nil
	case cmdConnect:
		data = bareIPv6(data)
	case cmdMail:
		c.state.busy.Store(true)
		if c.state.draining.Load() {
			return io.EOF
		}
		c.inMail, c.headed = true, false
		arg, _, _ := bytes.Cut(data, []byte{0})
		c.sender = string(arg)
	case cmdHeader, cmdEOH:
		if c.headed {
			return fmt.Errorf("%w: %q after the end of the header", errOrder, cmd)
		}
		c.headed = cmd == cmdEOH
	case cmdAbort:
		c.inMail = false
	case cmdEnd:
		if len(data) > 0 {
			// Old MTAs send the last chunk with the end of the message.
			c.last = data
			c.pass(cmdBody, data)
			return nil
		}
		c.finished = true
	case cmdUnknown:
		if !c.agreed.has(protoNoUnknownReply) {
			c.out = append(c.out, 0, 0, 0, 1, 'c')
		}
		return nil
	case cmdQuitNC:
		c.inMail = false
		cmd, data = cmdAbort, nil // the next CONNECT begins anew
	}
	c.pass(cmd, data)
	return nil
}

// pass makes a frame the next that the library reads.
func (c *conn) pass(cmd byte, data []byte) {
	frame := make([]byte, 0, 5+len(data))
	frame = binary.BigEndian.AppendUint32(frame, uint32(len(data))+1)
	c.frame = append(append(frame, cmd), data...)
}

// Write takes answers of the library. They leave together, when the MTA is next
// listened to.
func (c *conn) Write(p []byte) (int, error) {
	c.out = append(c.out, p...)
	if !c.stated && len(c.out) >= 9 {
		// The library answers every negotiation with version 2.
		binary.BigEndian.PutUint32(c.out[5:], c.agreed.version)
		c.stated = true
	}
	if len(c.out) >= replyPending {
		if err := c.flush(); err != nil {
			return 0, err
		}
	}
	return len(p), nil
}

func (c *conn) flush() error {
	if len(c.out) == 0 {
		return nil
	}
	if err := c.Conn.SetWriteDeadline(time.Now().Add(c.limits.Stage)); err != nil {
		return err
	}
	_, err := c.Conn.Write(c.out)
	c.out = c.out[:0]
	return err
}
