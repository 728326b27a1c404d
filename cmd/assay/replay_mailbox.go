package main

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
)

// visit is called for each message of a mailbox, with a name to find it by. The
// reader is good until visit returns, and need not be read to its end. With err
// there is no message: something of that name could not be read. It returns
// whether to go on.
type visit func(name string, message io.Reader, err error) bool

// walkMailbox visits the messages below path: a message, an mbox, a Maildir, or
// a folder of such. It keeps nothing of a message and few names of a folder in
// memory, and follows no links but path.
func walkMailbox(path string, to visit) bool {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return to(path, nil, bare(err))
	case info.IsDir():
		return walkFolder(path, to)
	case !info.Mode().IsRegular():
		return to(path, nil, errors.New("not a regular file"))
	}
	return walkFile(path, true, to)
}

// namesAtOnce is how many names of a folder are read at once.
const namesAtOnce = 256

func walkFolder(path string, to visit) bool {
	folder, err := os.Open(path)
	if err != nil {
		return to(path, nil, bare(err))
	}
	defer folder.Close()
	full, _ := filepath.Abs(path) // path may be "."
	base := filepath.Base(full)
	maildir := base == "cur" || base == "new"
	for {
		entries, err := folder.ReadDir(namesAtOnce)
		for _, e := range entries {
			inner, on := filepath.Join(path, e.Name()), true
			switch {
			case e.IsDir() && e.Name() != "tmp": // what is in tmp is not delivered yet
				on = walkFolder(inner, to)
			case e.Type().IsRegular() && !strings.HasPrefix(e.Name(), "."):
				// Elsewhere indexes and the like lie beside the messages.
				on = walkFile(inner, maildir || strings.EqualFold(filepath.Ext(inner), ".eml"), to)
			}
			if !on {
				return false
			}
		}
		if err == io.EOF {
			return true
		}
		if err != nil {
			return to(path, nil, bare(err))
		}
	}
}

// walkFile visits the messages of a file: an mbox if it begins like one,
// otherwise, if it may be one, a single message.
func walkFile(path string, single bool, to visit) bool {
	file, err := os.Open(path)
	if err != nil {
		return to(path, nil, bare(err))
	}
	defer file.Close()
	in := bufio.NewReaderSize(file, chunkBytes)
	if start, _ := in.Peek(len(fromLine)); string(start) == fromLine {
		return walkMbox(path, in, to)
	}
	return !single || to(path, in, nil)
}

// walkMbox visits the messages of an mbox, which are named by their number.
func walkMbox(path string, in *bufio.Reader, to visit) bool {
	box := mbox{in: in}
	for number := 1; ; number++ {
		name := path + ":" + strconv.Itoa(number)
		m, err := box.next()
		switch {
		case err == io.EOF:
			return true
		case err != nil:
			return to(name, nil, bare(err))
		}
		if !to(name, m, nil) {
			return false
		}
	}
}

// bare is an error without the path, which is named anyway.
func bare(err error) error {
	var system *os.PathError
	if errors.As(err, &system) {
		return system.Err
	}
	return err
}

const (
	fromLine   = "From "
	chunkBytes = 64 << 10
)

// mbox splits a mailbox into messages. A message begins at a line "From …" with
// a date, at the very beginning or after an empty line (RFC 4155); a ">" that
// quotes such a line in the text is taken off, as mboxrd has it.
type mbox struct {
	in      *bufio.Reader
	begun   bool   // a message is being read
	within  bool   // the next chunk continues a line
	held    []byte // an empty line that may be the end of the message
	scratch []byte
}

// separator tells a line that begins a message from a sentence: it has a day
// and a time.
var separator = regexp.MustCompile(`^From .*\b(Mon|Tue|Wed|Thu|Fri|Sat|Sun)\b.* [0-9]?[0-9]:[0-9][0-9].*[0-9]{4}`)

// next passes over what is left of a message and returns the one after it, or
// io.EOF.
func (b *mbox) next() (io.Reader, error) {
	for b.begun {
		if _, err := b.chunk(); err != nil && err != io.EOF {
			return nil, err
		}
	}
	// The separator, whatever its length.
	line, err := b.in.ReadSlice('\n')
	if len(line) == 0 {
		return nil, err
	}
	for err == bufio.ErrBufferFull {
		_, err = b.in.ReadSlice('\n')
	}
	b.begun, b.within, b.held = true, false, nil
	return &mboxMessage{box: b}, nil
}

// chunk returns the next piece of the message, valid until the next call, and
// io.EOF at its end.
func (b *mbox) chunk() ([]byte, error) {
	if !b.within && b.held != nil {
		// A separator is short; so a Peek that ends early is the end of the file.
		ahead, err := b.in.Peek(len(fromLine))
		if err == io.EOF && len(ahead) == 0 || string(ahead) == fromLine && b.atSeparator() {
			b.begun = false
			return nil, io.EOF
		}
	}
	line, err := b.in.ReadSlice('\n')
	if err != nil && err != bufio.ErrBufferFull && (err != io.EOF || len(line) == 0) {
		b.begun = false
		return nil, err
	}
	start := !b.within
	b.within = err == bufio.ErrBufferFull
	if start && len(bytes.TrimRight(line, "\r\n")) == 0 {
		before := b.held
		b.held = bytes.Clone(line)
		return before, nil
	}
	if start && line[0] == '>' && bytes.HasPrefix(bytes.TrimLeft(line, ">"), []byte(fromLine)) {
		line = line[1:]
	}
	b.scratch = append(append(b.scratch[:0], b.held...), line...)
	b.held = nil
	return b.scratch, nil
}

// maxSeparator is how much of a line is looked at for a date, in bytes.
const maxSeparator = 500

func (b *mbox) atSeparator() bool {
	ahead, _ := b.in.Peek(maxSeparator)
	line, _, _ := bytes.Cut(ahead, []byte("\n"))
	return separator.Match(line)
}

// mboxMessage is the message that an mbox is at.
type mboxMessage struct {
	box  *mbox
	rest []byte
}

func (m *mboxMessage) Read(p []byte) (int, error) {
	for len(m.rest) == 0 {
		if !m.box.begun {
			return 0, io.EOF
		}
		var err error
		if m.rest, err = m.box.chunk(); err != nil {
			return 0, err
		}
	}
	n := copy(p, m.rest)
	m.rest = m.rest[n:]
	return n, nil
}
