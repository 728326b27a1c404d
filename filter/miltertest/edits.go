package miltertest

import (
	"slices"
	"strings"
)

// apply fills in the message that is delivered, after the given edits.
func (d *delivery) apply(edits []Edit) {
	out := &d.out
	out.Sender, out.Rcpts, out.Body = d.message.From, slices.Clone(d.rcpts), d.body
	queue := newQueued(d.profile.Family, d.received(), d.header)
	replaced := false
	for _, e := range edits {
		d.applyField(queue, e)
		address := strings.Trim(e.Value, "<>")
		switch e.Code {
		case RepAddRcpt, RepAddRcptPar:
			if !slices.Contains(out.Rcpts, address) {
				out.Rcpts = append(out.Rcpts, address)
			}
		case RepDeleteRcpt:
			out.Rcpts = slices.DeleteFunc(out.Rcpts, func(rcpt string) bool { return rcpt == address })
		case RepChangeFrom:
			out.Sender = address
		case RepReplaceBody:
			if !replaced {
				replaced, out.Body = true, nil
			}
			out.Body = append(out.Body, e.Value...)
		case RepQuarantine:
			out.Action, out.Reason = Quarantine, e.Value
		}
	}
	out.Header = queue.header()
}

// Apply returns a header section as the edits leave it, with the MTA's Received
// field. It is for tests that speak the protocol themselves; Deliver does it
// for the others.
func (c *Conn) Apply(header []Field, edits []Edit) []Field {
	queue := newQueued(c.profile.Family, (&delivery{Conn: c}).received(), header)
	for _, e := range edits {
		c.applyField(queue, e)
	}
	return queue.header()
}

func (c *Conn) applyField(queue *queued, e Edit) {
	field := Field{e.Name, c.leadingBlank() + crlf(e.Value)}
	switch e.Code {
	case RepAddHeader:
		queue.add(field)
	case RepInsertHeader:
		queue.insert(e.Index, field)
	case RepChangeHeader:
		queue.change(e.Index, field, e.Value == "")
	}
}

// leadingBlank is what the MTA puts between the colon and a filter's value.
func (c *Conn) leadingBlank() string {
	if c.protocol&ProtoLeadSpace != 0 {
		return ""
	}
	return " "
}
