package config

import (
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/pelletier/go-toml/v2/unstable"

	"assay/verify/domain"
)

// decode reads one TOML value into what target points to. It is the list of
// types that a setting can have; encode is its mirror.
func decode(n *unstable.Node, target any) error {
	switch p := target.(type) {
	case *bool:
		if n.Kind != unstable.Bool {
			return wrongType(n, "true or false").hinted("write true or false, without quotes")
		}
		*p = string(n.Data) == "true"
		return nil
	case *int:
		return decodeInt(n, p)
	case *time.Time:
		return decodeTime(n, p)
	case *time.Duration:
		if n.Kind == unstable.Integer || n.Kind == unstable.Float {
			_, err := parseDuration(strings.ReplaceAll(string(n.Data), "_", ""))
			return err
		}
		return decodeText(n, p, parseDuration, "a duration", "3s")
	case *string:
		return decodeText(n, p, parseText, "text", "…")
	case *Mode:
		return decodeText(n, p, parseWord[Mode], "a word", string(Observe))
	case *Action:
		return decodeText(n, p, parseWord[Action], "a word", string(Accept))
	case *AuthservID:
		return decodeText(n, p, ParseAuthservID, "a name", "mx.example.org")
	case *Address:
		return decodeText(n, p, ParseAddress, "an address", "inet:127.0.0.1:8891")
	case *StatusAddress:
		return decodeText(n, p, ParseStatusAddress, "an address", "127.0.0.1:8892")
	case *Word:
		return decodeText(n, p, parseWord[Word], "a word", "pass")
	case *YesNo:
		var value bool
		err := decode(n, &value)
		*p = YesNo(strconv.FormatBool(value))
		return err
	case *Path:
		return decodeText(n, p, parsePath, "a file", "next.toml")
	case *Name:
		return decodeText(n, p, parseName, "a name", "bad-helo")
	case *Recipient:
		return decodeText(n, p, parseRecipient, "a recipient", "user@example.org")
	case *HeaderField:
		return decodeText(n, p, parseHeader, "a field", "X-Name: value")
	case *Reply:
		return decodeReply(n, p)
	case *domain.Pattern:
		return decodeText(n, p, parsePattern, "a domain", "example.org")
	case *domain.Name:
		return decodeText(n, p, parseDomain, "a domain", "example.org")
	case *netip.Addr:
		return decodeText(n, p, parseAddr, "an IP address", "192.0.2.7")
	case *Signature:
		return decodeText(n, p, parseSignature, "a signature", "pass example.org")
	case *netip.Prefix:
		return decodeText(n, p, parsePrefix, "a network", "192.0.2.0/24")
	case *Server:
		return decodeText(n, p, parseServer, "an address", "192.0.2.53")
	}
	return faultf("a setting of type %T cannot be read", target)
}

// decodeText reads a string and makes of it what parse does.
func decodeText[T any](n *unstable.Node, p *T, parse func(string) (T, error), what, example string) error {
	if n.Kind != unstable.String {
		return wrongType(n, what).hinted(`write it in quotes, such as "%s"`, example)
	}
	value, err := parse(string(n.Data))
	if err == nil {
		*p = value
	}
	return err
}

func decodeInt(n *unstable.Node, p *int) error {
	if n.Kind != unstable.Integer {
		return wrongType(n, "a whole number").hinted("write digits without quotes, such as 50000")
	}
	raw := clipped(string(n.Data), maxQuoted)
	value, err := strconv.ParseInt(strings.ReplaceAll(string(n.Data), "_", ""), 0, strconv.IntSize)
	switch {
	case err != nil && raw[0] == '-':
		return faultf("%s is too small", raw)
	case err != nil:
		return faultf("%s is too large", raw)
	}
	*p = int(value)
	return nil
}

func decodeTime(n *unstable.Node, p *time.Time) error {
	switch n.Kind {
	case unstable.LocalDate, unstable.LocalDateTime, unstable.DateTime:
		value, err := parseTime(string(n.Data))
		*p = value
		return err
	}
	return wrongType(n, "a date").hinted("write a date without quotes, such as 2027-03-01")
}

// wrongType says what stands where something else is wanted.
func wrongType(n *unstable.Node, want string) *fault {
	raw := clipped(string(n.Data), maxQuoted)
	switch n.Kind {
	case unstable.String:
		return faultf("%s is text, not %s", quoted(string(n.Data)), want)
	case unstable.Array:
		return faultf("a list, not %s", want)
	case unstable.InlineTable:
		return faultf("a table, not %s", want)
	case unstable.Bool:
		return faultf("%s is a boolean, not %s", raw, want)
	case unstable.Integer, unstable.Float:
		return faultf("%s is a number, not %s", raw, want)
	case unstable.LocalTime:
		return faultf("%s is a time, not %s", raw, want)
	}
	return faultf("%s is a date, not %s", raw, want)
}
