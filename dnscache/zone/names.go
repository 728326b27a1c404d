package zone

import (
	"fmt"
	"strings"

	"github.com/miekg/dns"
)

// Fold returns the form of a raw name that names are compared in: lower case,
// without final dot. Only ASCII letters have a lower case here, the octets of a
// name need not be UTF-8.
func Fold(name string) string {
	folded := []byte(strings.TrimSuffix(name, "."))
	for i, c := range folded {
		if 'A' <= c && c <= 'Z' {
			folded[i] = c + 'a' - 'A'
		}
	}
	return string(folded)
}

// legal reports whether the DNS can carry the raw name (RFC 1035 §2.3.4).
func legal(name string) bool {
	if name == "" || len(name) > 253 {
		return false
	}
	for label := range strings.SplitSeq(name, ".") {
		if label == "" || len(label) > 63 {
			return false
		}
	}
	return true
}

// Escape returns a raw name as the DNS library wants it and returns it from the
// wire: absolute, with what is not plain text escaped (RFC 1035 §5.1). Every
// dot ends a label.
func Escape(name string) string {
	name = strings.TrimSuffix(name, ".")
	plain := true
	for i := 0; i < len(name); i++ {
		c := name[i]
		plain = plain && c > ' ' && c <= '~' && !special(c)
	}
	if plain {
		return name + "."
	}
	var b strings.Builder
	for _, c := range []byte(name) {
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

// Unescape returns the raw form of a name from the DNS library, without final
// dot. It fails where a label contains a dot, which a raw name cannot show.
func Unescape(name string) (raw string, ok bool) {
	raw, dots := decode(strings.TrimSuffix(name, "."))
	return raw, dots == 0
}

// Text returns the character-strings of a record, joined and raw.
func Text(rr *dns.TXT) string {
	var record strings.Builder
	for _, part := range rr.Txt {
		raw, _ := decode(part)
		record.WriteString(raw)
	}
	return record.String()
}

// decode resolves the escapes \X and \DDD of RFC 1035 §5.1, and counts the
// dots that were escaped.
func decode(text string) (raw string, dots int) {
	if strings.IndexByte(text, '\\') < 0 {
		return text, 0
	}
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		c := text[i]
		if c == '\\' && i+1 < len(text) {
			i++
			c = text[i]
			if i+2 < len(text) && isDigit(c) && isDigit(text[i+1]) && isDigit(text[i+2]) {
				c = (c-'0')*100 + (text[i+1]-'0')*10 + text[i+2] - '0'
				i += 2
			}
			if c == '.' {
				dots++
			}
		}
		b.WriteByte(c)
	}
	return b.String(), dots
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }
