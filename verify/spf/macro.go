package spf

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Why a domain-spec is refused; each stands behind ErrSyntax.
var (
	errMacro     = errors.New("malformed macro")
	errExpMacro  = errors.New("macro letter of explanations")
	errDigits    = errors.New("macro with zero parts")
	errDomainEnd = errors.New("domain ends neither in a top-level label nor in a macro")
)

// domainSpec is a domain-spec or macro-string of RFC 7208 §7.1, in order.
type domainSpec []piece

// piece is a macro-literal or a macro-expand. Where letter is 0 it stands for
// its text.
type piece struct {
	macro      bool
	text       string
	letter     byte // lower case
	escaped    bool // the letter was upper case: URL escaping
	parts      int  // right-hand parts to keep; 0 keeps all
	reversed   bool
	delimiters string
}

// maxParts stands for any larger number of parts, which keeps all. RFC 7208
// §7.3 asks for at least 127.
const maxParts = 1000

// parseDomainSpec reads a domain-spec, which must not be empty.
//
// RFC 7208 §12: domain-spec = macro-string domain-end, and
// domain-end = ( "." toplabel [ "." ] ) / macro-expand.
func parseDomainSpec(text string) (domainSpec, error) {
	if text == "" {
		return nil, errNoTarget
	}
	spec, err := parseMacroString(text)
	if err != nil {
		return nil, err
	}
	for _, p := range spec {
		// RFC 7208 §7.2: c, r and t stand in explanation texts only.
		if p.letter == 'c' || p.letter == 'r' || p.letter == 't' {
			return nil, errExpMacro
		}
	}
	if last := spec[len(spec)-1]; !last.macro && !endsInTopLabel(last.text) {
		return nil, shift(len(text)-len(last.text), errDomainEnd)
	}
	return spec, nil
}

// endsInTopLabel reports whether a literal ends in "." toplabel [ "." ].
//
// RFC 7208 §12: a toplabel is not all digits, neither begins nor ends with "-".
func endsInTopLabel(literal string) bool {
	literal = strings.TrimSuffix(literal, ".")
	dot := strings.LastIndexByte(literal, '.')
	label := literal[dot+1:]
	if dot < 0 || label == "" || label[0] == '-' || label[len(label)-1] == '-' {
		return false
	}
	for _, c := range []byte(label) {
		if !isAlphanumeric(c) && c != '-' {
			return false
		}
	}
	return strings.Trim(label, "0123456789") != ""
}

// parseMacroString reads a macro-string of visible ASCII.
func parseMacroString(text string) (domainSpec, error) {
	var spec domainSpec
	whole := len(text)
	for text != "" {
		literal, rest, found := strings.Cut(text, "%")
		if literal != "" {
			spec = append(spec, piece{text: literal})
		}
		if !found {
			break
		}
		p, rest, err := parseMacro(rest)
		if err != nil {
			return nil, shift(whole-len(text)+len(literal), err)
		}
		spec, text = append(spec, p), rest
	}
	return spec, nil
}

// parseMacro reads what follows a "%", and returns what follows the macro.
func parseMacro(text string) (p piece, rest string, err error) {
	switch {
	case strings.HasPrefix(text, "%"):
		return piece{macro: true, text: "%"}, text[1:], nil
	case strings.HasPrefix(text, "_"):
		return piece{macro: true, text: " "}, text[1:], nil
	case strings.HasPrefix(text, "-"):
		return piece{macro: true, text: "%20"}, text[1:], nil
	case !strings.HasPrefix(text, "{"):
		return piece{}, "", errMacro
	}
	body, rest, closed := strings.Cut(text[1:], "}")
	if !closed || body == "" {
		return piece{}, "", errMacro
	}
	p.macro = true
	p.letter = body[0] | 0x20
	p.escaped = body[0] != p.letter
	if !isLetter(body[0]) || strings.IndexByte("slodiphcrtv", p.letter) < 0 {
		return piece{}, "", errMacro
	}
	return p, rest, p.parseTransformers(body[1:])
}

// parseTransformers reads transformers *delimiter.
func (p *piece) parseTransformers(text string) error {
	digits := len(text) - len(strings.TrimLeft(text, "0123456789"))
	for _, c := range []byte(text[:digits]) {
		p.parts = min(p.parts*10+int(c-'0'), maxParts)
	}
	// RFC 7208 §7.3: the number of parts must not be zero.
	if digits > 0 && p.parts == 0 {
		return errDigits
	}
	text = text[digits:]
	if text != "" && text[0]|0x20 == 'r' {
		p.reversed, text = true, text[1:]
	}
	if strings.Trim(text, ".-+,/_=") != "" {
		return errMacro
	}
	p.delimiters = text
	return nil
}

// uses reports whether a macro of one of these letters stands in the spec.
func (s domainSpec) uses(letters string) bool {
	return slices.ContainsFunc(s, func(p piece) bool {
		return p.letter != 0 && strings.IndexByte(letters, p.letter) >= 0
	})
}

// expand returns the text of the spec, with value giving what a letter stands
// for. The result is as long as the values make it.
func (s domainSpec) expand(value func(letter byte) string) string {
	var b strings.Builder
	for _, p := range s {
		if p.letter == 0 {
			b.WriteString(p.text)
			continue
		}
		text := p.transform(value(p.letter))
		if p.escaped {
			text = urlEscape(text)
		}
		b.WriteString(text)
	}
	return b.String()
}

// transform splits, reverses, cuts and joins a value.
//
// RFC 7208 §7.3: split at any of the delimiters, "." where none is given;
// reverse; keep the right-hand parts; join with ".".
func (p piece) transform(value string) string {
	delimiters := p.delimiters
	if delimiters == "" {
		delimiters = "."
	}
	var parts []string
	for {
		i := strings.IndexAny(value, delimiters)
		if i < 0 {
			break
		}
		parts = append(parts, value[:i])
		value = value[i+1:]
	}
	parts = append(parts, value)
	if p.reversed {
		slices.Reverse(parts)
	}
	if p.parts > 0 && p.parts < len(parts) {
		parts = parts[len(parts)-p.parts:]
	}
	return strings.Join(parts, ".")
}

// urlEscape escapes every octet but the unreserved ones.
//
// RFC 7208 §7.3: an upper case letter asks for URL escaping, RFC 3986 §2.3.
func urlEscape(text string) string {
	var b strings.Builder
	for _, c := range []byte(text) {
		if isAlphanumeric(c) || strings.IndexByte("-._~", c) >= 0 {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}
