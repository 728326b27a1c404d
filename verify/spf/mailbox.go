package spf

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"assay/verify/domain"
)

// MaxSenderBytes is the longest envelope sender that is read, in octets. RFC
// 5321 §4.5.3.1.3 asks for 256; senders that carry an encoded address inside
// are longer.
const MaxSenderBytes = 1024

// mailbox is an envelope sender.
type mailbox struct {
	local  string // without quotes and quoted-pairs; "postmaster" where there was none
	domain domain.Name
}

// parseMailbox reads a reverse-path without angle brackets. It fails with
// ErrMailbox where text is not a Mailbox of RFC 5321 §4.1.2, and with
// ErrNoDomain where it has no domain that can be looked up.
func parseMailbox(text string) (mailbox, error) {
	if len(text) > MaxSenderBytes || !utf8.ValidString(text) {
		return mailbox{}, fmt.Errorf("spf: %w", ErrMailbox)
	}
	local, host, ok := splitMailbox(text)
	if !ok || strings.HasSuffix(host, ".") {
		return mailbox{}, fmt.Errorf("spf: %w", ErrMailbox)
	}
	name, err := usableDomain(host)
	if err != nil {
		return mailbox{}, err
	}
	if local == "" {
		local = "postmaster" // RFC 7208 §4.3
	}
	return mailbox{local, name}, nil
}

// splitMailbox returns the local part, unquoted, and what follows its "@". A
// source route is not a mailbox: its "," is no character of a host.
func splitMailbox(text string) (local, host string, ok bool) {
	if strings.HasPrefix(text, `"`) {
		local, rest, ok := cutQuoted(text[1:])
		if !ok || !strings.HasPrefix(rest, "@") {
			return "", "", false
		}
		return local, rest[1:], true
	}
	local, host, ok = strings.Cut(text, "@")
	// RFC 7208 §4.3: there may be no local part. All others are Dot-strings,
	// in which no "@" can stand, so the first one is the last one.
	return local, host, ok && (local == "" || isDotString(local))
}

// cutQuoted reads a Quoted-string whose opening quote has been taken off, and
// returns its content and what follows it.
func cutQuoted(text string) (content, rest string, ok bool) {
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		c := text[i]
		switch {
		case c == '"':
			return b.String(), text[i+1:], true
		case c == '\\':
			i++
			if i == len(text) || text[i] < ' ' || text[i] > '~' {
				return "", "", false
			}
			c = text[i]
		case c < ' ' || c == 0x7f:
			return "", "", false
		}
		b.WriteByte(c)
	}
	return "", "", false
}

// isDotString reports whether s is a Dot-string, with the non-ASCII characters
// of RFC 6531 §3.3.
func isDotString(s string) bool {
	for atom := range strings.SplitSeq(s, ".") {
		if atom == "" {
			return false
		}
		for _, c := range []byte(atom) {
			if !isAlphanumeric(c) && c < utf8.RuneSelf && strings.IndexByte("!#$%&'*+-/=?^_`{|}~", c) < 0 {
				return false
			}
		}
	}
	return true
}

// usableDomain returns the name of an identity, or ErrNoDomain.
func usableDomain(text string) (domain.Name, error) {
	name, err := domain.Parse(text)
	switch {
	case err != nil:
		return domain.Name{}, fmt.Errorf("spf: %w: %w", ErrNoDomain, err)
	// RFC 7208 §4.3: a malformed or single-label domain gives none.
	case name.Labels() < 2:
		return domain.Name{}, fmt.Errorf("spf: %w: only one label", ErrNoDomain)
	// RFC 1123 §2.1: no top-level domain is numeric, so this is an address.
	case strings.Trim(name.Last(1).String(), "0123456789") == "":
		return domain.Name{}, fmt.Errorf("spf: %w: numeric top-level label", ErrNoDomain)
	}
	return name, nil
}

func isAlphanumeric(c byte) bool { return isLetter(c) || isDigit(c) }

func isLetter(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }

func isDigit(c byte) bool { return '0' <= c && c <= '9' }
