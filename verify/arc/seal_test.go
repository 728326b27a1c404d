package arc

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"testing"

	"assay/dnscache/dnstest"
	"assay/verify/dkim"
	"assay/verify/message"
	"assay/verify/tags"
)

// mail is a message on its way, and the keys of all stations it passes.
type mail struct {
	t      testing.TB
	zone   *dnstest.Zone
	header message.Header
	body   string
	sets   int
}

// station is what one sealer does; the zero values of its fields are the usual.
type station struct {
	domain  string
	results string // payload of the AAR; "" for a plain one
	signer  string // domain of the AMS; "" for the sealer's
	cv      string // "" for what fits
	h       string // of the AMS; "" for the usual
	canon   string // "" for relaxed/relaxed
	ams, as string // further tags of each, with final ";"
}

func newMail(t testing.TB) *mail {
	return &mail{
		t:    t,
		zone: dnstest.New(),
		header: message.Header{
			{Name: "From", Value: " Ann <ann@author.example>"},
			{Name: "To", Value: " list@list.example"},
			{Name: "Subject", Value: " Greetings"},
			{Name: "Date", Value: " Mon, 23 Nov 2026 10:00:00 +0000"},
		},
		body: "Hello  world\r\n\r\nand all\r\n",
	}
}

// key makes the key of a domain, always the same, and publishes it. Selector s
// is used throughout.
func (m *mail) key(domain string) ed25519.PrivateKey {
	seed := sha256.Sum256([]byte(domain))
	key := ed25519.NewKeyFromSeed(seed[:])
	m.publish(domain, "v=DKIM1; k=ed25519; p="+base64.StdEncoding.EncodeToString(key.Public().(ed25519.PublicKey)))
	return key
}

// publish sets the key record of a domain, unless it has one.
func (m *mail) publish(domain, record string) {
	name := "s._domainkey." + domain
	if txt, err := m.zone.TXT(m.t.Context(), name); err == nil && len(txt.Records) > 0 {
		return
	}
	m.zone.Add(name, "TXT", record)
}

// seal puts another set on top.
func (m *mail) seal(s station) *mail {
	m.sets++
	i := m.sets
	plain := func(value *string, usual string) {
		if *value == "" {
			*value = usual
		}
	}
	plain(&s.results, " "+s.domain+"; dmarc=pass header.from=author.example")
	plain(&s.signer, s.domain)
	plain(&s.h, "from:to:subject:date:to")
	plain(&s.canon, "relaxed/relaxed")
	if i == 1 {
		plain(&s.cv, "none")
	}
	plain(&s.cv, "pass")

	m.top("ARC-Authentication-Results", fmt.Sprintf(" i=%d;%s", i, s.results))
	m.top("ARC-Message-Signature", fmt.Sprintf(" i=%d; a=ed25519-sha256; d=%s; s=s;\r\n\tc=%s; %s h=%s; bh=%s;\r\n\tb=",
		i, s.signer, s.canon, s.ams, s.h, m.bodyHash(s)))
	m.sign(s.signer, func(list tags.List) []byte {
		header, _, _ := strings.Cut(s.canon, "/")
		text := dkim.AppendSelected(nil, dkim.Canon(header), m.header, tags.Items(s.h), 0)
		return dkim.AppendUnsigned(text, dkim.Canon(header), m.header[0], list)
	})
	m.top("ARC-Seal", fmt.Sprintf(" i=%d; a=ed25519-sha256; cv=%s; d=%s; s=s; %s\r\n\tb=", i, s.cv, s.domain, s.as))
	m.sign(s.domain, m.sealed)
	return m
}

// sealed is what the seal on top is made over: the sets lie in the header newest
// first, so their fields are taken from the bottom up.
func (m *mail) sealed(list tags.List) []byte {
	var text []byte
	for at := len(m.header) - 1; at > 0; at-- {
		if kindOf(m.header[at]) != kinds {
			text = dkim.AppendField(text, dkim.Relaxed, m.header[at])
		}
	}
	return dkim.AppendUnsigned(text, dkim.Relaxed, m.header[0], list)
}

func (m *mail) bodyHash(s station) string {
	_, canon, _ := strings.Cut(s.canon, "/")
	list, err := tags.Parse("none=;" + s.ams)
	if err != nil {
		m.t.Fatal(err)
	}
	length, _ := dkim.ReadLength(list)
	var bodies dkim.Bodies
	hash := bodies.Want(dkim.Canon(canon), length)
	bodies.Write([]byte(m.body))
	bodies.Close()
	return base64.StdEncoding.EncodeToString(hash.Sum())
}

// sign completes the field on top, which ends in "b=".
func (m *mail) sign(domain string, text func(tags.List) []byte) {
	list, err := tags.Parse(m.header[0].Value)
	if err != nil {
		m.t.Fatal(err)
	}
	digest := sha256.Sum256(text(list))
	m.header[0].Value += base64.StdEncoding.EncodeToString(ed25519.Sign(m.key(domain), digest[:]))
}

// top puts a field above all others.
func (m *mail) top(name, value string) *mail {
	m.header = slices.Insert(m.header, 0, message.Field{Name: name, Value: value})
	return m
}

// edit replaces old by new in the topmost field of that name that holds it.
func (m *mail) edit(name, old, new string) *mail {
	m.t.Helper()
	for at, f := range m.header {
		if f.Is(name) && strings.Contains(f.Value, old) {
			m.header[at].Value = strings.Replace(f.Value, old, new, 1)
			return m
		}
	}
	m.t.Fatalf("no %s with %q", name, old)
	return m
}

// drop removes the topmost field of a name.
func (m *mail) drop(name string) *mail {
	at := slices.IndexFunc(m.header, func(f message.Field) bool { return f.Is(name) })
	m.header = slices.Delete(m.header, at, at+1)
	return m
}

// validate forgets the questions of the preparation and validates the mail.
func (m *mail) validate() Chain {
	m.zone.Reset()
	return run(m.zone, m.header, m.body)
}

// text returns the mail as it is sent.
func (m *mail) text() string {
	var b strings.Builder
	for _, f := range m.header {
		b.WriteString(f.Name + ":" + f.Value + "\r\n")
	}
	return b.String() + "\r\n" + m.body
}
