package filter

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Commands of the MTA.
const (
	cmdAbort   = 'A'
	cmdBody    = 'B'
	cmdConnect = 'C'
	cmdMacro   = 'D'
	cmdEnd     = 'E'
	cmdHelo    = 'H'
	cmdQuitNC  = 'K'
	cmdHeader  = 'L'
	cmdMail    = 'M'
	cmdEOH     = 'N'
	cmdOptNeg  = 'O'
	cmdQuit    = 'Q'
	cmdRcpt    = 'R'
	cmdData    = 'T'
	cmdUnknown = 'U'
)

var (
	errFrameSize = errors.New("frame too long or empty")
	errFrame     = errors.New("malformed frame")
	errOrder     = errors.New("command out of order")
)

// maxCommand is how long the arguments of an SMTP command may be, in octets, and what
// else is kept of a session. Postfix and Sendmail take 2048 of a client.
const maxCommand = 8 << 10

// check says what is wrong with a frame. inMail tells whether a message is
// under way.
func check(cmd byte, data []byte, inMail bool) error {
	bad := func() error { return fmt.Errorf("%w: %q of %d octets", errFrame, cmd, len(data)) }
	ended := len(data) > 0 && data[len(data)-1] == 0
	strings := bytes.Count(data, []byte{0})
	if len(data) > maxCommand && bytes.IndexByte([]byte{cmdConnect, cmdHelo, cmdMail, cmdRcpt}, cmd) >= 0 {
		return fmt.Errorf("%w: %q of %d octets", errFrameSize, cmd, len(data))
	}
	switch cmd {
	case cmdConnect:
		return checkConnect(data)
	case cmdMacro:
		if len(data) == 0 || len(data) > 1 && (!ended || bytes.Count(data[1:], []byte{0})%2 != 0) {
			return bad()
		}
		return nil
	case cmdHelo:
		if !ended || strings != 1 {
			return bad()
		}
		return nil
	case cmdMail:
		if !ended {
			return bad()
		}
		return nil
	case cmdRcpt:
		if !ended {
			return bad()
		}
	case cmdHeader:
		if !ended || strings != 2 || data[0] == 0 {
			return bad()
		}
	case cmdData, cmdEOH, cmdBody, cmdEnd:
	case cmdAbort, cmdQuit, cmdQuitNC, cmdUnknown:
		return nil
	default:
		return fmt.Errorf("%w: unknown command %q", errFrame, cmd)
	}
	if !inMail {
		return fmt.Errorf("%w: %q outside of a message", errOrder, cmd)
	}
	return nil
}

// checkConnect: a host name, a family and, but for the unknown family, a port
// and an address.
func checkConnect(data []byte) error {
	bad := fmt.Errorf("%w: connect", errFrame)
	end := bytes.IndexByte(data, 0)
	if end < 0 || end+1 == len(data) {
		return bad
	}
	family, rest := data[end+1], data[end+2:]
	switch family {
	case 'U':
		return nil
	case '4', '6', 'L':
		if len(rest) >= 3 && bytes.IndexByte(rest[2:], 0) == len(rest)-3 {
			return nil
		}
	}
	return bad
}

// bareIPv6 takes the "IPv6:" off that Sendmail puts before an address in a CONNECT,
// which has been checked: the library does not know it and would lose the address.
func bareIPv6(data []byte) []byte {
	const tag = "IPv6:"
	family := bytes.IndexByte(data, 0) + 1
	address := family + 3 // after the port
	end := address + len(tag)
	if data[family] == '6' && len(data) >= end && strings.EqualFold(string(data[address:end]), tag) {
		return slices.Delete(data, address, end)
	}
	return data
}
