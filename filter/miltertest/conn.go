package miltertest

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strings"
	"time"
)

// Conn is one connection to a filter, and the MTA's memory of it. It is not
// safe for concurrent use.
//
// The first violation or broken connection is kept: from then on every method
// that takes part in the session returns that error. Send, SendRaw, Read and
// Close still work.
type Conn struct {
	profile Profile
	timeout time.Duration
	nc      net.Conn
	in      *bufio.Reader
	out     []byte // packets gathered and not yet written
	packet  []byte // the last packet read
	scratch []byte // the payload being built
	err     error  // what ended the session

	version, actions, protocol uint32 // as negotiated
	macros                     macros
	messages                   int  // begun so far
	skipBody                   bool // the filter wants no more of this body

	greeted bool           // CONNECT and HELO have been delivered
	client  netip.AddrPort // to these,
	helo    string         // by this name,
	refusal *Outcome       // with this result, which binds every message
}

// gather is how much is gathered before it is written without need.
const gather = 64 << 10

// Dial connects to the filter and negotiates.
func Dial(network, addr string, p Profile) (*Conn, error) {
	nc, err := net.DialTimeout(network, addr, timeoutOf(p))
	if err != nil {
		return nil, fmt.Errorf("miltertest: %w", err)
	}
	return New(nc, p)
}

// New negotiates over a connection that exists. It owns nc and closes it when
// the negotiation fails.
func New(nc net.Conn, p Profile) (*Conn, error) {
	c := Raw(nc, p)
	if err := c.negotiate(); err != nil {
		return nil, errors.Join(err, nc.Close())
	}
	return c, nil
}

// Raw is New without the negotiation, for tests that do worse. As long as
// nothing is negotiated, every command is sent and every answer awaited.
func Raw(nc net.Conn, p Profile) *Conn {
	if tcp, ok := nc.(*net.TCPConn); ok && p.Nagle {
		// A failure costs speed only, and shows in the numbers.
		_ = tcp.SetNoDelay(false)
	}
	return &Conn{
		profile: p,
		timeout: timeoutOf(p),
		nc:      nc,
		in:      bufio.NewReader(nc),
		version: p.Version,
		macros:  newMacros(p),
	}
}

func timeoutOf(p Profile) time.Duration {
	if p.Timeout == 0 {
		return DefaultTimeout
	}
	return p.Timeout
}

func words(text string) []string { return strings.Fields(text) }

// Negotiated returns what both sides agreed on.
func (c *Conn) Negotiated() (version, actions, protocol uint32) {
	return c.version, c.actions, c.protocol
}

// Send writes one packet, whatever it is, after those gathered before it.
func (c *Conn) Send(code byte, payload []byte) error {
	c.out = appendPacket(c.out, code, payload)
	return c.Flush()
}

// SendRaw writes bytes that need not be a packet.
func (c *Conn) SendRaw(raw []byte) error {
	c.out = append(c.out, raw...)
	return c.Flush()
}

// Flush writes the packets gathered so far. Only tests that look at the
// filter's side between commands that it does not answer need it.
func (c *Conn) Flush() error {
	if len(c.out) == 0 {
		return nil
	}
	if err := c.nc.SetWriteDeadline(time.Now().Add(c.timeout)); err != nil {
		return fmt.Errorf("miltertest: writing: %w", err)
	}
	_, err := c.nc.Write(c.out)
	c.out = c.out[:0]
	if err != nil {
		return fmt.Errorf("miltertest: writing: %w", err)
	}
	return nil
}

// Read returns the next packet without judging it. The payload is valid until
// the next read. The error is io.EOF when the filter has closed between packets.
func (c *Conn) Read() (code byte, payload []byte, err error) {
	if err := c.Flush(); err != nil {
		return 0, nil, err
	}
	// A pipe closed by the other side refuses the deadline, but can be read.
	if err := c.nc.SetReadDeadline(time.Now().Add(c.timeout)); err != nil && !errors.Is(err, io.ErrClosedPipe) {
		return 0, nil, fmt.Errorf("miltertest: reading: %w", err)
	}
	var head [4]byte
	if _, err := io.ReadFull(c.in, head[:]); err != nil {
		if errors.Is(err, io.EOF) {
			return 0, nil, io.EOF
		}
		return 0, nil, fmt.Errorf("miltertest: reading: %w", err)
	}
	length := binary.BigEndian.Uint32(head[:])
	if length == 0 || length > MaxReply+1 {
		return 0, nil, fmt.Errorf("%w: length %d", ErrMalformed, length)
	}
	if uint32(cap(c.packet)) < length {
		c.packet = make([]byte, length)
	}
	c.packet = c.packet[:length]
	if _, err := io.ReadFull(c.in, c.packet); err != nil {
		return 0, nil, fmt.Errorf("miltertest: reading a packet of %d octets: %w", length, noEOF(err))
	}
	return c.packet[0], c.packet[1:], nil
}

// noEOF keeps io.EOF for the end between packets.
func noEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// Close drops the connection without a QUIT, as an MTA does that dies.
func (c *Conn) Close() error {
	return errors.Join(c.Flush(), c.nc.Close())
}

// Quit ends the connection as it should be ended, and waits for the filter to
// close its side. Replies that were never due come to light here.
func (c *Conn) Quit() error {
	if c.err != nil {
		return errors.Join(c.err, c.nc.Close())
	}
	err := c.Send(CmdQuit, nil)
	if err == nil {
		var code byte
		switch code, _, err = c.Read(); {
		case err == nil:
			err = breach(quitCommand, code, ErrNotDue, "")
		case errors.Is(err, io.EOF):
			err = nil
		}
	}
	return errors.Join(c.fail(err), c.nc.Close())
}

// fail keeps the first error as the end of the session and returns it.
func (c *Conn) fail(err error) error {
	if c.err == nil {
		c.err = err
	}
	return c.err
}

// appendPacket adds a packet to those that are gathered.
func appendPacket(to []byte, code byte, payload []byte) []byte {
	to = binary.BigEndian.AppendUint32(to, uint32(len(payload)+1))
	to = append(to, code)
	return append(to, payload...)
}

// appendString adds a C string: what follows a NUL is lost, as in the MTAs.
func appendString(to []byte, text string) []byte {
	if cut := strings.IndexByte(text, 0); cut >= 0 {
		text = text[:cut]
	}
	to = append(to, text...)
	return append(to, 0)
}
