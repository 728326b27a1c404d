package filter

import (
	"encoding/binary"
	"fmt"

	"github.com/emersion/go-milter"
)

// maxVersion is the highest protocol version spoken, minVersion the lowest.
const (
	maxVersion = 6
	minVersion = 2
)

// needed are the actions without which a message cannot be treated: forged
// results could not be removed, or ours not be written.
const needed = milter.OptAddHeader | milter.OptChangeHeader

// macroStages are the stages whose macros are read, by the commands before which
// they come.
var macroStages = string([]byte{cmdHelo, cmdMail, cmdEnd})

// agreement is the outcome of a negotiation.
type agreement struct {
	version  uint32
	actions  milter.OptAction
	protocol milter.OptProtocol
}

func (a agreement) has(p milter.OptProtocol) bool { return a.protocol&p != 0 }

// canEdit reports whether the MTA allows header changes.
func (a agreement) canEdit() bool { return a.actions&needed == needed }

// agree answers an offer: nothing is asked for that was not offered.
func agree(offer []byte) (agreement, error) {
	if len(offer) < 12 {
		return agreement{}, fmt.Errorf("%w: negotiation of %d octets", errFrame, len(offer))
	}
	version := binary.BigEndian.Uint32(offer)
	if version < minVersion {
		return agreement{}, fmt.Errorf("%w: protocol version %d, need %d", errFrame, version, minVersion)
	}
	a := agreement{version: min(version, maxVersion)}
	a.actions = milter.OptAction(binary.BigEndian.Uint32(offer[4:])) &
		(needed | milter.OptQuarantine | milter.OptSetSymList)

	// Nothing is answered before the end of the message but MAIL, because an
	// MTA that waits for no answer keeps it in its buffer, and SPF would start
	// late; and a body chunk, where the answer may be "no more".
	wanted := milter.OptHeaderLeadingSpace | milter.OptSkip |
		milter.OptNoUnknown | milter.OptNoData | milter.OptNoUnknownReply | milter.OptNoDataReply |
		milter.OptNoConnReply | milter.OptNoHeloReply | milter.OptNoRcptReply |
		milter.OptNoHeaderReply | milter.OptNoEOHReply
	offered := milter.OptProtocol(binary.BigEndian.Uint32(offer[8:]))
	if offered&milter.OptSkip == 0 {
		wanted |= milter.OptNoBodyReply
	}
	a.protocol = offered & wanted
	return a, nil
}

// macros are those we ask for, where the MTA lets us: fewer than it would send,
// and the same whatever its configuration says.
func macros() map[milter.Stage][]string {
	return map[milter.Stage][]string{
		milter.StageConnect:  {"j"},
		milter.StageHelo:     {"j", "{tls_version}"},
		milter.StageMailFrom: {"i", "{auth_authen}", "{tls_version}"},
		milter.StageRcptTo:   {"i"},
		milter.StageData:     {"i"},
		milter.StageEOH:      {"i"},
		milter.StageEOM:      {"i"},
	}
}
