package miltertest

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"strings"
)

// Connect reports an SMTP client: its host name, "" when unknown, its address
// and port.
func (c *Conn) Connect(name string, client netip.AddrPort) (Reply, error) {
	addr := client.Addr().Unmap()
	if name == "" {
		name = "[" + addr.String() + "]"
	}
	v := c.macros.values
	v["_"] = name + " [" + addr.String() + "]"
	v["client_name"], v["client_addr"] = name, addr.String()
	v["client_port"] = fmt.Sprint(client.Port())

	family, text := byte('4'), addr.String()
	if addr.Is6() {
		family = '6'
		if c.profile.Family == LikeSendmail {
			text = "IPv6:" + text
		}
	}
	p := append(appendString(c.scratch[:0], name), family)
	p = binary.BigEndian.AppendUint16(p, client.Port())
	return c.run(connectCommand, appendString(p, text))
}

// ConnectUnix reports a client on a local socket.
func (c *Conn) ConnectUnix(name, path string) (Reply, error) {
	c.macros.values["_"] = name
	p := append(appendString(c.scratch[:0], name), 'L', 0, 0)
	return c.run(connectCommand, appendString(p, path))
}

// ConnectUnknown reports a client without any address, as Sendmail does for
// mail from the command line.
func (c *Conn) ConnectUnknown(name string) (Reply, error) {
	c.macros.values["_"] = name
	return c.run(connectCommand, append(appendString(c.scratch[:0], name), 'U'))
}

// Helo reports HELO or EHLO.
func (c *Conn) Helo(name string) (Reply, error) {
	return c.run(heloCommand, appendString(c.scratch[:0], name))
}

// Mail begins a message. The sender comes without angle brackets.
func (c *Conn) Mail(sender string, args ...string) (Reply, error) {
	return c.MailRaw(append([]string{"<" + sender + ">"}, args...)...)
}

// MailRaw begins a message with the arguments as they stand.
func (c *Conn) MailRaw(args ...string) (Reply, error) {
	sender := ""
	if len(args) > 0 {
		sender = strings.Trim(args[0], "<>")
	}
	c.beginMessage(sender)
	return c.run(mailCommand, appendStrings(c.scratch[:0], args))
}

// Rcpt reports a recipient, which comes without angle brackets.
func (c *Conn) Rcpt(recipient string, args ...string) (Reply, error) {
	return c.RcptRaw(append([]string{"<" + recipient + ">"}, args...)...)
}

// RcptRaw reports a recipient with the arguments as they stand.
func (c *Conn) RcptRaw(args ...string) (Reply, error) {
	recipient := ""
	if len(args) > 0 {
		recipient = strings.Trim(args[0], "<>")
	}
	_, host, _ := strings.Cut(recipient, "@")
	c.macros.message["rcpt_addr"], c.macros.message["rcpt_host"] = recipient, host
	reply, err := c.run(rcptCommand, appendStrings(c.scratch[:0], args))
	if reply.Continues() {
		c.giveQueueID()
	}
	return reply, err
}

// RcptRejected reports a recipient that the MTA itself refuses with the given
// SMTP reply, if the filter asked for those. The answer changes nothing.
func (c *Conn) RcptRejected(recipient, smtp string) (Reply, error) {
	if c.protocol&ProtoRcptRej == 0 {
		return Reply{}, c.err
	}
	m := c.macros.message
	m["rcpt_addr"], m["rcpt_host"], m["rcpt_mailer"] = smtp, "", "error"
	defer delete(m, "rcpt_mailer")
	return c.run(rcptCommand, appendString(c.scratch[:0], "<"+recipient+">"))
}

// Data reports DATA. It is sent since version 4.
func (c *Conn) Data() (Reply, error) {
	c.giveQueueID()
	return c.run(dataCommand, nil)
}

// Unknown reports an SMTP command that the MTA does not know. It is sent since
// version 3.
func (c *Conn) Unknown(line string) (Reply, error) {
	return c.run(unknownCommand, appendString(c.scratch[:0], line))
}

// Header reports a field. The value is all that follows the colon; line ends
// inside it become LF, and one blank is eaten unless the filter asked for it.
func (c *Conn) Header(name, value string) (Reply, error) {
	if c.protocol&ProtoLeadSpace == 0 {
		value = strings.TrimPrefix(value, " ")
	}
	if strings.Contains(value, "\r\n") {
		value = strings.ReplaceAll(value, "\r\n", "\n")
	}
	return c.run(headerCommand, appendString(appendString(c.scratch[:0], name), value))
}

// EOH ends the header section.
func (c *Conn) EOH() (Reply, error) { return c.run(eohCommand, nil) }

// Body sends a part of the body in chunks of at most MaxChunk octets, until
// the filter has had enough of this message.
func (c *Conn) Body(part []byte) (Reply, error) {
	var reply Reply
	for len(part) > 0 && !c.skipBody {
		chunk := part[:min(len(part), MaxChunk)]
		part = part[len(chunk):]
		var err error
		if reply, err = c.run(bodyCommand, chunk); err != nil {
			return reply, err
		}
		c.skipBody = reply.Code == RepSkip
		if !reply.Continues() {
			break
		}
	}
	return reply, c.err
}

// EOM ends the message and returns the filter's edits with its verdict.
func (c *Conn) EOM() (Reply, error) { return c.run(eomCommand, nil) }

// Abort drops the message begun, if any, and keeps the connection.
func (c *Conn) Abort() error {
	if c.err != nil {
		return c.err
	}
	c.forgetMessage()
	if err := c.notDue(abortCommand); err != nil {
		return c.fail(err)
	}
	return c.fail(c.Send(CmdAbort, nil))
}

// QuitNC ends the SMTP connection; the next Connect goes over the same socket.
func (c *Conn) QuitNC() error {
	if c.err != nil {
		return c.err
	}
	c.forgetMessage()
	c.greeted, c.helo, c.refusal = false, "", nil
	return c.fail(c.Send(CmdQuitNC, nil))
}

// run sends cmd with its macros, each if it is to be sent, and returns the
// answer if one is due.
func (c *Conn) run(cmd command, payload []byte) (Reply, error) {
	if cmd.code != CmdBody && payload != nil {
		c.scratch = payload[:0] // keep what it has grown to
	}
	if c.err != nil {
		return Reply{}, c.err
	}
	if c.version < cmd.since {
		return Reply{}, nil
	}
	if err := c.notDue(cmd); err != nil {
		return Reply{}, c.fail(err)
	}
	c.gatherMacros(cmd)
	if err := c.flushIf(c.profile.Nagle); err != nil {
		return Reply{}, c.fail(err)
	}
	if c.protocol&cmd.skip != 0 {
		return Reply{}, nil
	}
	c.out = appendPacket(c.out, cmd.code, payload)
	if c.protocol&cmd.silent != 0 {
		return Reply{}, c.fail(c.flushIf(c.profile.Nagle || len(c.out) >= gather))
	}
	reply, err := c.answer(cmd)
	if err != nil {
		return Reply{}, c.fail(err)
	}
	return reply, nil
}

func (c *Conn) flushIf(now bool) error {
	if !now {
		return nil
	}
	return c.Flush()
}

// notDue reports a packet that has come before its command is sent.
func (c *Conn) notDue(cmd command) error {
	if c.in.Buffered() == 0 {
		return nil
	}
	code, _, err := c.Read()
	if err != nil {
		return c.lost(cmd, err)
	}
	return breach(cmd, code, ErrNotDue, "it came before %s", cmd.name)
}

func appendStrings(to []byte, texts []string) []byte {
	for _, text := range texts {
		to = appendString(to, text)
	}
	return to
}
