package dnscache

import (
	"fmt"
	"strings"

	"github.com/miekg/dns"
)

// Limits of RFC 1035 §2.3.4, in octets of the name without final dot.
const (
	maxName  = 253
	maxLabel = 63
)

// question is what an entry of the cache answers: a raw name, lower case and
// without final dot, and a type.
type question struct {
	name  string
	qtype uint16
}

// ask returns the question for name, which is absolute with or without final
// dot. It fails where the DNS cannot carry the name. It does not allocate where
// name is lower case.
func ask(name string, qtype uint16) (q question, ok bool) {
	name = strings.TrimSuffix(name, ".")
	if len(name) > maxName {
		return question{}, false
	}
	lower, start := true, 0
	for i := 0; i < len(name); i++ {
		c := name[i]
		if c == '.' {
			if i == start || i-start > maxLabel {
				return question{}, false
			}
			start = i + 1
		}
		lower = lower && (c < 'A' || c > 'Z')
	}
	if last := len(name) - start; last == 0 || last > maxLabel {
		return question{}, false
	}
	if !lower {
		name = toLower(name)
	}
	return question{name, qtype}, true
}

// toLower folds ASCII letters and nothing else: the octets of a name need not
// be UTF-8.
func toLower(name string) string {
	folded := []byte(name)
	for i, c := range folded {
		if 'A' <= c && c <= 'Z' {
			folded[i] = c + 'a' - 'A'
		}
	}
	return string(folded)
}

// key identifies q among the flights.
func (q question) key() string {
	return dns.Type(q.qtype).String() + " " + q.name
}

// wire returns the name of q as the DNS library wants it and returns it from
// the wire: absolute, unusual octets escaped.
func (q question) wire() string {
	plain := true
	for i := 0; i < len(q.name); i++ {
		c := q.name[i]
		plain = plain && c > ' ' && c <= '~' && !special(c)
	}
	if plain {
		return q.name + "."
	}
	var b strings.Builder
	for _, c := range []byte(q.name) {
		switch {
		case special(c):
			b.WriteByte('\\')
			b.WriteByte(c)
		case c < ' ' || c > '~':
			fmt.Fprintf(&b, `\%03d`, c)
		default:
			b.WriteByte(c)
		}
	}
	return b.String() + "."
}

// special reports whether the DNS library writes c in a name as \c. A dot never
// needs it here, it always ends a label.
func special(c byte) bool {
	return strings.IndexByte(` '@;()"\`, c) >= 0
}

// unescape returns the octets of a character-string from the DNS library, which
// writes it in zone text form: \X and \DDD (RFC 1035 §5.1).
func unescape(text string) string {
	if strings.IndexByte(text, '\\') < 0 {
		return text
	}
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		c := text[i]
		if c == '\\' && i+1 < len(text) {
			i++
			c = text[i]
			if i+2 < len(text) && '0' <= c && c <= '9' {
				c = (c-'0')*100 + (text[i+1]-'0')*10 + text[i+2] - '0'
				i += 2
			}
		}
		b.WriteByte(c)
	}
	return b.String()
}
