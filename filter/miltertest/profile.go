package miltertest

import "time"

// Family is the MTA whose ways with edits and replies are followed.
type Family int

const (
	// LikePostfix renumbers the fields of a name after each delete.
	LikePostfix Family = iota
	// LikeSendmail keeps deleted fields in the count.
	LikeSendmail
)

// Profile says how the MTA behaves. Start from Postfix, Sendmail or V2 and
// change what the test is about.
type Profile struct {
	Version  uint32 // protocol version offered
	Actions  uint32 // actions offered
	Protocol uint32 // protocol bits offered

	Family Family

	// Macros names the macros of each stage; a list that the filter asked for
	// replaces that of its stage. Only macros that have a value are sent.
	Macros [stages][]string
	// Values are the macros that last as long as the MTA, without braces.
	Values map[string]string

	MacroAlways      bool // send a macro packet where the stage has no list, too
	MacroEveryHeader bool // and before every header and body chunk
	QueueIDAtMail    bool // i is known at MAIL, not only after the first RCPT
	AbortsAfter      int  // number of ABORTs after each message

	// RejectText and TempfailText are what the client is told when the filter
	// gives no words of its own.
	RejectText, TempfailText string

	// Nagle writes packet by packet on a socket without TCP_NODELAY, as both
	// MTAs do. Otherwise packets are gathered until an answer is due.
	Nagle bool
	// Timeout bounds every read and every write; 0 is DefaultTimeout.
	Timeout time.Duration
}

// DefaultTimeout is how long a test waits for a filter that does not answer.
const DefaultTimeout = 10 * time.Second

const (
	allActions  uint32 = 0x1ff
	allProtocol uint32 = 0x1fffff
	v2Actions   uint32 = 0x3f
	v2Protocol  uint32 = 0x7f
)

const tlsMacros = "{tls_version} {cipher} {cipher_bits} {cert_subject} {cert_issuer}"

// Postfix behaves like Postfix 3.7 with its default macro lists.
func Postfix() Profile {
	return Profile{
		Version:  6,
		Actions:  allActions,
		Protocol: allProtocol,
		Family:   LikePostfix,
		Macros: [stages][]string{
			StageConnect: words("j {daemon_name} {daemon_addr} v _"),
			StageHelo:    words(tlsMacros),
			StageMail:    words("i {auth_type} {auth_authen} {auth_author} {mail_addr} {mail_host} {mail_mailer}"),
			StageRcpt:    words("i {rcpt_addr} {rcpt_host} {rcpt_mailer}"),
			StageData:    words("i"),
			StageEOH:     words("i"),
			StageEOM:     words("i"),
		},
		Values: map[string]string{
			"j": "mx.test", "v": "Postfix 3.7.11",
			"daemon_name": "smtpd", "daemon_addr": "192.0.2.1", "daemon_port": "25",
			"mail_mailer": "smtp", "rcpt_mailer": "smtp",
		},
		MacroAlways:      true,
		MacroEveryHeader: true,
		AbortsAfter:      1,
		RejectText:       "550 5.7.1 Command rejected",
		TempfailText:     "451 4.7.1 Service unavailable - try again later",
	}
}

// Sendmail behaves like Sendmail 8.17 with its default macro lists.
func Sendmail() Profile {
	return Profile{
		Version:  6,
		Actions:  allActions,
		Protocol: allProtocol,
		Family:   LikeSendmail,
		Macros: [stages][]string{
			StageConnect: words("j _ {daemon_name} {if_name} {if_addr}"),
			StageHelo:    words(tlsMacros),
			StageMail:    words("i {auth_type} {auth_authen} {auth_ssf} {auth_author} {mail_mailer} {mail_host} {mail_addr}"),
			StageRcpt:    words("{rcpt_mailer} {rcpt_host} {rcpt_addr}"),
			StageEOM:     words("{msg_id}"),
		},
		Values: map[string]string{
			"j": "mx.test", "v": "8.17.1.9",
			"daemon_name": "MTA", "if_name": "mx.test",
			"mail_mailer": "esmtp", "rcpt_mailer": "relay",
		},
		QueueIDAtMail: true,
		RejectText:    "550 5.7.1 Command rejected",
		TempfailText:  "451 4.3.2 Please try again later",
	}
}

// V2 behaves like Sendmail 8.12: version 2 of the protocol, no DATA, no
// leading blanks, an answer to everything.
func V2() Profile {
	p := Sendmail()
	p.Version = 2
	p.Actions = v2Actions
	p.Protocol = v2Protocol
	p.Values["v"] = "8.12.11"
	p.Macros[StageEOM] = nil
	return p
}
