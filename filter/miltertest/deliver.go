package miltertest

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Deliver takes a message through the session and applies the filter's edits.
// An error is a *Violation, a failed connection, or ErrMessage.
func (c *Conn) Deliver(m Message) (Outcome, error) {
	if c.err != nil {
		return Outcome{}, c.err
	}
	c.macros.extra = make(map[string]string, len(m.Macros))
	for name, value := range m.Macros {
		c.macros.extra[bare(name)] = value
	}
	defer func() { c.macros.extra = nil }()

	d := delivery{Conn: c, message: m, rcpts: m.Rcpts}
	d.header, d.body = split(m.Raw)
	for _, step := range [...]func() (bool, error){d.session, d.envelope, d.content, d.end} {
		decided, err := step()
		if err != nil {
			return Outcome{}, err
		}
		if decided {
			break
		}
	}
	return d.out, d.leave()
}

// delivery is a message on its way.
type delivery struct {
	*Conn
	message  Message
	rcpts    []string // those not refused
	header   []Field
	body     []byte
	bodySent int
	out      Outcome
}

// session introduces the client where that is still to be done. A verdict
// here binds every message of the connection.
func (d *delivery) session() (decided bool, err error) {
	m := d.message
	switch {
	case d.greeted && m.Client.IsValid() && m.Client != d.client:
		return false, fmt.Errorf("%w: the client is %v, not %v", ErrMessage, d.client, m.Client)
	case !d.greeted && !m.Client.IsValid():
		return false, fmt.Errorf("%w: the first message needs a client", ErrMessage)
	case len(m.Rcpts) == 0:
		return false, fmt.Errorf("%w: no recipient", ErrMessage)
	}
	if !d.greeted {
		reply, err := d.Connect(m.ClientName, m.Client)
		if err != nil {
			return false, err
		}
		d.greeted, d.client = true, m.Client
		d.bind(CmdConnect, reply)
	}
	if m.Helo != "" && m.Helo != d.helo && d.refusal == nil {
		reply, err := d.Helo(m.Helo)
		if err != nil {
			return false, err
		}
		d.helo = m.Helo
		d.bind(CmdHelo, reply)
	}
	if d.refusal == nil {
		return false, nil
	}
	d.conclude(*d.refusal)
	return true, nil
}

// bind keeps a verdict for the whole connection.
func (d *delivery) bind(at byte, reply Reply) {
	if out, decided := d.verdict(at, reply); decided {
		d.refusal = &out
	}
}

// envelope sends MAIL, every RCPT and DATA.
func (d *delivery) envelope() (decided bool, err error) {
	reply, err := d.Mail(d.message.From, d.message.FromArgs...)
	if decided, err := d.settled(CmdMail, reply, err); decided || err != nil {
		return decided, err
	}
	var refusal Outcome
	d.rcpts = nil
	for i, rcpt := range d.message.Rcpts {
		reply, err := d.Rcpt(rcpt)
		if err != nil {
			return false, err
		}
		out, decided := d.verdict(CmdRcpt, reply)
		switch {
		case !decided:
			d.rcpts = append(d.rcpts, rcpt)
		case out.Action == Reject || out.Action == Tempfail: // this recipient only
			refusal = out
		default:
			d.rcpts = append(d.rcpts, d.message.Rcpts[i:]...)
			d.conclude(out)
			return true, nil
		}
	}
	if len(d.rcpts) == 0 {
		d.conclude(refusal)
		return true, nil
	}
	reply, err = d.Data()
	return d.settled(CmdData, reply, err)
}

// content sends the header and the body.
func (d *delivery) content() (decided bool, err error) {
	for _, f := range d.header {
		reply, err := d.Header(f.Name, f.Value)
		if decided, err := d.settled(CmdHeader, reply, err); decided || err != nil {
			return decided, err
		}
	}
	reply, err := d.EOH()
	if decided, err := d.settled(CmdEOH, reply, err); decided || err != nil {
		return decided, err
	}
	if d.protocol&ProtoNoBody != 0 {
		return false, nil
	}
	for chunk := range slices.Chunk(d.body, MaxChunk) {
		reply, err := d.Body(chunk)
		if decided, err := d.settled(CmdBody, reply, err); decided || err != nil {
			return decided, err
		}
		d.bodySent += len(chunk)
		if d.skipBody {
			break
		}
	}
	return false, nil
}

// end sends end-of-message and carries out what the filter asks for.
func (d *delivery) end() (decided bool, err error) {
	start := time.Now()
	reply, err := d.EOM()
	if err != nil {
		return false, err
	}
	waited := time.Since(start)
	out, decided := d.verdict(CmdEOM, reply)
	if !decided {
		out = Outcome{Action: Accept, At: CmdEOM, Reply: reply}
	}
	d.conclude(out)
	d.out.Waited = waited
	return true, nil
}

// settled concludes the delivery if the reply is a verdict.
func (d *delivery) settled(at byte, reply Reply, err error) (bool, error) {
	if err != nil {
		return false, err
	}
	out, decided := d.verdict(at, reply)
	if decided {
		d.conclude(out)
	}
	return decided, nil
}

// verdict reads a reply as a verdict on the message.
func (c *Conn) verdict(at byte, reply Reply) (out Outcome, decided bool) {
	out = Outcome{At: at, Reply: reply}
	switch reply.Code {
	case RepAccept:
		out.Action = Accept
	case RepDiscard:
		out.Action = Discard
	case RepReject:
		out.Action, out.SMTP = Reject, c.profile.RejectText
	case RepTempfail:
		out.Action, out.SMTP = Tempfail, c.profile.TempfailText
	case RepCode:
		out.Action, out.SMTP = Reject, reply.SMTP
		if reply.SMTP[0] == '4' {
			out.Action = Tempfail
		}
		if c.profile.Family == LikeSendmail {
			out.SMTP = withEnhancedCode(out.SMTP)
		}
	default:
		return Outcome{}, false
	}
	return out, true
}

// conclude makes out the outcome, with the message where one is delivered.
func (d *delivery) conclude(out Outcome) {
	d.out = out
	d.out.BodySent = d.bodySent
	if out.Action == Accept {
		d.apply(out.Reply.Edits)
	}
}

// leave puts an end to the message as the MTA does.
func (d *delivery) leave() error {
	if d.refusal != nil {
		return nil
	}
	aborts := d.profile.AbortsAfter
	refused := d.out.Action == Reject || d.out.Action == Tempfail
	if refused && (d.out.At == CmdRcpt || d.out.At == CmdData) {
		aborts = max(aborts, 1) // the client gives up, and the filter is not done
	}
	for range aborts {
		if err := d.Abort(); err != nil {
			return err
		}
	}
	return nil
}

// received is the field that the MTA writes on top. Its date stands still, so
// that two deliveries can be compared.
func (d *delivery) received() Field {
	d.giveQueueID() // if the filter was done before there was one
	by, _ := d.macros.value("j")
	id, _ := d.macros.value("i")
	client, _ := d.macros.value("_")
	return Field{"Received", strings.Join([]string{
		" from " + d.helo + " (" + client + ")",
		"\tby " + by + " with ESMTP id " + id + ";",
		"\tThu, 1 Jan 2026 00:00:00 +0000",
	}, "\r\n")}
}
