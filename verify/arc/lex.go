package arc

import (
	"fmt"
	"strings"
)

// skip returns the index behind the comment, quoted-string or character at
// text[at]; -1 when that is cut short or has no business there (RFC 5322 §3.2).
func skip(text string, at int) int {
	switch text[at] {
	case '"':
		return skipTo(text, at, 0, '"')
	case '(':
		return skipTo(text, at, '(', ')')
	case ')', '\\':
		return -1
	}
	return at + 1
}

// skipTo returns the index behind the end that belongs to the opening
// character at text[at]. nest is what opens another level, 0 when none can.
func skipTo(text string, at int, nest, end byte) int {
	for depth := 1; ; {
		if at++; at >= len(text) {
			return -1
		}
		switch c := text[at]; {
		case c == '\\':
			at++
		case c == end:
			if depth--; depth == 0 {
				return at + 1
			}
		case c == nest:
			depth++
		}
	}
}

// cut parts text at its first ";" outside of comments and quoted-strings. Without one
// it fails.
func cut(text string) (before, after string, err error) {
	for at := 0; at < len(text); {
		if text[at] == ';' {
			return text[:at], text[at+1:], nil
		}
		if at = skip(text, at); at < 0 {
			break
		}
	}
	return "", "", fmt.Errorf("%w: no \";\"", ErrSyntax)
}

// split parts text at each ";" outside of comments and quoted-strings. Where one
// of these has no end, nobody can say which ";" that would be.
func split(text string) ([]string, error) {
	var parts []string
	start := 0
	for at := 0; at < len(text); {
		if text[at] == ';' {
			parts = append(parts, text[start:at])
			start = at + 1
		}
		if at = skip(text, at); at < 0 {
			return nil, fmt.Errorf("%w: unbalanced comment or quoted-string", ErrSyntax)
		}
	}
	return append(parts, text[start:]), nil
}

// uncomment returns text, which cut has read, with a blank in place of each
// comment.
func uncomment(text string) string {
	if !strings.Contains(text, "(") {
		return text
	}
	var b strings.Builder
	for at := 0; at < len(text); {
		next := skip(text, at)
		if text[at] == '(' {
			b.WriteByte(' ')
		} else {
			b.WriteString(text[at:next])
		}
		at = next
	}
	return b.String()
}
