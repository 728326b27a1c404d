package config

import (
	"net/netip"
	"time"

	"assay/verify/domain"
)

// Match is the conditions of a rule. One that is nil was not stated; an empty
// one, which a file may bring about, holds for nobody.
type Match struct {
	Networks       []netip.Prefix   `key:"networks" is:"lone" says:"the client"`
	ClientName     []domain.Pattern `key:"client_name" is:"lone" says:"its name, as verified by iprev; \".example.com\" is every name below"`
	Helo           []domain.Pattern `key:"helo" is:"lone" says:"what it calls itself: anybody can say anything"`
	EnvelopeSender []domain.Pattern `key:"envelope_sender" is:"lone" says:"domain of smtp.mailfrom"`
	AuthorDomain   []domain.Pattern `key:"author_domain" is:"lone" says:"the domain of the From field (header.from)"`
	Recipient      []Recipient      `key:"recipient" is:"lone" says:"mailboxes or domains; recipients judged differently get the mildest action"`
	SPF            []Word           `key:"spf" is:"lone" oneof:"none|neutral|pass|fail|softfail|temperror|permerror" says:"its result"`
	DKIM           []Word           `key:"dkim" is:"lone" oneof:"none|pass|fail|policy|neutral|temperror|permerror" says:"the result of one of the signatures"`
	ARC            []Word           `key:"arc" is:"lone" oneof:"none|pass|fail" says:"its result"`
	DMARC          []Word           `key:"dmarc" is:"lone" oneof:"none|pass|fail|temperror|permerror" says:"its result"`
	Requested      []Word           `key:"requested" is:"lone" oneof:"none|quarantine|reject" says:"what the author domain asks for with mail that fails"`
	SDID           []domain.Pattern `key:"sdid" is:"lone" says:"domain of a DKIM signature that passed (header.d)"`
	Author         []Word           `key:"author" is:"lone" oneof:"valid|missing|no-address|multiple-fields|field-name|multiple-domains|unparsable|encoded-word|control-character|invalid-domain|ambiguous" says:"what From is; others than valid get here only with policy.on_invalid_author = \"accept\""`
	TLS            YesNo            `key:"tls" says:"the session is encrypted"`
	Authenticated  YesNo            `key:"authenticated" says:"the client has logged in, and is not exempt"`
}

// Exception is a rule with an owner and an end.
type Exception struct {
	Match
	Action Action `key:"action" is:"required" oneof:"accept|tag|hold|reject|defer" says:"what is done instead"`
	Reason string `key:"reason" is:"required" says:"why, for those who come after you"`
	Owner  string `key:"owner" says:"whom to ask; may be left out"`
	// Until is the first moment at which the exception no longer holds; the
	// zero Time means that it always holds.
	Until time.Time `key:"until" says:"the first day (UTC) it no longer holds, or a date and time; may be left out"`
}

// Rule is a site's own decision about the messages that match.
type Rule struct {
	Name Name `key:"name" says:"for log and results; default: its number"`
	Match
	Action  Action      `key:"action" is:"required" oneof:"accept|tag|hold|reject|defer" says:"what is done"`
	Reply   Reply       `key:"reply" says:"in place of our words, for reject (550 5.x.x) or defer (450 4.x.x); a list is several lines"`
	Header  HeaderField `key:"header" says:"added to what is delivered; received ones of that name are removed; X-… only"`
	Percent int         `key:"percent" preset:"100" range:"0..100" says:"per cent of author domains for which the rule decides; for the others it is only logged (would_action=)"`
	Reason  string      `key:"reason" is:"required" says:"why, for those who come after you"`
}

// Forwarder is a relay that is trusted to pass mail on.
type Forwarder struct {
	Name            Name             `key:"name" says:"for the log; default: its number"`
	Networks        []netip.Prefix   `key:"networks" is:"lone" says:"where it comes from; this or client_name"`
	ClientName      []domain.Pattern `key:"client_name" is:"lone" says:"its name, as verified by iprev"`
	RecipientDomain []domain.Pattern `key:"recipient_domain" is:"required,lone" says:"whom it forwards for: all recipients of a message must be in it"`
	ReceivedFrom    bool             `key:"received_from" says:"SPF is evaluated for the client in the Received field that it wrote, while no DKIM signature fails"`
}
