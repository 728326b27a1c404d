package main

import (
	"fmt"
	"io"
	"os"
	"sync"
	"time"
)

// How often progress is shown: on a terminal by time, and only in runs that take
// longer; elsewhere by messages.
const (
	progressAfter   = 2 * time.Second
	progressBetween = 200 * time.Millisecond
	progressEvery   = 1000
)

// progress says how far a replay got, and is where it speaks: what is said in
// between does not tear the line. It is safe for concurrent use.
type progress struct {
	mu        sync.Mutex
	out       io.Writer
	terminal  bool
	on        bool
	clock     func() time.Time
	begun     time.Time
	shown     time.Time
	line      bool // a line is on the terminal that is to be overwritten
	messages  int
	different int
}

func newProgress(talk io.Writer, always bool, clock func() time.Time) *progress {
	p := &progress{out: talk, clock: clock, begun: clock()}
	if file, ok := talk.(*os.File); ok {
		info, err := file.Stat()
		p.terminal = err == nil && info.Mode()&os.ModeCharDevice != 0
	}
	p.on = always || p.terminal
	return p
}

// judged counts a message.
func (p *progress) judged(different bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.messages++
	if different {
		p.different++
	}
	switch now := p.clock(); {
	case !p.on:
	case p.terminal && now.Sub(p.begun) >= progressAfter && now.Sub(p.shown) >= progressBetween:
		fmt.Fprintf(p.out, "\rassay: %s\x1b[K", p.text())
		p.shown, p.line = now, true
	case !p.terminal && p.messages%progressEvery == 0:
		say(p.out, "%s", p.text())
	}
}

func (p *progress) text() string {
	return fmt.Sprintf("%s, %d treated differently", plural(p.messages, "message"), p.different)
}

// say speaks in between.
func (p *progress) say(format string, args ...any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.clear()
	say(p.out, format, args...)
}

// end takes the line off the terminal.
func (p *progress) end() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.clear()
}

func (p *progress) clear() {
	if p.line {
		fmt.Fprint(p.out, "\r\x1b[K")
		p.line = false
	}
}

// maxNamed is how many messages are named that are passed over; there may be
// millions.
const maxNamed = 20

// namedErrors names what was passed over.
type namedErrors struct {
	mu    sync.Mutex
	talk  *progress
	count int
}

func (n *namedErrors) add(name string, err error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.count++; n.count <= maxNamed {
		n.talk.say("%s: %s; passed over", printable(name), printable(err.Error()))
	}
}

func (n *namedErrors) end() {
	if n.count > maxNamed {
		n.talk.say("%d more passed over", n.count-maxNamed)
	}
}
