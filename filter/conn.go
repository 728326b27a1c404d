package filter

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"log/slog"
	"net"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/emersion/go-milter"
)

const (
	readBuffer = 4096
	// chunkBuffer is for body chunks, of which Postfix and Sendmail send 64 KiB at
	// a time.
	chunkBuffer = 64 << 10
	// keptBuffer is the most that is kept of a buffer when a message is over.
	keptBuffer = 8192
)

// conn is the connection of one MTA. The library sees of it what it needs: a
// stream of whole and sound frames, without those that it would only copy and
// pile up, which go to the session at once, see [conn.direct]. One goroutine
// reads and writes it; Close may be called by any.
type conn struct {
	net.Conn
	log     *slog.Logger
	limits  Limits
	peer    string
	session *session   // set once the negotiation is over
	chunks  *sync.Pool // of *[chunkBuffer]byte

	raw    rawReader
	in     *bufio.Reader // reads raw
	owed   bool          // what was read last has not been acknowledged
	midway bool          // a frame has begun to arrive
	due    time.Time     // when it must be here; zero until that has to be waited for
	buffer []byte        // the frame last read
	body   int           // octets of a body chunk that are still to come
	frames []byte        // frames for the library
	unread []byte        // what of them the library has not read yet
	out    []byte        // answers not yet written
	agreed agreement
	stated bool // the answer to the negotiation has been corrected

	inMail bool   // between MAIL and the end of the message
	headed bool   // the header section is over
	sender string // argument of the last MAIL, as sent
	stale  bool   // the library still has the macros of a message that is over

	state *state
}

// state is what the server knows about a connection.
type state struct {
	busy     atomic.Bool // a message is in flight
	draining atomic.Bool // no further message is wanted
	began    time.Time
	// working is when the MTA was last heard, in nanoseconds since began, which no
	// change of the clock moves; 0 while we wait for it.
	working atomic.Int64
}

func newConn(c net.Conn, log *slog.Logger, limits Limits, chunks *sync.Pool) *conn {
	wrapped := &conn{Conn: c, log: log, limits: limits, peer: peerOf(c), chunks: chunks, state: &state{began: time.Now()}}
	wrapped.raw = rawReader{wrapped, newQuickAck(c)}
	wrapped.in = bufio.NewReaderSize(wrapped.raw, readBuffer)
	return wrapped
}

// rawReader reads from the network, within the time that is due.
type rawReader struct {
	*conn
	quick quickAck
}

func (r rawReader) Read(p []byte) (int, error) {
	r.state.working.Store(0)
	if r.owed {
		r.quick.again()
		r.owed = false
	}
	deadline := r.due
	switch {
	case !r.midway:
		deadline = time.Now().Add(r.limits.Idle)
	case r.due.IsZero():
		deadline = time.Now().Add(r.limits.Stage)
		r.due = deadline
	}
	if err := r.Conn.SetReadDeadline(deadline); err != nil {
		return 0, err
	}
	n, err := r.Conn.Read(p)
	r.state.working.Store(max(1, int64(time.Since(r.state.began))))
	r.owed = true
	return n, err
}

// Read gives the library the next octets of sound frames. Every error has been
// logged and is io.EOF for the library.
func (c *conn) Read(p []byte) (int, error) {
	for len(c.unread) == 0 {
		if err := c.next(); err != nil {
			return 0, c.fail(err)
		}
	}
	n := copy(p, c.unread)
	c.unread = c.unread[n:]
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

// next reads one frame and sees to it that it is dealt with.
func (c *conn) next() error {
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
	if done, err := c.direct(cmd, data); done || err != nil {
		return err
	}
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
	if cap(c.frames) > keptBuffer {
		c.frames = nil
	}
}

// readFrame reads one frame and checks it; of a body chunk it reads only the
// head. The data is valid until the next frame is read.
func (c *conn) readFrame() (cmd byte, data []byte, err error) {
	var head [4]byte
	if _, err := io.ReadFull(c.in, head[:1]); err != nil {
		return 0, nil, err
	}
	c.midway, c.due = true, time.Time{}
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
	if err := c.fill(length); err != nil {
		return 0, nil, err
	}
	c.midway = false
	if cmd == cmdOptNeg {
		return cmd, c.buffer, nil
	}
	return cmd, c.buffer, check(cmd, c.buffer, c.inMail)
}

// fill reads the data of a frame. The buffer grows with what arrives: to announce a
// large frame costs an MTA five octets.
func (c *conn) fill(length int) error {
	c.buffer = c.buffer[:0]
	for len(c.buffer) < length {
		have := len(c.buffer)
		c.buffer = slices.Grow(c.buffer, min(length-have, max(have, readBuffer)))
		c.buffer = c.buffer[:min(length, cap(c.buffer))]
		if _, err := io.ReadFull(c.in, c.buffer[have:]); err != nil {
			return err
		}
	}
	return nil
}

// direct hands the parts of a message to the session, without the library. It
// reports whether the frame was one of them.
func (c *conn) direct(cmd byte, data []byte) (done bool, err error) {
	switch cmd {
	case cmdRcpt:
		arg, _, _ := bytes.Cut(data, []byte{0})
		c.session.rcpt(path(string(arg)))
		c.answer(milter.OptNoRcptReply)
	case cmdHeader:
		if c.headed {
			return true, fmt.Errorf("%w: %q after the end of the header", errOrder, cmd)
		}
		name, value, _ := strings.Cut(string(data[:len(data)-1]), "\x00")
		c.session.field(name, value)
		c.answer(milter.OptNoHeaderReply)
	case cmdEOH:
		if c.headed {
			return true, fmt.Errorf("%w: %q after the end of the header", errOrder, cmd)
		}
		c.headed = true
		c.session.endOfHeaders()
		c.answer(milter.OptNoEOHReply)
	case cmdBody:
		c.headed = true
		return true, c.readBody()
	case cmdData:
		c.answer(milter.OptNoDataReply)
	case cmdMacro:
		// Postfix sends some before every field.
		return strings.IndexByte(macroStages, data[0]) < 0, nil
	case cmdUnknown:
		c.answer(milter.OptNoUnknownReply)
	default:
		return false, nil
	}
	return true, nil
}

// readBody hands a body chunk to the session as it arrives, and says when no more
// is needed.
func (c *conn) readBody() error {
	more := c.body > 0 || c.session.chunk(nil)
	scratch := c.chunks.Get().(*[chunkBuffer]byte)
	defer c.chunks.Put(scratch)
	for c.body > 0 {
		piece, err := c.piece(scratch[:])
		if err != nil {
			return err
		}
		more = c.session.chunk(piece)
	}
	c.midway = false
	if !more && c.agreed.has(milter.OptSkip) {
		c.write(replySkip, nil)
		return nil
	}
	c.answer(milter.OptNoBodyReply)
	return nil
}

// piece returns the next octets of a body chunk, valid until the next read. What
// is short comes through the buffer, with the frame behind it.
func (c *conn) piece(scratch []byte) ([]byte, error) {
	if c.in.Buffered() == 0 && c.body >= readBuffer {
		n, err := c.raw.Read(scratch[:min(len(scratch), c.body)])
		c.body -= n
		return scratch[:n], err
	}
	if _, err := c.in.Peek(1); err != nil {
		return nil, err
	}
	piece, err := c.in.Peek(min(c.in.Buffered(), c.body))
	if err != nil {
		return nil, err
	}
	c.body -= len(piece)
	_, err = c.in.Discard(len(piece))
	return piece, err
}

// handle passes a frame on to the library, or does what the library cannot.
func (c *conn) handle(cmd byte, data []byte) error {
	switch cmd {
	case cmdOptNeg:
		return fmt.Errorf("%w: second negotiation", errOrder)
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
	case cmdEnd:
		if len(data) > 0 {
			// Old MTAs send the last chunk with the end of the message.
			c.session.chunk(data)
			data = nil
		}
		c.inMail, c.stale = false, true
	case cmdQuitNC:
		cmd, data = cmdAbort, nil // the next CONNECT begins anew
	}
	if cmd == cmdAbort {
		c.inMail, c.stale = false, false
	}
	c.pass(cmd, data)
	return nil
}

// pass makes a frame the next that the library reads.
func (c *conn) pass(cmd byte, data []byte) {
	c.frames = c.frames[:0]
	if c.stale && (cmd == cmdMacro || cmd == cmdMail) {
		// Sendmail does not send ABORT after a message.
		c.stale = false
		c.frames = append(c.frames, 0, 0, 0, 1, cmdAbort)
	}
	c.frames = binary.BigEndian.AppendUint32(c.frames, uint32(len(data))+1)
	c.frames = append(append(c.frames, cmd), data...)
	c.unread = c.frames
}

// Write takes the one answer that the library writes, that to the negotiation.
func (c *conn) Write(p []byte) (int, error) {
	c.out = append(c.out, p...)
	if !c.stated && len(c.out) >= 9 {
		// The library answers every negotiation with version 2.
		binary.BigEndian.PutUint32(c.out[5:], c.agreed.version)
		c.stated = true
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
	c.owed = false // the answer says so
	return err
}
