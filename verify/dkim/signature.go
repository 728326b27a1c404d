package dkim

import (
	"fmt"
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
	if err := Require(list, "a", "b", "bh", "d", "h", "s"); err != nil {
		return nil, err
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
	if err := ReadTimes(list, now); err != nil {
		return nil, err
	}
	if err := p.readHashes(); err != nil {
		return nil, err
	}
	return p, p.readCanon(s)
}

func (p *parsed) readNames(s *Signature) error {
	b, _ := p.list.Get("b")
	s.b = tags.Compact(b)
	var err error
	p.sdid, p.selector, err = ReadSigner(p.list)
	s.SDID, s.Selector = p.sdid, p.selector
	return err
}

func (p *parsed) readAlgorithm(s *Signature) error {
	var err error
	p.algorithm, err = ReadAlgorithm(p.list)
	s.Algorithm = p.algorithm
	return err
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

func (p *parsed) readQuery(*Signature) error { return ReadQuery(p.list) }

func (p *parsed) readLength(*Signature) (err error) {
	p.length, err = ReadLength(p.list)
	return err
}

func (p *parsed) readHashes() (err error) {
	if p.bodyHash, err = ReadBase64(p.list, "bh"); err == nil {
		p.sig, err = ReadBase64(p.list, "b")
	}
	return err
}

func (p *parsed) readCanon(s *Signature) (err error) {
	p.header, p.body, err = ReadCanon(p.list)
	s.Header, s.Body = p.header, p.body
	return err
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
