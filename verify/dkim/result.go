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

// Signature is what was found about one DKIM-Signature field. Texts from the
// wire stand in it only when they are syntactically clean, otherwise they are
// zero.
type Signature struct {
	Result Result
	// SDID is the d= domain; it is an authenticated identifier only when
	// Result is Pass.
	SDID      domain.Name
	AUID      string // i=, as header.i; "" when absent or unclean
	Selector  domain.Name
	Algorithm string // a=, as rsa-sha256
	KeyBits   int    // size of the public key in bits; 0 when no key was read
	B         string // the first characters of b= (RFC 6008)
	Header    string // header canonicalization: simple or relaxed
	Body      string // body canonicalization
	Err       error  // explains every result that is not pass
}
