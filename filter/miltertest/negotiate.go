package miltertest

import (
	"bytes"
	"encoding/binary"
)

// negotiate offers what the profile has and takes the filter's answer, which
// stays within the offer.
func (c *Conn) negotiate() error {
	offer := c.scratch[:0]
	for _, word := range [...]uint32{c.profile.Version, c.profile.Actions, c.profile.Protocol} {
		offer = binary.BigEndian.AppendUint32(offer, word)
	}
	if err := c.Send(CmdOptNeg, offer); err != nil {
		return c.fail(err)
	}
	code, payload, err := c.Read()
	if err != nil {
		return c.fail(c.lost(optnegCommand, err))
	}
	if code != CmdOptNeg {
		return c.fail(breach(optnegCommand, code, ErrWrongStage, ""))
	}
	if v := c.agree(payload); v != nil {
		return c.fail(v)
	}
	return nil
}

// agree takes the answer to the offer.
func (c *Conn) agree(payload []byte) *Violation {
	if len(payload) < 12 {
		return breach(optnegCommand, CmdOptNeg, ErrMalformed, "%d octets, want 12 or more", len(payload))
	}
	c.version = binary.BigEndian.Uint32(payload)
	c.actions = binary.BigEndian.Uint32(payload[4:])
	c.protocol = binary.BigEndian.Uint32(payload[8:])
	if c.version < 2 || c.version > c.profile.Version {
		return breach(optnegCommand, CmdOptNeg, ErrNotOffered, "version %d, offered %d", c.version, c.profile.Version)
	}
	if extra := c.actions &^ c.profile.Actions; extra != 0 {
		return breach(optnegCommand, CmdOptNeg, ErrNotOffered, "actions %#x", extra)
	}
	if extra := c.protocol &^ c.profile.Protocol; extra != 0 {
		return breach(optnegCommand, CmdOptNeg, ErrNotOffered, "protocol bits %#x", extra)
	}
	return c.takeMacroLists(payload[12:])
}

// takeMacroLists reads the macro lists that the filter wants instead of ours:
// a stage number and the names, separated by blanks.
func (c *Conn) takeMacroLists(lists []byte) *Violation {
	if len(lists) > 0 && c.actions&ActSetSymList == 0 {
		return breach(optnegCommand, CmdOptNeg, ErrNotNegotiated, "macro lists")
	}
	for len(lists) > 0 {
		if len(lists) < 4 {
			return breach(optnegCommand, CmdOptNeg, ErrMalformed, "macro list of %d octets", len(lists))
		}
		stage := Stage(binary.BigEndian.Uint32(lists))
		names, rest, found := bytes.Cut(lists[4:], []byte{0})
		if !found {
			return breach(optnegCommand, CmdOptNeg, ErrMalformed, "macro list without end")
		}
		if stage >= stages {
			return breach(optnegCommand, CmdOptNeg, ErrMalformed, "macro list for stage %d", stage)
		}
		c.macros.lists[stage] = words(string(names))
		c.macros.asked[stage] = true
		lists = rest
	}
	return nil
}

// MacroList returns the names of the macros that are sent at that stage where
// they have a value, and whether the filter asked for this list.
func (c *Conn) MacroList(stage Stage) (names []string, asked bool) {
	if stage >= stages {
		return nil, false
	}
	return c.macros.lists[stage], c.macros.asked[stage]
}
