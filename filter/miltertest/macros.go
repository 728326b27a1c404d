package miltertest

import (
	"encoding/binary"
	"fmt"
	"strings"
)

// macros is what the MTA can tell and when it does. Names have no braces.
type macros struct {
	lists [stages][]string
	asked [stages]bool // the filter asked for this list

	// A value is looked for in those that Deliver was given, then in those set
	// by the test, of the message, and of the MTA and the session.
	extra, set, message, values map[string]string
}

func newMacros(p Profile) macros {
	m := macros{lists: p.Macros, message: map[string]string{}, set: map[string]string{}, values: map[string]string{}}
	for name, value := range p.Values {
		m.values[bare(name)] = value
	}
	return m
}

// bare returns the name of a macro without braces.
func bare(name string) string {
	return strings.TrimSuffix(strings.TrimPrefix(name, "{"), "}")
}

func (m *macros) value(name string) (string, bool) {
	name = bare(name)
	for _, values := range [...]map[string]string{m.extra, m.set, m.message, m.values} {
		if value, ok := values[name]; ok {
			return value, true
		}
	}
	return "", false
}

// SetMacro gives a macro a value from now on, before what the MTA would say
// itself. It is sent at the stages whose list names it. Braces are optional.
func (c *Conn) SetMacro(name, value string) { c.macros.set[bare(name)] = value }

// gatherMacros adds the macro packet that goes before cmd.
func (c *Conn) gatherMacros(cmd command) {
	if cmd.stage == noStage || (len(c.macros.lists[cmd.stage]) == 0 && !c.profile.MacroAlways) {
		return
	}
	if (cmd.code == CmdHeader || cmd.code == CmdBody) && !c.profile.MacroEveryHeader {
		return
	}
	start := len(c.out)
	c.out = appendPacket(c.out, CmdMacro, nil)
	c.out = append(c.out, cmd.code)
	for _, name := range c.macros.lists[cmd.stage] {
		if value, ok := c.macros.value(name); ok {
			c.out = appendString(c.out, name)
			c.out = appendString(c.out, value)
		}
	}
	binary.BigEndian.PutUint32(c.out[start:], uint32(len(c.out)-start-4))
}

// beginMessage forgets the macros of the message before and sets those that
// come with MAIL.
func (c *Conn) beginMessage(sender string) {
	c.messages++
	c.skipBody = false
	m := &c.macros
	clear(m.message)
	_, host, _ := strings.Cut(sender, "@")
	m.message["mail_addr"] = sender
	m.message["mail_host"] = host
	if c.profile.QueueIDAtMail {
		c.giveQueueID()
	}
}

// giveQueueID makes i known. Postfix has a queue file only after the first
// recipient; its smtpd therefore knows i from the second RCPT or DATA on.
func (c *Conn) giveQueueID() {
	if _, known := c.macros.message["i"]; !known {
		c.macros.message["i"] = fmt.Sprintf("4TEST%05d", c.messages)
	}
}

// forgetMessage drops what an ABORT resets.
func (c *Conn) forgetMessage() {
	c.skipBody = false
	clear(c.macros.message)
}
