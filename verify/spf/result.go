package spf

import (
	"assay/verify/domain"
)

// Result is a result of RFC 7208 §2.6. The zero value means not evaluated and
// is never written.
type Result string

// The results of RFC 7208 §2.6.
const (
	None      Result = "none"
	Neutral   Result = "neutral"
	Pass      Result = "pass"
	Fail      Result = "fail"
	SoftFail  Result = "softfail"
	TempError Result = "temperror"
	PermError Result = "permerror"
)

// Identity says which identity was checked (RFC 7208 §2.3, §2.4).
type Identity string

// The identities of RFC 7208.
const (
	MailFrom Identity = "mailfrom"
	Helo     Identity = "helo"
)

// Check is one evaluation of check_host() with its evidence.
type Check struct {
	Result   Result
	Identity Identity
	// Domain is the domain whose record was evaluated first; zero when the
	// identity holds no valid domain. For the null sender it is the HELO name.
	Domain domain.Name
	// NullSender is set where the MAIL FROM identity is postmaster@HELO
	// because the reverse-path is empty (RFC 7208 §2.4).
	NullSender bool
	// Mechanism names the kind of term that matched (all, a, ip, mx, ptr, exists); ""
	// when none did.
	Mechanism string
	Lookups   int   // terms that caused look-ups (RFC 7208 §4.6.4)
	Err       error // why the result is neither pass nor none; may be nil
}
