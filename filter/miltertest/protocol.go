package miltertest

// Commands, as the MTA sends them.
const (
	CmdOptNeg  = 'O'
	CmdMacro   = 'D'
	CmdConnect = 'C'
	CmdHelo    = 'H'
	CmdMail    = 'M'
	CmdRcpt    = 'R'
	CmdData    = 'T' // since version 4
	CmdUnknown = 'U' // since version 3
	CmdHeader  = 'L'
	CmdEOH     = 'N'
	CmdBody    = 'B'
	CmdEOM     = 'E'
	CmdAbort   = 'A'
	CmdQuit    = 'Q'
	CmdQuitNC  = 'K' // a new SMTP connection follows on the same socket
)

// Replies that end the filter's answer to a command.
const (
	RepContinue = 'c'
	RepAccept   = 'a'
	RepReject   = 'r'
	RepTempfail = 't'
	RepDiscard  = 'd'
	RepCode     = 'y' // an SMTP reply of the filter's own
	RepSkip     = 's' // no more body chunks; only in answer to one
)

// Replies that come before the last one, in answer to end-of-message only.
const (
	RepProgress     = 'p'
	RepAddHeader    = 'h'
	RepInsertHeader = 'i'
	RepChangeHeader = 'm'
	RepAddRcpt      = '+'
	RepAddRcptPar   = '2'
	RepDeleteRcpt   = '-'
	RepChangeFrom   = 'e'
	RepReplaceBody  = 'b'
	RepQuarantine   = 'q'
)

// Actions that a filter may ask leave for.
const (
	ActAddHeaders    uint32 = 0x001
	ActChangeBody    uint32 = 0x002
	ActAddRcpt       uint32 = 0x004
	ActDeleteRcpt    uint32 = 0x008
	ActChangeHeaders uint32 = 0x010
	ActQuarantine    uint32 = 0x020
	ActChangeFrom    uint32 = 0x040
	ActAddRcptPar    uint32 = 0x080
	ActSetSymList    uint32 = 0x100
)

// Protocol bits: commands the filter can do without (No…), commands it will
// not answer (NR…), and what else the two agree on.
const (
	ProtoNoConnect uint32 = 0x000001
	ProtoNoHelo    uint32 = 0x000002
	ProtoNoMail    uint32 = 0x000004
	ProtoNoRcpt    uint32 = 0x000008
	ProtoNoBody    uint32 = 0x000010
	ProtoNoHeaders uint32 = 0x000020
	ProtoNoEOH     uint32 = 0x000040
	ProtoNRHeader  uint32 = 0x000080
	ProtoNoUnknown uint32 = 0x000100
	ProtoNoData    uint32 = 0x000200
	ProtoSkip      uint32 = 0x000400
	ProtoRcptRej   uint32 = 0x000800 // rejected recipients are shown too
	ProtoNRConnect uint32 = 0x001000
	ProtoNRHelo    uint32 = 0x002000
	ProtoNRMail    uint32 = 0x004000
	ProtoNRRcpt    uint32 = 0x008000
	ProtoNRData    uint32 = 0x010000
	ProtoNRUnknown uint32 = 0x020000
	ProtoNREOH     uint32 = 0x040000
	ProtoNRBody    uint32 = 0x080000
	ProtoLeadSpace uint32 = 0x100000 // values keep, and must bring, the blank after the colon
)

// Stage is a point of the session at which macros are sent. The numbers are
// those of the protocol's macro lists.
type Stage uint32

// The stages.
const (
	StageConnect Stage = iota
	StageHelo
	StageMail
	StageRcpt
	StageData
	StageEOM
	StageEOH
	stages
	noStage = stages // a command without macros
)

// Limits of the protocol, in octets of payload without the code byte.
const (
	MaxChunk = 65535 // one body chunk, both ways
	MaxReply = 65535 // one packet of the filter: Sendmail refuses longer ones
)

// command is what is known about a command that takes part in the session.
type command struct {
	code   byte
	name   string
	stage  Stage  // whose macros go before it
	skip   uint32 // the protocol bit under which it is not sent
	silent uint32 // the protocol bit under which it is not answered
	since  uint32 // protocol version that introduced it
}

var (
	connectCommand = command{CmdConnect, "CONNECT", StageConnect, ProtoNoConnect, ProtoNRConnect, 1}
	heloCommand    = command{CmdHelo, "HELO", StageHelo, ProtoNoHelo, ProtoNRHelo, 1}
	mailCommand    = command{CmdMail, "MAIL", StageMail, ProtoNoMail, ProtoNRMail, 1}
	rcptCommand    = command{CmdRcpt, "RCPT", StageRcpt, ProtoNoRcpt, ProtoNRRcpt, 1}
	dataCommand    = command{CmdData, "DATA", StageData, ProtoNoData, ProtoNRData, 4}
	unknownCommand = command{CmdUnknown, "UNKNOWN", noStage, ProtoNoUnknown, ProtoNRUnknown, 3}
	headerCommand  = command{CmdHeader, "HEADER", StageEOH, ProtoNoHeaders, ProtoNRHeader, 1}
	eohCommand     = command{CmdEOH, "EOH", StageEOH, ProtoNoEOH, ProtoNREOH, 2}
	bodyCommand    = command{CmdBody, "BODY", StageEOM, ProtoNoBody, ProtoNRBody, 1}
	eomCommand     = command{CmdEOM, "EOM", StageEOM, 0, 0, 1}

	// The others only need a name, for violations.
	optnegCommand = command{code: CmdOptNeg, name: "OPTNEG"}
	abortCommand  = command{code: CmdAbort, name: "ABORT"}
	quitCommand   = command{code: CmdQuit, name: "QUIT"}
)
