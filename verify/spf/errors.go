package spf

import "errors"

// Why there was nothing to evaluate: Result None.
var (
	ErrAddress  = errors.New("no client address")
	ErrMailbox  = errors.New("envelope sender is not a mailbox")
	ErrNoDomain = errors.New("no usable domain name")
	// ErrNoRecord is met with PermError too, where the target of an include
	// or redirect has no record.
	ErrNoRecord = errors.New("no SPF record")
)

// What is wrong with a record: Result PermError.
var (
	ErrSyntax          = errors.New("syntax error in SPF record")
	ErrRecordTooLong   = errors.New("SPF record too long")
	ErrTooManyTerms    = errors.New("too many terms in SPF record")
	ErrMultipleRecords = errors.New("more than one SPF record")
	ErrTooManyLookups  = errors.New("too many DNS look-ups")
	ErrTooManyVoid     = errors.New("too many DNS look-ups without answer")
	ErrTooManyMX       = errors.New("too many mail exchangers")
	ErrExhausted       = errors.New("too many DNS questions")
)

// ErrDNS is a failure of the DNS, or our own deadline: Result TempError.
var ErrDNS = errors.New("DNS failure")

// causes are the errors above: every Err of a Check wraps one of them.
var causes = []error{
	ErrAddress, ErrMailbox, ErrNoDomain, ErrNoRecord,
	ErrSyntax, ErrRecordTooLong, ErrTooManyTerms, ErrMultipleRecords,
	ErrTooManyLookups, ErrTooManyVoid, ErrTooManyMX, ErrExhausted, ErrDNS,
}
