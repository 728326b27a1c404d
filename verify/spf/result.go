package spf

import (
	"errors"

	"assay/verify/authres"
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
	// Mechanism names the kind of term that matched (all, a, mx, ip4, ip6,
	// ptr, exists), inside of an include the term there; "" when none did.
	Mechanism string
	// Trail is how the evaluation got to the term that matched: includes and
	// redirects from the first record on, and last that term. It is nil when
	// none matched.
	Trail []Step
	// Lookups is how many terms caused look-ups (RFC 7208 §4.6.4), at most
	// ten: the eleventh ends the evaluation before it is looked up.
	Lookups int
	// Err explains none, temperror and permerror by wrapping an error of this
	// package; nil for the other results.
	Err error
}

// AuthRes returns the check as a result of RFC 8601 §2.7.2. Nothing of the
// stranger's text stands in it but the validated domain.
func (c Check) AuthRes() authres.Result {
	// RFC 8601 §2.7.2: the null sender is reported as the HELO identity; the
	// local part of the sender should not be shown.
	property := "mailfrom"
	if c.Identity == Helo || c.NullSender {
		property = "helo"
	}
	return authres.Result{
		Method:  "spf",
		Value:   string(c.Result),
		Comment: c.comment(),
		Props:   []authres.Prop{{Type: "smtp", Name: property, Value: c.Domain.String()}},
	}
}

func (c Check) comment() string {
	switch {
	case c.Mechanism != "":
		return "matched " + c.Mechanism
	case c.Result == Neutral:
		return "nothing matched"
	}
	for _, cause := range causes {
		if errors.Is(c.Err, cause) {
			return cause.Error() // the rest is for the log
		}
	}
	return ""
}
