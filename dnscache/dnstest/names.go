package dnstest

import (
	"fmt"
	"strings"
)

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
		switch {
		case c == '"' || c == '\\':
			b.WriteByte('\\')
			b.WriteByte(c)
		case c < ' ' || c > '~':
			fmt.Fprintf(&b, `\%03d`, c)
		default:
			b.WriteByte(c)
		}
	}
	return b.String()
}
