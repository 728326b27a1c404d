package peers

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	mathrand "math/rand/v2"
	"mime/quotedprintable"
	"net/netip"
	"strings"
	"testing"

	"github.com/emersion/go-msgauth/dkim"

	"assay/dnscache/dnstest"
	"assay/filter/miltertest"
)

// authors is how many author domains there are: enough that a cache is needed,
// and few enough that it is filled at once.
const authors = 8

// mail is a message, and the number of signatures that must pass.
type mail struct {
	miltertest.Message
	signatures int
}

// postOffice makes signed messages, and the zone by which they verify.
type postOffice struct {
	key    *rsa.PrivateKey
	public string // as in a key record
	zone   *dnstest.Zone
}

// signers sign, in this order, what an author sends: himself, and the services
// that he sends through.
func signers(author string) []string { return []string{author, "esp.example", "relay.example"} }

func newPostOffice(t testing.TB) *postOffice {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	public, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	zone := dnstest.New()
	p := &postOffice{key, base64.StdEncoding.EncodeToString(public), zone}
	p.publish("esp.example")
	p.publish("relay.example")
	// Loopback is where mail through Postfix comes from.
	zone.Add("_spf.esp.example", "TXT", "v=spf1 ip4:198.51.100.0/24 ip4:192.0.2.0/24 ip4:127.0.0.1 -all")
	zone.Add("out.esp.example", "A", "192.0.2.7")
	zone.Add("7.2.0.192.in-addr.arpa", "PTR", "out.esp.example")
	for n := range authors {
		domain := author(n)
		p.publish(domain)
		zone.Add(domain, "TXT", "v=spf1 ip4:203.0.113.0/24 include:_spf.esp.example -all")
		zone.Add("_dmarc."+domain, "TXT", "v=DMARC1; p=reject; rua=mailto:dmarc@"+domain)
	}
	return p
}

// publish makes the key of a domain known.
func (p *postOffice) publish(domain string) {
	p.zone.Add("s1._domainkey."+domain, "TXT", "v=DKIM1; k=rsa; p="+p.public[:200], p.public[200:])
}

func author(n int) string { return fmt.Sprintf("author%d.example", n%authors) }

// post addresses and signs one message for each author.
func (p *postOffice) post(t testing.TB, signatures int, content func(n int) (fields, body string)) []mail {
	t.Helper()
	var all []mail
	for n := range authors {
		fields, body := content(n)
		raw := []byte(header(n) + fields + "\r\n" + body)
		for _, domain := range signers(author(n))[:signatures] {
			raw = p.sign(t, domain, raw)
		}
		all = append(all, mail{miltertest.Message{
			Client: netip.MustParseAddrPort("192.0.2.7:25000"), ClientName: "out.esp.example", Helo: "out.esp.example",
			From: "bounce@" + author(n), Rcpts: []string{"b@rcpt.test"}, Raw: raw,
		}, signatures})
	}
	return all
}

func (p *postOffice) sign(t testing.TB, domain string, raw []byte) []byte {
	t.Helper()
	var signed bytes.Buffer
	err := dkim.Sign(&signed, bytes.NewReader(raw), &dkim.SignOptions{
		Domain: domain, Selector: "s1", Signer: p.key,
		HeaderCanonicalization: dkim.CanonicalizationRelaxed, BodyCanonicalization: dkim.CanonicalizationRelaxed,
		HeaderKeys: []string{"From", "To", "Subject", "Date", "Message-Id", "Mime-Version", "Content-Type"},
	})
	if err != nil {
		t.Fatal(err)
	}
	return signed.Bytes()
}

// header is what mail from a service carries by the time it arrives.
func header(n int) string {
	return fmt.Sprintf("Received: from app.esp.example (app.esp.example [198.51.100.4])\r\n\tby out.esp.example with ESMTPS id %08x\r\n"+
		"\tfor <b@rcpt.test>; Tue, 24 Nov 2026 06:18:34 +0000\r\n"+
		"From: =?utf-8?q?The_Author?= <news@%[2]s>\r\nTo: b@rcpt.test\r\nSubject: What happened in week %[1]d\r\n"+
		"Date: Tue, 24 Nov 2026 06:18:33 +0000\r\nMessage-Id: <%08[1]x@%[2]s>\r\nMime-Version: 1.0\r\nReply-To: answers@%[2]s\r\n"+
		"List-Unsubscribe: <https://%[2]s/leave?id=%[1]d>, <mailto:leave@%[2]s>\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"+
		"X-Mailer: Sender 4.2\r\nX-Campaign: c-%[1]d\r\n", n, author(n))
}

// plain is ordinary text of that size.
func plain(size int) func(int) (fields, body string) {
	return func(n int) (fields, body string) {
		return "Content-Type: text/plain; charset=utf-8\r\n", prose(uint64(n), size)
	}
}

// vocabulary is what prose is made of: Rspamd looks for the language.
var vocabulary = strings.Fields(`the of and to a in that is was he for it with as his on be at by had not are but from or
	have an they which one you were all her she there would their we him been has when who will no more if out so said what
	up its about than into them can only other time new some could these two may first then do any like my now over such our
	man me even most made after also did many fore off before must well back through years where much your way down should
	because long each just state people too mister how good world mail letter week offer order account meeting report`)

// prose is text of words in lines of up to 76 columns.
func prose(seed uint64, size int) string {
	random := mathrand.New(mathrand.NewPCG(seed, 1))
	var text strings.Builder
	for column := 0; text.Len() < size-2; {
		word := vocabulary[random.IntN(len(vocabulary))]
		if column+len(word) > 75 {
			text.WriteString("\r\n")
			column = 0
		}
		text.WriteString(word + " ")
		column += len(word) + 1
	}
	return text.String() + "\r\n"
}

// realLife is what comes in on a working day: newsletters of HTML in
// quoted-printable and base64, attachments, and short notes.
func realLife(n int) (fields, body string) {
	html := func(size int) string {
		return "<html><body><table width=\"600\"><tr><td style=\"font-family:Arial\">" +
			strings.ReplaceAll(prose(uint64(n), size), "\r\n", "</td></tr>\r\n<tr><td class=\"grün\">") + "</td></tr></table></body></html>\r\n"
	}
	switch n % 4 {
	case 0:
		return multipart("alternative", part{"text/plain", quoted(prose(1, 3<<10))}, part{"text/html", encoded([]byte(html(24 << 10)))})
	case 1:
		return multipart("alternative", part{"text/plain", quoted(prose(1, 2<<10))}, part{"text/html", quoted(html(30 << 10))})
	case 2:
		random := mathrand.NewChaCha8([32]byte{byte(n)})
		attached := make([]byte, 64<<10)
		_, _ = random.Read(attached) // never fails
		return multipart("mixed", part{"text/plain", quoted(prose(2, 1<<10))}, part{"application/pdf", encoded(attached)})
	}
	return multipart("alternative", part{"text/plain", quoted(prose(3, 1<<10))}, part{"text/html", quoted(html(2 << 10))})
}

// part is one part of a message: its type, and its encoding and text.
type part struct{ kind, text string }

func multipart(kind string, parts ...part) (fields, body string) {
	const boundary = "=_part_0_1234567890"
	for _, p := range parts {
		body += "--" + boundary + "\r\nContent-Type: " + p.kind + "; charset=utf-8\r\n" + p.text
	}
	return "Content-Type: multipart/" + kind + ";\r\n\tboundary=\"" + boundary + "\"\r\n", body + "--" + boundary + "--\r\n"
}

func quoted(text string) string {
	var out strings.Builder
	w := quotedprintable.NewWriter(&out)
	_, _ = w.Write([]byte(text)) // to memory
	_ = w.Close()
	return "Content-Transfer-Encoding: quoted-printable\r\n\r\n" + out.String() + "\r\n"
}

func encoded(data []byte) string {
	text := base64.StdEncoding.EncodeToString(data)
	var out strings.Builder
	for ; len(text) > 76; text = text[76:] {
		out.WriteString(text[:76] + "\r\n")
	}
	return "Content-Transfer-Encoding: base64\r\n\r\n" + out.String() + text + "\r\n"
}
