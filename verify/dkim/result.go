package dkim

import (
	"assay/verify/domain"
)

// Result is a result of RFC 8601 §2.7.1 for one signature. The zero value
// means not evaluated and is never written.
type Result string

// The results of RFC 8601 §2.7.1.
const (
	None      Result = "none"
	Pass      Result = "pass"
	Fail      Result = "fail"
	Policy    Result = "policy"
	Neutral   Result = "neutral"
	TempError Result = "temperror"
	PermError Result = "permerror"
)

// Signature is what was found about one DKIM-Signature field. What stands in
// it of the field's own text is syntactically clean, or else zero.
type Signature struct {
	Result Result
	// SDID is the d= domain; it is an authenticated identifier only when
	// Result is Pass.
	SDID      domain.Name
	AUID      string // "@" and the domain of i=; "" when i= is absent or unclean
	Selector  domain.Name
	Algorithm string // a=; "" when unknown
	KeyBits   int    // size of the public key in bits; 0 when no key was read
	KeySecure bool   // as Key.Authenticated
	B         string // the first characters of b=, as many as tell it apart (RFC 6008)
	Header    Canon
	Body      Canon
	Err       error // explains every result that is not pass

	// What was compared, as far as it came to that: the hash that bh= states,
	// the hash of the body that arrived, both SHA-256, and the hash of the
	// signed fields, which b= does not state but signs. The slices are shared
	// and read-only.
	SignedBody, BodySum, HeaderSum []byte
	// HeaderIntact says that b= is a signature of the signed fields, whatever
	// became of the body. Where the body differs it is looked at only when
	// Verifier.JudgeHeader is set.
	HeaderIntact bool

	b string // b= without white space
}
