package message

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
)

// MaxHeaderBytes bounds the header section that Read accepts, in octets.
const MaxHeaderBytes = 1 << 20

// ErrHeaderSize says that the header section is longer than MaxHeaderBytes.
var ErrHeaderSize = errors.New("header section too long")

// Read splits a message as it lies in a file into its header fields and its
// body, which is still to be read. A file whose first line ends in a bare LF was
// written by a local program: its line ends are taken as CRLF, in the body too. A
// line that can be no header field begins the body, as an MTA has it, and a
// leading "From " line of an mbox is passed over.
func Read(r io.Reader) (Header, io.Reader, error) {
	in := bufio.NewReader(r)
	var lines lineReader
	var header Header
	var folded []byte // the last value of header so far, once it has been continued
	size := 0
	// A value may have a hundred thousand lines, and is put together once.
	complete := func() Header {
		if folded != nil {
			header[len(header)-1].Value, folded = string(folded), nil
		}
		return header
	}
	for {
		line, err := lines.read(in)
		if err != nil && err != io.EOF {
			return nil, nil, fmt.Errorf("reading header: %w", err)
		}
		if size += len(line); size > MaxHeaderBytes {
			return nil, nil, ErrHeaderSize
		}
		text := bytes.TrimSuffix(line, []byte("\r\n"))
		switch {
		case len(text) == 0:
			return complete(), lines.rest(in), nil
		case (text[0] == ' ' || text[0] == '\t') && len(header) > 0:
			if folded == nil {
				folded = []byte(header[len(header)-1].Value)
			}
			folded = append(append(folded, "\r\n"...), text...)
		case len(header) == 0 && bytes.HasPrefix(text, []byte("From ")):
		default:
			name, value, ok := bytes.Cut(text, []byte(":"))
			if !ok || !validName(name) {
				return complete(), io.MultiReader(bytes.NewReader(line), lines.rest(in)), nil
			}
			header = append(complete(), Field{Name: string(name), Value: string(value)})
		}
		if err == io.EOF {
			return complete(), bytes.NewReader(nil), nil
		}
	}
}

// validName: printable characters; blanks before the colon are the sender's fault.
func validName(name []byte) bool {
	name = bytes.TrimRight(name, " \t")
	for _, c := range name {
		if c <= ' ' || c == 0x7f {
			return false
		}
	}
	return len(name) > 0
}

// lineReader reads lines and learns from the first which line ends the file
// has.
type lineReader struct {
	known, bare bool
}

// read returns the next line with CRLF at its end; the last line may have
// none.
func (l *lineReader) read(in *bufio.Reader) ([]byte, error) {
	line, err := in.ReadSlice('\n')
	line = bytes.Clone(line)
	for err == bufio.ErrBufferFull && len(line) <= MaxHeaderBytes {
		var more []byte
		more, err = in.ReadSlice('\n')
		line = append(line, more...)
	}
	if err == bufio.ErrBufferFull {
		return nil, ErrHeaderSize
	}
	if !l.known && bytes.HasSuffix(line, []byte("\n")) {
		l.known, l.bare = true, !bytes.HasSuffix(line, []byte("\r\n"))
	}
	if l.bare && bytes.HasSuffix(line, []byte("\n")) && !bytes.HasSuffix(line, []byte("\r\n")) {
		line = append(line[:len(line)-1], '\r', '\n')
	}
	return line, err
}

func (l *lineReader) rest(in *bufio.Reader) io.Reader {
	if l.bare {
		return &crlfReader{in: in}
	}
	return in
}

// crlfReader puts a CR before each LF that has none.
type crlfReader struct {
	in      *bufio.Reader
	cr      bool // the last octet was CR
	pending bool // a LF is still to be delivered
}

func (c *crlfReader) Read(p []byte) (n int, err error) {
	for n < len(p) {
		if c.pending {
			p[n], c.pending, c.cr = '\n', false, false
			n++
			continue
		}
		b, err := c.in.ReadByte()
		if err != nil {
			return n, err
		}
		if b == '\n' && !c.cr {
			p[n], c.pending = '\r', true
		} else {
			p[n] = b
		}
		c.cr = p[n] == '\r'
		n++
	}
	return n, nil
}
