package authres

import "strings"

// printable reports whether c may stand for itself in a comment or
// quoted-string: visible ASCII, or part of a UTF-8 sequence (RFC 6532 §3.2).
func printable(c byte) bool { return c > ' ' && c != 0x7f }

// isToken reports whether c may stand in a token (RFC 2045 §5.1), or is part
// of a UTF-8 sequence: RFC 8601 §2.5 has authserv-ids in UTF-8.
func isToken(c byte) bool {
	return printable(c) && strings.IndexByte(`()<>@,;:\"/[]?=`, c) < 0
}

// isAtom reports whether c may stand in a dot-atom, the dot included (RFC 5322
// §3.2.3).
func isAtom(c byte) bool {
	return printable(c) && strings.IndexByte(`()<>@,;:\"[]`, c) < 0
}

func isKeyword(c byte) bool { return isLetDig(c) || c == '-' }

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

func isLetDig(c byte) bool {
	return isDigit(c) || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
}

// all reports whether text is one or more characters of a class.
func all(text string, class func(byte) bool) bool {
	for i := 0; i < len(text); i++ {
		if !class(text[i]) {
			return false
		}
	}
	return text != ""
}

// keyword reports whether text is a Keyword of RFC 5321 §4.1.2: letters,
// digits and hyphens, the last one no hyphen.
func keyword(text string) bool {
	return all(text, isKeyword) && text[len(text)-1] != '-'
}

// dotAtom reports whether text is a dot-atom-text (RFC 5322 §3.2.3).
func dotAtom(text string) bool {
	return all(text, isAtom) && text[0] != '.' && text[len(text)-1] != '.' && !strings.Contains(text, "..")
}

// domainName reports whether text is a domain-name as RFC 8601 §2.2 takes it
// from RFC 6376 §3.5: two or more labels of letters, digits and inner hyphens,
// or U-labels (RFC 6531 §3.3).
func domainName(text string) bool {
	labels := 0
	for label := range strings.SplitSeq(text, ".") {
		if !all(label, isLabel) || label[0] == '-' || label[len(label)-1] == '-' {
			return false
		}
		labels++
	}
	return labels >= 2
}

func isLabel(c byte) bool { return isKeyword(c) || c >= 0x80 }
