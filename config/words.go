package config

import (
	"regexp"
	"strconv"
	"strings"

	"github.com/pelletier/go-toml/v2/unstable"

	"assay/verify/domain"
)

// Word is one of a few words, those of its setting.
type Word string

// YesNo is true, false, or not stated.
type YesNo string

// The values of YesNo.
const (
	Unstated YesNo = ""
	Yes      YesNo = "true"
	No       YesNo = "false"
)

// Path is a file. A relative one is meant from where the configuration is.
type Path string

func parsePath(text string) (Path, error) {
	text, err := parseText(text)
	return Path(text), err
}

// Name is what a rule is called: it goes into comments and logs as it is.
type Name string

var nameForm = regexp.MustCompile(`^[a-z][a-z0-9_-]{0,39}$`)

func parseName(text string) (Name, error) {
	if text != "" && !nameForm.MatchString(text) {
		return "", faultf("%s is not a name", quoted(text)).hinted(`write small letters, digits, "-" and "_", such as "bad-helo"`)
	}
	return Name(text), nil
}

// Recipient is a mailbox, or those of a domain.
type Recipient struct {
	Mailbox string // "user@example.org", in small letters; "" where Domain says it
	Domain  domain.Pattern
}

func (r Recipient) String() string {
	if r.Mailbox != "" {
		return r.Mailbox
	}
	return r.Domain.String()
}

var localForm = regexp.MustCompile("^[a-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}$")

func parseRecipient(text string) (Recipient, error) {
	at := strings.LastIndexByte(text, '@')
	if at < 0 {
		p, err := parsePattern(text)
		return Recipient{Domain: p}, err
	}
	local := strings.ToLower(text[:at])
	host, err := domain.Parse(text[at+1:])
	if err != nil || !localForm.MatchString(local) {
		return Recipient{}, faultf("%s is not a mailbox", quoted(text)).hinted(`write it as "user@example.org"`)
	}
	return Recipient{Mailbox: local + "@" + host.String()}, nil
}

// parsePattern reads a domain, or all below it.
func parsePattern(text string) (domain.Pattern, error) {
	p, err := domain.ParsePattern(text)
	if err == nil {
		return p, nil
	}
	if below, ok := strings.CutPrefix(text, "*."); ok {
		if name, err := domain.Parse(below); err == nil {
			return domain.Pattern{}, faultf("%s is not a domain name", quoted(text)).hinted(`write ".%s" for every name below it`, name)
		}
	}
	_, err = parseDomain(strings.TrimPrefix(text, "."))
	return domain.Pattern{}, err
}

// HeaderField is a field to add to a message.
type HeaderField struct{ Name, Value string }

func (h HeaderField) String() string { return h.Name + ": " + h.Value }

var (
	fieldForm = regexp.MustCompile(`^[Xx]-[A-Za-z0-9-]{1,60}$`)
	valueForm = regexp.MustCompile(`^[ -~]{1,200}$`)
)

// parseHeader reads "X-Name: value". Other names mean something to others, and
// X-Assay-… are ours.
func parseHeader(text string) (HeaderField, error) {
	name, value, _ := strings.Cut(text, ":")
	value = strings.TrimSpace(value)
	switch {
	case !fieldForm.MatchString(name) || !valueForm.MatchString(value):
		return HeaderField{}, faultf("%s is not a field that can be added", quoted(text)).
			hinted(`write "X-Name: value", in ASCII and on one line`)
	case strings.HasPrefix(strings.ToLower(name), "x-assay-"):
		return HeaderField{}, faultf("%s is a name of ours", quoted(name)).hinted("choose another X-… name")
	}
	return HeaderField{name, value}, nil
}

// Reply is an SMTP reply in the operator's words.
type Reply struct {
	Code     int    // 4xx or 5xx
	Enhanced string // RFC 3463, of the same class
	Lines    []string
}

// Limits of a reply: one of the MTAs takes no more.
const (
	MaxReplyLines = 20
	MaxReplyLine  = 300 // bytes
)

var replyForm = regexp.MustCompile(`^([45][0-5][0-9]) ([245])\.([0-9]{1,3}\.[0-9]{1,3}) +(\S.*)$`)

// decodeReply reads "550 5.7.1 text", or a list of which the first is such.
func decodeReply(n *unstable.Node, reply *Reply) error {
	var lines []string
	switch n.Kind {
	case unstable.String:
		lines = []string{string(n.Data)}
	case unstable.Array:
		for it := n.Children(); it.Next(); {
			if it.Node().Kind != unstable.String {
				return wrongType(it.Node(), "text").hinted("write it in quotes").ofItem(len(lines) + 1)
			}
			lines = append(lines, string(it.Node().Data))
		}
	default:
		return wrongType(n, "a reply").hinted(`write it in quotes, such as "550 5.7.1 Message refused"`)
	}
	return parseReply(lines, reply)
}

func parseReply(lines []string, reply *Reply) error {
	if len(lines) == 0 || len(lines) > MaxReplyLines {
		return faultf("a reply has 1 to %d lines", MaxReplyLines)
	}
	for i, line := range lines {
		switch {
		case strings.ContainsAny(line, "\r\n"):
			return faultf("%s has a line break", quoted(line)).hinted("write several lines as a list").ofItem(i + 1)
		case strings.ContainsFunc(line, func(r rune) bool { return r < ' ' || r > '~' }):
			return faultf("%s has a character that is not printable ASCII", quoted(line)).ofItem(i + 1)
		case len(line) > MaxReplyLine:
			return faultf("a line is longer than %d bytes", MaxReplyLine).ofItem(i + 1)
		case strings.TrimSpace(line) == "":
			return faultf("a line is empty").ofItem(i + 1)
		}
	}
	m := replyForm.FindStringSubmatch(lines[0])
	if m == nil {
		return faultf("%s is not an SMTP reply", quoted(lines[0])).
			hinted(`write code, status and text, such as "550 5.7.1 Message refused"`).ofItem(1)
	}
	if m[1][:1] != m[2] {
		// RFC 3463 §3.1, RFC 7372 §3: the first digit is the class of both.
		return faultf("%s and %s.%s are not of the same class", m[1], m[2], m[3]).
			hinted(`write "%s %s.%s"`, m[1], m[1][:1], m[3]).ofItem(1)
	}
	reply.Code, _ = strconv.Atoi(m[1])
	reply.Enhanced = m[2] + "." + m[3]
	reply.Lines = append([]string{m[4]}, lines[1:]...)
	return nil
}

// texts are the lines as they are written.
func (r Reply) texts() []string {
	if r.Code == 0 {
		return nil
	}
	texts := append([]string(nil), r.Lines...)
	texts[0] = strconv.Itoa(r.Code) + " " + r.Enhanced + " " + texts[0]
	return texts
}
