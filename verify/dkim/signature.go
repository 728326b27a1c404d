package dkim

import (
	"encoding/base64"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"assay/verify/domain"
	"assay/verify/message"
	"assay/verify/tags"
)

// Limits of one signature field.
const (
	MaxFieldBytes = 16 << 10 // octets of a DKIM-Signature value
	MaxNames      = 256      // names in h=
	maxDigits     = 76       // RFC 6376 §3.5: digits of l=
)

// tolerance allows for clocks that differ, in x= and t=.
const tolerance = 300 * time.Second

// parsed is a signature field whose syntax is right.
type parsed struct {
	list          tags.List
	algorithm     string
	sdid          domain.Name
	selector      domain.Name
	auid          domain.Name // domain of i=
	names         []string    // h=
	header, body  Canon
	length        int64 // l=; -1 for none
	bodyHash, sig []byte
}

// parseSignature reads the value of a DKIM-Signature field in the order of
// RFC 6376 §6.1.1. What it can read before an error it leaves in s, so that a
// bad signature is still named by its clean parts.
func parseSignature(value string, now time.Time, s *Signature) (*parsed, error) {
	if len(value) > MaxFieldBytes {
		return nil, ErrFieldSize
	}
	list, err := tags.Parse(value)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrSyntax, err)
	}
	p := &parsed{list: list}
	nameErr := p.readNames(s)
	if v, _ := list.Get("v"); v != "1" {
		return nil, ErrVersion
	}
	for _, name := range []string{"a", "b", "bh", "d", "h", "s"} {
		if _, ok := list.Get(name); !ok {
			return nil, fmt.Errorf("%w: %s=", ErrTagMissing, name)
		}
	}
	if err := p.readAlgorithm(s); err != nil {
		return nil, err
	}
	if nameErr != nil {
		return nil, nameErr
	}
	for _, read := range []func(*Signature) error{p.readAUID, p.readSigned, p.readQuery, p.readLength} {
		if err := read(s); err != nil {
			return nil, err
		}
	}
	if err := p.readTimes(now); err != nil {
		return nil, err
	}
	if err := p.readHashes(s); err != nil {
		return nil, err
	}
	return p, p.readCanon(s)
}

// readNames reads d= and s=. RFC 6376 §3.5: a signing domain has two labels at
// the least.
func (p *parsed) readNames(s *Signature) error {
	d, _ := p.list.Get("d")
	selector, _ := p.list.Get("s")
	b, _ := p.list.Get("b")
	s.b = tags.Compact(b)
	var dErr, sErr error
	p.sdid, dErr = domain.Parse(d)
	p.selector, sErr = domain.Parse(selector)
	s.SDID, s.Selector = p.sdid, p.selector
	switch {
	case dErr != nil:
		return fmt.Errorf("%w: d=: %w", ErrDomain, dErr)
	case p.sdid.Labels() < 2:
		return fmt.Errorf("%w: d= has one label", ErrDomain)
	case sErr != nil:
		return fmt.Errorf("%w: s=: %w", ErrDomain, sErr)
	}
	return nil
}

func (p *parsed) readAlgorithm(s *Signature) error {
	p.algorithm, _ = p.list.Get("a")
	switch p.algorithm {
	case "rsa-sha256", "ed25519-sha256":
		s.Algorithm = p.algorithm
		return nil
	case "rsa-sha1":
		s.Algorithm = p.algorithm
		return ErrSHA1 // RFC 8301 §3.1
	}
	return ErrAlgorithm
}

// readAUID: RFC 6376 §3.5: the domain of i= is d= or below it.
func (p *parsed) readAUID(s *Signature) error {
	text, ok := p.list.Get("i")
	if !ok {
		p.auid = p.sdid
		return nil
	}
	at := strings.LastIndexByte(text, '@')
	if at < 0 {
		return fmt.Errorf("%w: no \"@\"", ErrAUID)
	}
	host, err := domain.Parse(text[at+1:])
	if err != nil {
		return fmt.Errorf("%w: %w", ErrAUID, err)
	}
	if !host.Within(p.sdid) {
		return ErrAUID
	}
	p.auid = host
	s.AUID = "@" + host.String()
	return nil
}

func (p *parsed) readSigned(*Signature) error {
	h, _ := p.list.Get("h")
	if strings.Count(h, ":") >= MaxNames {
		return ErrNames
	}
	p.names = tags.Items(h)
	from := false
	for _, name := range p.names {
		if !fieldName(name) {
			return fmt.Errorf("%w: h= holds what is no field name", ErrSyntax)
		}
		from = from || strings.EqualFold(name, "From")
	}
	if !from {
		return ErrFrom // RFC 6376 §5.4: From must be signed.
	}
	return nil
}

// fieldName: RFC 5322 §3.6.8, printable characters without the colon; RFC 6376
// adds the semicolon, which cannot occur in a tag.
func fieldName(name string) bool {
	for i := 0; i < len(name); i++ {
		if name[i] <= ' ' || name[i] >= 0x7f || name[i] == ':' {
			return false
		}
	}
	return name != ""
}

func (p *parsed) readQuery(*Signature) error {
	q, ok := p.list.Get("q")
	if ok && !slices.Contains(tags.Items(q), "dns/txt") {
		return ErrQuery
	}
	return nil
}

func (p *parsed) readLength(*Signature) error {
	p.length = -1
	text, ok := p.list.Get("l")
	if !ok {
		return nil
	}
	n, err := number(text, maxDigits)
	if err != nil {
		return fmt.Errorf("%w: l=", ErrSyntax)
	}
	p.length = n
	return nil
}

// readTimes: RFC 6376 §3.5: t= and x= are seconds of twelve digits at most, and
// x= is later than t=.
func (p *parsed) readTimes(now time.Time) error {
	made, madeErr := p.time("t")
	expires, expiresErr := p.time("x")
	switch {
	case madeErr != nil, expiresErr != nil:
		return fmt.Errorf("%w: t= or x=", ErrSyntax)
	case made >= 0 && expires >= 0 && expires <= made:
		return ErrTime
	case expires >= 0 && now.After(time.Unix(expires, 0).Add(tolerance)):
		return ErrExpired
	case made >= 0 && time.Unix(made, 0).After(now.Add(tolerance)):
		return ErrFuture
	}
	return nil
}

// time returns the seconds of a tag, -1 when it is absent.
func (p *parsed) time(name string) (int64, error) {
	text, ok := p.list.Get(name)
	if !ok {
		return -1, nil
	}
	return number(text, 12)
}

// number reads decimal digits; what exceeds an int64 is the largest one.
func number(text string, digits int) (int64, error) {
	if text == "" || len(text) > digits {
		return 0, strconv.ErrSyntax
	}
	for i := 0; i < len(text); i++ {
		if text[i] < '0' || text[i] > '9' {
			return 0, strconv.ErrSyntax
		}
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		n = 1<<63 - 1
	}
	return n, nil
}

func (p *parsed) readHashes(s *Signature) error {
	bh, _ := p.list.Get("bh")
	var bhErr, bErr error
	p.bodyHash, bhErr = base64.StdEncoding.DecodeString(tags.Compact(bh))
	p.sig, bErr = base64.StdEncoding.DecodeString(s.b)
	if bhErr != nil || len(p.bodyHash) == 0 {
		return fmt.Errorf("%w: bh= is not base64", ErrSyntax)
	}
	if bErr != nil || len(p.sig) == 0 {
		return fmt.Errorf("%w: b= is not base64", ErrSyntax)
	}
	return nil
}

// readCanon: RFC 6376 §3.5: one name stands for the header, the body is simple
// then; simple/simple is the default.
func (p *parsed) readCanon(s *Signature) error {
	p.header, p.body = Simple, Simple
	c, ok := p.list.Get("c")
	if ok {
		header, body, both := strings.Cut(c, "/")
		p.header = Canon(header)
		if both {
			p.body = Canon(body)
		}
	}
	for _, canon := range []Canon{p.header, p.body} {
		if canon != Simple && canon != Relaxed {
			return ErrCanon
		}
	}
	s.Header, s.Body = p.header, p.body
	return nil
}

// appendHashed appends what the signature is made over (RFC 6376 §3.7): the
// signed fields, then the signature field itself with an empty b= and without final CRLF.
func appendHashed(dst []byte, p *parsed, header message.Header, self int) []byte {
	dst = AppendSelected(dst, p.header, header, p.names, self)
	return AppendUnsigned(dst, p.header, header[self], p.list)
}

// AppendUnsigned appends the canonical form of a signature field with an empty
// b= and without final CRLF. list is what the field's value was parsed to.
func AppendUnsigned(dst []byte, canon Canon, f message.Field, list tags.List) []byte {
	b, _ := list.Find("b")
	f.Value = f.Value[:b.Start] + f.Value[b.End:]
	dst = AppendField(dst, canon, f)
	return dst[:len(dst)-2]
}
