package authres

import "strings"

// What stands for a character that cannot be written as it is.
var (
	brackets       = strings.NewReplacer("(", "[", ")", "]")
	commentEscapes = strings.NewReplacer("(", `\(`, ")", `\)`, `\`, `\\`)
	reasonInstead  = strings.NewReplacer("(", "[", ")", "]", `\`, "/", `"`, "'")
	quotedEscapes  = strings.NewReplacer(`"`, `\"`, `\`, `\\`)
)

// Comment makes foreign text harmless for a comment or reason. Result.Comment
// and Result.Reason go through it when they are written; other places that
// quote strangers, such as log lines and SMTP replies, may use it too. What it
// returns is not escaped yet, and does not change when Comment is applied again.
//
//   - Only visible ASCII and single blanks remain, at most MaxCommentChars.
//   - ";" becomes ",", and "=" after a dotted word becomes ":", so that no
//     reader without a notion of comments finds a result or property there.
//   - Parentheses that do not pair become brackets, so that no reader without a
//     notion of backslashes takes the rest of the field for a comment.
func Comment(text string) string {
	// What lies further out cannot be seen; this bounds the work.
	text = text[:min(len(text), 16*MaxCommentChars)]
	words := strings.Fields(strings.Map(visible, text))
	for i, word := range words {
		if key, _, _ := strings.Cut(word, "="); strings.Contains(key, ".") {
			words[i] = strings.ReplaceAll(word, "=", ":")
		}
	}
	text = strings.Join(words, " ")
	text = strings.TrimRight(text[:min(len(text), MaxCommentChars)], " ")
	if !paired(text) {
		text = brackets.Replace(text)
	}
	return text
}

// visible drops what is not visible ASCII, and makes white space a blank.
func visible(r rune) rune {
	switch {
	case r == '\t' || r == '\n' || r == '\r':
		return ' '
	case r < ' ' || r > '~':
		return -1
	case r == ';':
		return ','
	}
	return r
}

// paired reports whether every parenthesis in text has its partner.
func paired(text string) bool {
	depth := 0
	for i := 0; i < len(text) && depth >= 0; i++ {
		switch text[i] {
		case '(':
			depth++
		case ')':
			depth--
		}
	}
	return depth == 0
}

// commentWords returns the comment as words with its parentheses, nil for
// none. A fold may stand between the words.
func commentWords(text string) []string {
	text = Comment(text)
	if text == "" {
		return nil
	}
	text = commentEscapes.Replace(text)
	return strings.Split("("+text+")", " ")
}

// reasonValue returns the reason as token or quoted-string, "" for none. Where
// a comment has escapes, a reason has other characters: there are readers that
// end a quoted-string at its first quote.
func reasonValue(text string) string {
	text = reasonInstead.Replace(Comment(text))
	if text == "" {
		return ""
	}
	return tokenOrQuoted(text)
}

// pvalueText returns a property value as it is written, "" where it must be
// left out; see Prop.
func pvalueText(value string) string {
	if !all(value, func(c byte) bool { return c == ' ' || ascii(c) }) ||
		strings.ContainsRune(value, ' ') && strings.ContainsRune(value, '=') {
		return ""
	}
	// RFC 8601 §2.2: email identities use the form with "@", not a quoted-string.
	if at := strings.LastIndexByte(value, '@'); at >= 0 && domainName(value[at+1:]) {
		if local, ok := localPart(value[:at]); ok {
			if strings.ContainsAny(strings.Trim(local, `"`), `;()"\`) {
				return ""
			}
			return local + value[at:]
		}
	}
	if strings.ContainsAny(value, `;()"\`) {
		return ""
	}
	return tokenOrQuoted(value)
}

// ascii reports whether c is a visible ASCII character.
func ascii(c byte) bool { return printable(c) && c < 0x80 }

// localPart returns text as the local-part before an "@", without needless
// quoting; an empty one is fine (RFC 8601 §2.2). ok is false when text is none.
func localPart(text string) (local string, ok bool) {
	if text == "" || dotAtom(text) {
		return text, true
	}
	s := &scanner{text: text}
	content, err := s.quoted()
	if err != nil || !s.done() {
		return "", false
	}
	return quoteLocal(content), true
}

// quoteLocal puts quotes around a local-part that needs them.
func quoteLocal(local string) string {
	if dotAtom(local) {
		return local
	}
	return quote(local)
}

func tokenOrQuoted(text string) string {
	if all(text, isToken) {
		return text
	}
	return quote(text)
}

func quote(text string) string {
	return `"` + quotedEscapes.Replace(text) + `"`
}
