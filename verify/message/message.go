// Package message is one message as it was received: connection, envelope and
// ordered raw header fields. The body is a stream and is kept nowhere.
package message

import (
	"net/netip"
	"strings"
	"time"
)

// Connection is what is known about the SMTP client.
type Connection struct {
	Addr netip.Addr // client address, IPv4-mapped ones unmapped; invalid when the MTA gave none
	Name string     // client host name as the MTA gave it; never trusted
	Helo string     // argument of the last HELO or EHLO, as sent
	TLS  bool       // the session is encrypted, as the MTA says
}

// Envelope is the SMTP transaction of the message.
type Envelope struct {
	Sender        string   // reverse-path without angle brackets, as sent; "" is the null sender
	Recipients    []string // forward-paths without angle brackets, in order
	Authenticated string   // the SASL login ({auth_authen}); "" when the client did not authenticate
	QueueID       string   // the MTA's queue id; "" until it is known
}

// Field is one header field. Line ends inside Value are CRLF; Value begins with
// what follows the colon, blanks included, and has no final CRLF.
type Field struct {
	Name  string
	Value string
}

// Is reports whether the field has the given name. Case is ignored, and so is
// white space around the received name: a mail program would show the field.
func (f Field) Is(name string) bool {
	const blanks = " \t\r\n\v\f\x00"
	text := strings.TrimLeft(f.Name, blanks)
	// Most names differ at once; only one that does not is read to its end.
	return len(text) >= len(name) && strings.EqualFold(text[:len(name)], name) && strings.TrimLeft(text[len(name):], blanks) == ""
}

// unfold takes out the line ends of a folded value (RFC 5322 §2.2.3).
var unfold = strings.NewReplacer("\r\n", "", "\n", "")

// Unfolded returns the value on one line without surrounding blanks.
func (f Field) Unfolded() string {
	value := unfold.Replace(f.Value)
	return strings.Trim(value, " \t")
}

// Header is the header section in the order of arrival.
type Header []Field

// All returns the fields of that name, in order.
func (h Header) All(name string) []Field {
	var found []Field
	for _, f := range h {
		if f.Is(name) {
			found = append(found, f)
		}
	}
	return found
}

// Message is everything that is kept of a message.
type Message struct {
	Connection Connection
	Envelope   Envelope
	Header     Header
	Received   time.Time // when MAIL arrived
}
