package miltertest

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"
)

// Reply is the filter's answer to one command.
type Reply struct {
	Code  byte   // the final reply; 0 when no answer was due
	SMTP  string // the text of RepCode as the client sees it, lines joined by CRLF
	Edits []Edit // in the order of arrival; only after end-of-message
}

// Continues reports whether the filter wants to see the rest of the message.
func (r Reply) Continues() bool { return r.Code == 0 || r.Code == RepContinue }

// Edit is one change of the message that the filter asks for.
type Edit struct {
	Code  byte   // RepAddHeader to RepQuarantine
	Index uint32 // of RepInsertHeader and RepChangeHeader
	Name  string // of a field
	Value string // of a field; an address; a part of the new body; the reason
	Args  string // ESMTP parameters of RepChangeFrom and RepAddRcptPar
}

// String describes the edit for a failing test.
func (e Edit) String() string {
	return fmt.Sprintf("%c[%d] %q %q %q", e.Code, e.Index, e.Name, e.Value, e.Args)
}

// maxPackets is how many packets may answer one command. It keeps a filter
// that never ends its answer from hanging a test.
const maxPackets = 10_000

// answer reads the answer to cmd and checks it.
func (c *Conn) answer(cmd command) (Reply, error) {
	var edits []Edit
	for range maxPackets {
		code, payload, err := c.Read()
		if err != nil {
			return Reply{}, c.lost(cmd, err)
		}
		switch code {
		case RepContinue, RepAccept, RepReject, RepTempfail, RepDiscard, RepCode, RepSkip:
			reply, err := c.final(cmd, code, payload)
			reply.Edits = edits
			return reply, err
		case RepProgress:
			if err := checkProgress(cmd, payload); err != nil {
				return Reply{}, err
			}
		default:
			edit, err := c.edit(cmd, code, payload)
			if err != nil {
				return Reply{}, err
			}
			edits = append(edits, edit)
		}
	}
	return Reply{}, breach(cmd, 0, ErrEndless, "more than %d packets", maxPackets)
}

// lost makes a violation of a packet that cannot be read, and says what was
// waited for where the connection failed.
func (c *Conn) lost(cmd command, err error) error {
	if errors.Is(err, ErrMalformed) {
		return &Violation{Command: cmd.name, Err: ErrMalformed, Detail: err.Error()}
	}
	if errors.Is(err, io.EOF) {
		err = fmt.Errorf("the filter closed: %w", io.ErrUnexpectedEOF)
	}
	return fmt.Errorf("miltertest: waiting for the answer to %s: %w", cmd.name, err)
}

func checkProgress(cmd command, payload []byte) error {
	if cmd.code != CmdEOM {
		return breach(cmd, RepProgress, ErrWrongStage, "")
	}
	if len(payload) != 0 {
		return breach(cmd, RepProgress, ErrMalformed, "payload %q", payload)
	}
	return nil
}

// final checks the packet that ends an answer.
func (c *Conn) final(cmd command, code byte, payload []byte) (Reply, error) {
	if code == RepCode {
		text, err := smtpReply(payload)
		if err != nil {
			return Reply{}, breach(cmd, code, ErrReplyText, "%v in %.200q", err, payload)
		}
		return Reply{Code: code, SMTP: text}, nil
	}
	if len(payload) != 0 {
		return Reply{}, breach(cmd, code, ErrMalformed, "payload %.200q", payload)
	}
	switch {
	case code == RepSkip && c.protocol&ProtoSkip == 0:
		return Reply{}, breach(cmd, code, ErrNotNegotiated, "")
	case code == RepSkip && cmd.code != CmdBody,
		code == RepDiscard && (cmd.code == CmdConnect || cmd.code == CmdHelo):
		return Reply{}, breach(cmd, code, ErrWrongStage, "")
	}
	return Reply{Code: code}, nil
}

// editActions is the leave that each edit needs.
var editActions = map[byte]uint32{
	RepAddHeader:    ActAddHeaders,
	RepInsertHeader: ActAddHeaders,
	RepChangeHeader: ActChangeHeaders,
	RepAddRcpt:      ActAddRcpt,
	RepAddRcptPar:   ActAddRcptPar,
	RepDeleteRcpt:   ActDeleteRcpt,
	RepChangeFrom:   ActChangeFrom,
	RepReplaceBody:  ActChangeBody,
	RepQuarantine:   ActQuarantine,
}

// edit checks and decodes an edit.
func (c *Conn) edit(cmd command, code byte, payload []byte) (Edit, error) {
	need, known := editActions[code]
	switch {
	case !known:
		return Edit{}, breach(cmd, code, ErrUnknownReply, "")
	case cmd.code != CmdEOM:
		return Edit{}, breach(cmd, code, ErrWrongStage, "edits belong to end-of-message")
	case c.actions&need == 0:
		return Edit{}, breach(cmd, code, ErrNotNegotiated, "action %#x", need)
	}
	e, ok := decodeEdit(code, payload)
	if !ok {
		return Edit{}, breach(cmd, code, ErrMalformed, "payload %.200q", payload)
	}
	switch code {
	case RepAddHeader, RepInsertHeader, RepChangeHeader:
		if err := checkField(e.Name, c.leadingBlank()+e.Value); err != nil {
			return Edit{}, breach(cmd, code, ErrFieldText, "%v in %.200q: %.1200q", err, e.Name, e.Value)
		}
	case RepQuarantine:
		if strings.ContainsAny(e.Value, "\r\n") {
			return Edit{}, breach(cmd, code, ErrMalformed, "line end in the reason %.200q", e.Value)
		}
	}
	return e, nil
}

// decodeEdit reports whether the payload has the form of its code, to the last
// octet.
func decodeEdit(code byte, payload []byte) (Edit, bool) {
	e := Edit{Code: code}
	if code == RepReplaceBody {
		e.Value = string(payload)
		return e, true
	}
	if code == RepInsertHeader || code == RepChangeHeader {
		if len(payload) < 4 {
			return e, false
		}
		e.Index, payload = binary.BigEndian.Uint32(payload), payload[4:]
	}
	if len(payload) == 0 || payload[len(payload)-1] != 0 {
		return e, false
	}
	first, second, two := bytes.Cut(payload[:len(payload)-1], []byte{0})
	if bytes.IndexByte(second, 0) >= 0 {
		return e, false
	}
	switch code {
	case RepAddHeader, RepInsertHeader, RepChangeHeader:
		e.Name, e.Value = string(first), string(second)
		return e, two
	case RepChangeFrom, RepAddRcptPar:
		e.Value, e.Args = string(first), string(second)
		return e, e.Value != ""
	}
	e.Value = string(first)
	return e, !two && e.Value != ""
}
