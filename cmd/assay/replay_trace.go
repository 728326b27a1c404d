package main

import (
	"net/mail"
	"slices"
	"strings"
	"time"

	"assay/verify/authres"
	"assay/verify/message"
)

// arrival completes m by what the topmost Received field says beside the client
// (RFC 5321 §4.4): the protocol, the recipient if it is one and none is known, and
// the time, which is returned; the zero Time where there is none.
func arrival(m *message.Message) (at time.Time) {
	for _, f := range m.Header.All("Received") {
		text := f.Unfolded()
		words := strings.Fields(text)
		if len(words) == 0 || !strings.EqualFold(words[0], "from") {
			continue // a local hand-over
		}
		for i, word := range words[:len(words)-1] {
			next := strings.TrimSuffix(words[i+1], ";")
			switch strings.ToLower(word) {
			case "with":
				m.Connection.TLS, m.Envelope.Authenticated = protocol(next)
			case "for":
				if strings.Contains(next, "@") && len(m.Envelope.Recipients) == 0 {
					m.Envelope.Recipients = []string{path(next)}
				}
			}
		}
		at, _ = mail.ParseDate(strings.TrimSpace(text[strings.LastIndexByte(text, ';')+1:])) // or the zero Time
		break
	}
	if len(m.Envelope.Recipients) == 0 {
		deliveredTo(m)
	}
	return at
}

// protocol reads a protocol of RFC 3848: an S in it is TLS, an A a login, whose
// name is not told.
func protocol(word string) (tls bool, login string) {
	word = strings.ToUpper(word)
	smtp := strings.HasPrefix(word, "UTF8") || strings.HasPrefix(word, "ESMTP") || strings.HasPrefix(word, "LMTP")
	kind := word[strings.LastIndexByte(word, 'P')+1:]
	if !smtp {
		return false, ""
	}
	if strings.Contains(kind, "A") {
		login = "(unknown)"
	}
	return strings.Contains(kind, "S"), login
}

// deliveredTo takes the recipient from what the delivery wrote, where Received
// names none.
func deliveredTo(m *message.Message) {
	if fields := m.Header.All("Delivered-To"); len(fields) > 0 {
		m.Envelope.Recipients = []string{path(fields[0].Unfolded())}
	}
}

// withoutLaterHops returns the header without the Received fields above the topmost
// results of ours: a server of ours has handed the message on since, and is not the
// client that was examined.
func withoutLaterHops(h message.Header, id authres.ID) message.Header {
	ours := slices.IndexFunc(h, func(f message.Field) bool { return claims(f, id) })
	if ours < 0 {
		return h
	}
	later := slices.DeleteFunc(slices.Clone(h[:ours]), func(f message.Field) bool { return f.Is("Received") })
	return append(later, h[ours:]...)
}

// asReceived returns the header as the milter saw it: without the topmost
// Received field that names a client, which our MTA wrote, and what was added
// above it. A header whose From is up there was put together in another order,
// and is left as it is.
func asReceived(h message.Header) message.Header {
	for i, f := range h {
		switch {
		case f.Is("From"):
			return h
		case f.Is("Received") && strings.HasPrefix(strings.ToLower(f.Unfolded()), "from "):
			return h[i+1:]
		}
	}
	return h
}
