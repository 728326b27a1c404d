package miltertest

import (
	"net/netip"
	"strings"
	"time"
)

// Message is a message and the session that brings it.
type Message struct {
	// Client, ClientName and Helo are told at the first message of a
	// connection; a later message may leave Client zero and Helo empty. Another
	// Helo is told again, another Client is an error.
	Client     netip.AddrPort
	ClientName string // "" when unknown
	Helo       string

	From     string   // without angle brackets; "" is the null sender
	FromArgs []string // ESMTP parameters of MAIL
	Rcpts    []string // without angle brackets

	// Macros are values for this message, before any other, without braces.
	Macros map[string]string

	Raw []byte // the message with CRLF line ends; not changed
}

// Action is what becomes of a message.
type Action string

// The actions.
const (
	Accept     Action = "accept"
	Reject     Action = "reject"
	Tempfail   Action = "tempfail"
	Discard    Action = "discard"
	Quarantine Action = "quarantine" // accepted and held
)

// Outcome is what the MTA does with a message.
type Outcome struct {
	Action Action
	At     byte   // the command whose answer decided
	Reply  Reply  // that answer
	SMTP   string // what the client is told, lines joined by CRLF; "" where it is the MTA's own 250
	Reason string // of a quarantine

	// What is delivered or held; empty when the message is refused or
	// discarded. The first field is the MTA's own Received, unless the filter
	// has put something above it. Body may share memory with Message.Raw.
	Sender string
	Rcpts  []string
	Header []Field
	Body   []byte

	BodySent int           // octets of the body that the filter was sent
	Waited   time.Duration // for the answer to end-of-message
}

// Message returns the message as it is delivered.
func (o *Outcome) Message() []byte {
	if o.Header == nil {
		return nil
	}
	var raw []byte
	for _, f := range o.Header {
		raw = append(raw, f.Name...)
		raw = append(raw, ':')
		raw = append(raw, f.Value...)
		raw = append(raw, "\r\n"...)
	}
	raw = append(raw, "\r\n"...)
	return append(raw, o.Body...)
}

// Fields returns the values of the delivered fields of that name, in order.
func (o *Outcome) Fields(name string) []string {
	var values []string
	for _, f := range o.Header {
		if strings.EqualFold(f.Name, name) {
			values = append(values, f.Value)
		}
	}
	return values
}
