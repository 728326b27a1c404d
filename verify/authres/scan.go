package authres

import (
	"fmt"
	"strings"
)

// scanner reads the lexical tokens of RFC 5322 §3.2 from a field value, in one
// pass and without recursion.
type scanner struct {
	text string
	pos  int
	// comment is the first text in parentheses that the last cfws skipped.
	comment string
}

func (s *scanner) done() bool { return s.pos >= len(s.text) }

// at reports whether c comes next.
func (s *scanner) at(c byte) bool { return !s.done() && s.text[s.pos] == c }

func (s *scanner) fail(what string) error {
	return fmt.Errorf("%w: %s at octet %d", ErrSyntax, what, s.pos)
}

// expect skips c.
func (s *scanner) expect(c byte) error {
	if !s.at(c) {
		return s.fail("no " + string(rune(c)))
	}
	s.pos++
	return nil
}

// run reads as many characters of a class as there are.
func (s *scanner) run(class func(byte) bool) string {
	start := s.pos
	for !s.done() && class(s.text[s.pos]) {
		s.pos++
	}
	return s.text[start:s.pos]
}

// blank returns how many octets of white space come next: one blank, with the
// line end of a fold before it; 0 when something else comes. A line end that
// no blank follows is not white space: it would end the field.
func (s *scanner) blank() int {
	rest := s.text[s.pos:]
	n := 0
	if strings.HasPrefix(rest, "\r\n") {
		n = 2
	} else if strings.HasPrefix(rest, "\n") {
		n = 1
	}
	if n < len(rest) && (rest[n] == ' ' || rest[n] == '\t') {
		return n + 1
	}
	return 0
}

// cfws skips white space and comments and reports whether there were any.
func (s *scanner) cfws() (found bool, err error) {
	s.comment = ""
	for {
		n := s.blank()
		if n == 0 && !s.at('(') {
			return found, nil
		}
		found = true
		if n > 0 {
			s.pos += n
			continue
		}
		text, err := s.readComment()
		if err != nil {
			return found, err
		}
		if s.comment == "" {
			s.comment = text
		}
	}
}

// readComment reads a comment and returns its text: without the outer
// parentheses and backslashes, and with single blanks.
func (s *scanner) readComment() (string, error) {
	var text strings.Builder
	depth := 0
	for !s.done() {
		if n := s.blank(); n > 0 {
			s.pos += n
			text.WriteByte(' ')
			continue
		}
		switch c := s.text[s.pos]; c {
		case '(':
			if depth++; depth > MaxCommentDepth {
				return "", fmt.Errorf("%w: comments nest deeper than %d", ErrTooLarge, MaxCommentDepth)
			}
			if depth > 1 {
				text.WriteByte(c)
			}
			s.pos++
		case ')':
			s.pos++
			if depth--; depth == 0 {
				return strings.Join(strings.Fields(text.String()), " "), nil
			}
			text.WriteByte(c)
		default:
			c, err := s.quotable()
			if err != nil {
				return "", err
			}
			text.WriteByte(c)
		}
	}
	return "", s.fail("comment without end")
}

// quoted reads a quoted-string and returns what it stands for.
func (s *scanner) quoted() (string, error) {
	if err := s.expect('"'); err != nil {
		return "", err
	}
	var text strings.Builder
	for !s.done() {
		if n := s.blank(); n > 0 {
			// RFC 5322 §3.2.4: the line end of a fold is not part of the
			// text, the blank after it is.
			s.pos += n
			text.WriteByte(s.text[s.pos-1])
			continue
		}
		if s.at('"') {
			s.pos++
			return text.String(), nil
		}
		c, err := s.quotable()
		if err != nil {
			return "", err
		}
		text.WriteByte(c)
	}
	return "", s.fail("quoted-string without end")
}

// quotable reads one character of a comment or quoted-string, or a quoted-pair
// (RFC 5322 §3.2.1), which may also be a blank. Other blanks are read before.
func (s *scanner) quotable() (byte, error) {
	if s.at('\\') {
		s.pos++
	}
	if s.done() {
		return 0, s.fail("lone backslash")
	}
	c := s.text[s.pos]
	if !printable(c) && c != ' ' && c != '\t' {
		return 0, s.fail("control character")
	}
	s.pos++
	return c, nil
}

// keyword reads a Keyword (RFC 5321 §4.1.2), in lower case.
func (s *scanner) keyword() (string, error) {
	start := s.pos
	word := s.run(isKeyword)
	if !keyword(word) {
		s.pos = start
		return "", s.fail("no keyword")
	}
	return strings.ToLower(word), nil
}

// value reads a value of RFC 2045 §5.1: a token or a quoted-string.
func (s *scanner) value() (string, error) {
	if s.at('"') {
		return s.quoted()
	}
	token := s.run(isToken)
	if token == "" {
		return "", s.fail("no token or quoted-string")
	}
	return token, nil
}
