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
		field := Field{e.Name, d.leadingBlank() + crlf(e.Value)}
		address := strings.Trim(e.Value, "<>")
		switch e.Code {
		case RepAddHeader:
			queue.add(field)
		case RepInsertHeader:
			queue.insert(e.Index, field)
		case RepChangeHeader:
			queue.change(e.Index, field, e.Value == "")
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

// leadingBlank is what the MTA puts between the colon and a filter's value.
func (c *Conn) leadingBlank() string {
	if c.protocol&ProtoLeadSpace != 0 {
		return ""
	}
	return " "
}
