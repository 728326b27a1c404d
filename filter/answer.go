package filter

import (
	"encoding/binary"
	"strings"

	"github.com/emersion/go-milter"
)

// Answers, and the changes before the last one. They are written here and not by
// the library, which takes 4 KiB of memory for each.
const (
	replyContinue   = 'c'
	replySkip       = 's' // no more of the body
	replyCode       = 'y' // with an SMTP reply of our own
	replyInsert     = 'i'
	replyChange     = 'm'
	replyQuarantine = 'q'
)

// proceed has the MTA go on.
func (c *conn) proceed() { c.write(replyContinue, nil) }

// answer is proceed, unless the MTA was told not to wait for it.
func (c *conn) answer(unless milter.OptProtocol) {
	if !c.agreed.has(unless) {
		c.proceed()
	}
}

// refuse answers with an SMTP reply.
func (c *conn) refuse(reply string) { c.write(replyCode, nil, reply) }

// quarantine has the MTA hold the message.
func (c *conn) quarantine(reason string) { c.write(replyQuarantine, nil, reason) }

// insertField puts a field at that place of the header section; 0 is the top.
func (c *conn) insertField(at int, name, value string) { c.writeField(replyInsert, at, name, value) }

// deleteField deletes the index-th field of that name. Only a truly empty value
// does: a blank would leave an empty field.
func (c *conn) deleteField(index int, name string) { c.writeField(replyChange, index, name, "") }

// writeField writes a change of a field. Line ends are LF: the MTAs make CR CR LF of
// CRLF.
func (c *conn) writeField(code byte, index int, name, value string) {
	c.write(code, binary.BigEndian.AppendUint32(nil, uint32(index)), name, strings.ReplaceAll(value, "\r\n", "\n"))
}

// write writes one packet: its code, what stands before the strings, and the strings,
// each ended by NUL. It leaves when the MTA is next listened to: a message brings no
// more changes than its header section may be long.
func (c *conn) write(code byte, before []byte, strings ...string) {
	start := len(c.out)
	c.out = append(append(c.out, 0, 0, 0, 0, code), before...)
	for _, s := range strings {
		c.out = append(append(c.out, s...), 0)
	}
	binary.BigEndian.PutUint32(c.out[start:], uint32(len(c.out)-start-4))
}
