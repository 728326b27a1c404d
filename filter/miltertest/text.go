package miltertest

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
)

// Limits of the text that a filter may send.
const (
	MaxReplyLine  = 980 // octets of a line of an SMTP reply without CRLF: libmilter
	MaxReplyLines = 32  // lines of an SMTP reply: libmilter
	MaxHeaderLine = 998 // octets of a line of a field without CRLF: RFC 5322 §2.1.1
)

// smtpReply reads the payload of RepCode and returns the text that the client
// gets. Nothing is forgiven that either MTA answers with words of its own.
func smtpReply(payload []byte) (string, error) {
	text, ended := bytes.CutSuffix(payload, []byte{0})
	if !ended {
		return "", errors.New("no NUL at the end")
	}
	lines := strings.Split(string(text), "\r\n")
	if len(lines) > MaxReplyLines {
		return "", fmt.Errorf("%d lines", len(lines))
	}
	for i, line := range lines {
		if err := checkReplyLine(line, lines[0], i == len(lines)-1); err != nil {
			return "", fmt.Errorf("line %d: %w", i+1, err)
		}
		lines[i] = strings.ReplaceAll(line, "%%", "%")
	}
	return strings.Join(lines, "\r\n"), nil
}

// checkReplyLine checks a line of a reply whose first line is given.
func checkReplyLine(line, first string, last bool) error {
	switch {
	case len(line) < 4 || line[0] != '4' && line[0] != '5' || !isDigit(line[1]) || !isDigit(line[2]):
		return errors.New("no 4xx or 5xx code")
	case line[:3] != first[:3]:
		return errors.New("another code than the first line's")
	case last && line[3] != ' ', !last && line[3] != '-':
		return errors.New("wrong separator after the code")
	case len(line) > MaxReplyLine:
		return fmt.Errorf("%d octets", len(line))
	case strings.ContainsFunc(line, notReplyText):
		return errors.New("octet outside printable ASCII")
	case strings.Contains(strings.ReplaceAll(line, "%%", ""), "%"):
		return errors.New("a single %")
	}
	// RFC 2034 §4: the enhanced code's class is that of the reply code.
	rest := line[4:]
	if enhancedCode(rest) != enhancedCode(first[4:]) {
		return errors.New("another enhanced code than the first line's")
	}
	if class := enhancedCode(rest); class != "" && class[0] != line[0] {
		return errors.New("enhanced code of another class")
	}
	return nil
}

// enhancedCode returns the enhanced status code that text begins with, or "".
func enhancedCode(text string) string {
	code, _, _ := strings.Cut(text, " ")
	parts := strings.Split(code, ".")
	if len(parts) != 3 || len(parts[0]) != 1 {
		return ""
	}
	for _, part := range parts {
		if len(part) < 1 || len(part) > 3 || strings.ContainsFunc(part, notDigit) {
			return ""
		}
	}
	return code
}

// withEnhancedCode gives every line of a reply an enhanced code, as Sendmail
// does with one that has none.
func withEnhancedCode(smtp string) string {
	lines := strings.Split(smtp, "\r\n")
	for i, line := range lines {
		if enhancedCode(line[4:]) == "" {
			lines[i] = line[:4] + line[:1] + ".0.0 " + line[4:]
		}
	}
	return strings.Join(lines, "\r\n")
}

func isDigit(b byte) bool         { return '0' <= b && b <= '9' }
func notDigit(r rune) bool        { return r < '0' || r > '9' }
func notReplyText(r rune) bool    { return (r < ' ' && r != '\t') || r > '~' }
func notInFieldName(r rune) bool  { return r <= ' ' || r > '~' || r == ':' }
func blank(b byte) bool           { return b == ' ' || b == '\t' }
func onlyBlanks(line string) bool { return strings.Trim(line, " \t") == "" }

// checkField checks a field as the filter may send it: lines end in LF and
// each but the first begins with a blank.
func checkField(name, value string) error {
	if name == "" || strings.ContainsFunc(name, notInFieldName) {
		return errors.New("not a field name")
	}
	if strings.Contains(value, "\r") {
		return errors.New("CR") // delivered as CR CR LF by both MTAs
	}
	room := MaxHeaderLine - len(name) - len(":")
	for i, line := range strings.Split(value, "\n") {
		switch {
		case i > 0 && (line == "" || !blank(line[0])):
			return errors.New("LF without a blank after it")
		case i > 0 && onlyBlanks(line):
			return errors.New("line of blanks only") // RFC 5322 §3.2.2
		case len(line) > room:
			return fmt.Errorf("line of %d octets", len(line)+MaxHeaderLine-room)
		}
		room = MaxHeaderLine
	}
	return nil
}
