package dnstest

import (
	"fmt"
	"strings"
)

// fold returns the form of a raw name that the zone is keyed by. It knows ASCII
// letters only, because the octets of a name need not be UTF-8.
func fold(name string) string {
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

// escape returns a raw name as the DNS library wants it: absolute, with what
// is not plain text escaped (RFC 1035 §5.1). Every dot ends a label.
func escape(name string) string {
	var b strings.Builder
	for _, c := range []byte(strings.TrimSuffix(name, ".")) {
		writeEscaped(&b, c, ` '@;()"\`)
	}
	return b.String() + "."
}

// unescape returns the raw form of a name from the DNS library, without final
// dot. It fails where a label contains a dot, which a raw name cannot show.
func unescape(name string) (raw string, ok bool) {
	raw, dots := decode(strings.TrimSuffix(name, "."))
	return raw, dots == 0
}

// characterStrings returns raw strings as the DNS library wants them, cut where
// one is too long for a character-string.
func characterStrings(raw []string) []string {
	var escaped []string
	for _, s := range raw {
		for ; len(s) > 255; s = s[255:] {
			escaped = append(escaped, characterString(s[:255]))
		}
		escaped = append(escaped, characterString(s))
	}
	return escaped
}

func characterString(raw string) string {
	var b strings.Builder
	for _, c := range []byte(raw) {
		writeEscaped(&b, c, `"\`)
	}
	return b.String()
}

func writeEscaped(b *strings.Builder, c byte, special string) {
	switch {
	case strings.IndexByte(special, c) >= 0:
		b.WriteByte('\\')
		b.WriteByte(c)
	case c < ' ' || c > '~':
		fmt.Fprintf(b, `\%03d`, c)
	default:
		b.WriteByte(c)
	}
}

// decode resolves the escapes \X and \DDD of RFC 1035 §5.1, and counts the
// dots that were escaped.
func decode(text string) (raw string, dots int) {
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		c := text[i]
		if c == '\\' && i+1 < len(text) {
			i++
			c = text[i]
			if i+2 < len(text) && isDigit(c) && isDigit(text[i+1]) && isDigit(text[i+2]) {
				c = (c-'0')*100 + (text[i+1]-'0')*10 + (text[i+2] - '0')
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
