package verify

import (
	"net/netip"
	"strings"

	"assay/verify/domain"
)

// hop is what a Received field says about who gave the message to whom.
type hop struct {
	helo string
	addr netip.Addr
	by   domain.Name
}

// maxReceived is the longest Received field that is read, in bytes.
const maxReceived = 2000

// readReceived reads a Received field as Postfix, Sendmail and Exim write it:
//
//	from HELO (NAME [ADDRESS]) (…) by HOST …
//	from HELO ([ADDRESS] helo=…) by HOST …
//
// HELO is the client's own word, and so is its NAME in the end: so that neither
// can pass for the address, HELO must be a host name or an address literal, the
// address is the one in the first comment, and there must be no other brackets
// in it. Every other form is refused.
func readReceived(text string) (hop, bool) {
	if len(text) > maxReceived || strings.ContainsFunc(text, func(r rune) bool { return r != '\t' && (r < ' ' || r > '~') }) {
		return hop{}, false
	}
	text = strings.ReplaceAll(text, "\t", " ")
	from, rest, _ := strings.Cut(text, " ")
	helo, rest, ok := strings.Cut(strings.TrimLeft(rest, " "), " ")
	if !ok || !strings.EqualFold(from, "from") || !isHelo(helo) {
		return hop{}, false
	}
	h := hop{helo: helo}
	comment, rest, ok := cutComment(rest)
	if !ok {
		return hop{}, false
	}
	if h.addr, ok = addressIn(comment); !ok {
		return hop{}, false
	}
	for more := true; more; {
		if _, after, ok := cutComment(rest); ok {
			rest = after
		} else {
			more = false
		}
	}
	words := strings.Fields(rest)
	if len(words) < 2 || !strings.EqualFold(words[0], "by") {
		return hop{}, false
	}
	by, err := domain.Parse(words[1])
	h.by = by
	return h, err == nil
}

func isHelo(text string) bool {
	if inner, ok := strings.CutPrefix(text, "["); ok {
		_, ok := parseLiteral(strings.TrimSuffix(inner, "]"))
		return ok && strings.HasSuffix(text, "]")
	}
	_, err := domain.Parse(text)
	return err == nil
}

// cutComment takes a comment off the start of text; one that is not closed is
// none.
func cutComment(text string) (comment, rest string, ok bool) {
	text = strings.TrimLeft(text, " ")
	if !strings.HasPrefix(text, "(") {
		return "", text, false
	}
	depth := 0
	for i := range len(text) {
		switch text[i] {
		case '\\', '"':
			return "", text, false // none of the three writes these
		case '(':
			depth++
		case ')':
			depth--
		}
		if depth == 0 {
			return text[1:i], text[i+1:], true
		}
	}
	return "", text, false
}

// addressIn returns the one address in brackets of a comment, which stands at
// its start or behind one word.
func addressIn(comment string) (netip.Addr, bool) {
	before, rest, ok := strings.Cut(comment, "[")
	inner, after, closed := strings.Cut(rest, "]")
	if !ok || !closed || strings.ContainsAny(after, "[]") || len(strings.Fields(before)) > 1 || strings.ContainsAny(before, "()]=") ||
		before != "" && !strings.HasSuffix(before, " ") || after != "" && !strings.HasPrefix(after, " ") {
		return netip.Addr{}, false
	}
	return parseLiteral(inner)
}

func parseLiteral(text string) (netip.Addr, bool) {
	bare, tagged := strings.CutPrefix(text, "IPv6:")
	addr, err := netip.ParseAddr(bare)
	if err != nil || addr.Zone() != "" || tagged && !addr.Is6() {
		return netip.Addr{}, false
	}
	return addr.Unmap(), true
}
