package dmarc

import (
	"errors"
	"fmt"
	"strings"
)

// Reasons why a text gives no policy; ParseRecord wraps one of them.
var (
	// ErrNotDMARC says that the text does not begin with a valid v tag.
	ErrNotDMARC = errors.New("not a DMARC record")
	// ErrUnusable says that p is missing or p, sp or np invalid, and that no
	// valid rua saves the record (RFC 9989 §4.10.1).
	ErrUnusable = errors.New("DMARC record without usable policy")
)

// Limits on what is kept of one record. The text itself cannot be longer than
// a DNS answer (64 KiB) and is read once, in linear time.
const (
	MaxWarnings = 16 // further warnings are dropped
	MaxURIs     = 16 // of rua and of ruf; further ones are ignored
)

// Policy is what a domain owner asks for. The zero value means that nothing is
// asked: the tag is absent, or no policy applies.
type Policy string

// The policies of RFC 9989 §4.7, tag p.
const (
	PolicyNone       Policy = "none"
	PolicyQuarantine Policy = "quarantine"
	PolicyReject     Policy = "reject"
)

// Mode says how closely an authenticated name must match the author's.
type Mode string

// The modes of RFC 9989 §4.7, tags adkim and aspf.
const (
	Relaxed Mode = "r" // the organizational domains are equal
	Strict  Mode = "s" // the names are equal
)

// PSD says what a domain declares itself to be.
type PSD string

// The values of RFC 9989 §4.7, tag psd.
const (
	PSDYes     PSD = "y" // a public suffix domain
	PSDNo      PSD = "n" // an organizational domain
	PSDUnknown PSD = "u" // the tree walk decides
)

// FailureOptions says for which failures reports are asked (tag fo).
type FailureOptions struct {
	All  bool // 0: nothing passed and aligned; the default
	Any  bool // 1: something did not pass and align
	DKIM bool // d: a signature failed, whatever its alignment
	SPF  bool // s: SPF failed, whatever its alignment
}

// Record is a DMARC record after the rules for errors have been applied: its
// values are only legal ones.
type Record struct {
	Text string // as published: foreign text, to be quoted when shown

	// P, SP and NP are "" where not published. P alone is set, to none, where
	// the record must be read as p=none (RFC 9989 §4.10.1); all three are ""
	// where the record is unusable.
	P, SP, NP   Policy
	ADKIM, ASPF Mode
	PSD         PSD
	Test        bool // t=y

	RUA, RUF []string // valid URIs, without the obsolete size suffix
	FO       FailureOptions

	// Warnings says what was ignored, and why. At most MaxWarnings.
	Warnings []Warning
}

// Warning says what was ignored in a record, and why.
type Warning struct {
	At   int    // octet of Record.Text that it is about; its length where something is missing
	Text string // foreign text in it is quoted
}

func (w Warning) String() string { return w.Text }

// SyntaxError is why a text gives no policy, and where. It wraps ErrNotDMARC or
// ErrUnusable, and its text is that of Err alone.
type SyntaxError struct {
	At  int // octet of the text at which the fault is; its length where something is missing
	Err error
}

func (e *SyntaxError) Error() string { return e.Err.Error() }

func (e *SyntaxError) Unwrap() error { return e.Err }

// ParseRecord reads the text of one TXT record. It fails with ErrNotDMARC, and
// the zero Record, for a text that is no DMARC record at all. It fails with
// ErrUnusable for one that gives no policy; its other tags are returned,
// because the record still counts in the tree walk. Either is a *SyntaxError.
func ParseRecord(text string) (Record, error) {
	version, _, _ := strings.Cut(text, ";")
	if err := checkVersion(version); err != nil {
		return Record{}, err
	}
	t := splitTags(text, len(version)+len(";"))
	r := Record{
		Text:  text,
		ADKIM: Mode(t.either("adkim", "r", "s")),
		ASPF:  Mode(t.either("aspf", "r", "s")),
		PSD:   PSD(t.either("psd", "u", "y", "n")),
		Test:  t.either("t", "n", "y") == "y",
		RUA:   t.uris("rua"),
		RUF:   t.uris("ruf"),
	}
	r.FO = t.failureOptions()
	if len(r.RUF) == 0 && t.values["fo"].seen > 0 {
		// RFC 9989 §4.7: fo is ignored without ruf.
		t.warn(t.values["fo"].last, "fo ignored without a valid ruf")
		r.FO = FailureOptions{All: true}
	}
	err := t.policies(&r)
	r.Warnings = t.warnings
	return r, err
}

// checkVersion returns nil for a valid v tag.
func checkVersion(segment string) error {
	name, value, ok := strings.Cut(segment, "=")
	after := len(name) + len("=")
	name = strings.TrimRight(name, blanks)
	// RFC 9989 §4.7: v comes first and its value is exactly DMARC1, otherwise the
	// whole record is ignored.
	switch {
	case strings.TrimLeft(name, blanks) != name:
		return &SyntaxError{0, fmt.Errorf("%w: white space before the v tag", ErrNotDMARC)}
	case !ok || !strings.EqualFold(name, "v"):
		return &SyntaxError{0, fmt.Errorf("%w: the first tag is not v", ErrNotDMARC)}
	}
	if version, gap := trim(value); version != "DMARC1" {
		return &SyntaxError{after + gap, fmt.Errorf("%w: the value of v is not DMARC1", ErrNotDMARC)}
	}
	return nil
}

// policies sets P, SP and NP.
func (t *tags) policies(r *Record) error {
	p, badP := t.choice("p", "none", "quarantine", "reject")
	sp, badSP := t.choice("sp", "none", "quarantine", "reject")
	np, badNP := t.choice("np", "none", "quarantine", "reject")
	if p != "" && !badSP && !badNP {
		r.P, r.SP, r.NP = Policy(p), Policy(sp), Policy(np)
		return nil
	}
	cause, at := "no p", len(r.Text)
	switch {
	case badP:
		cause, at = "invalid p", t.values["p"].at
	case badSP:
		cause, at = "invalid sp", t.values["sp"].at
	case badNP:
		cause, at = "invalid np", t.values["np"].at
	}
	// RFC 9989 §4.10.1: without valid p, sp and np the record is read as p=none
	// when it has a valid reporting URI, and gives no policy when it has not.
	if len(r.RUA) == 0 {
		return &SyntaxError{at, fmt.Errorf("%w: %s and no valid rua", ErrUnusable, cause)}
	}
	r.P = PolicyNone
	t.warn(at, "%s: the record is read as p=none", cause)
	return nil
}
