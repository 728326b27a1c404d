package spf

import (
	"errors"
	"fmt"
)

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

// SyntaxError is what is wrong with a record, and where. It wraps ErrSyntax.
type SyntaxError struct {
	At  int // octet of the record at which the fault is
	Err error
}

func (e *SyntaxError) Error() string { return e.Err.Error() }

func (e *SyntaxError) Unwrap() error { return e.Err }

// misplaced is why a part of a term is refused, at an octet of that part.
type misplaced struct {
	at int
	error
}

func (m misplaced) Unwrap() error { return m.error }

// shift returns err, the fault of a part, as one of the whole in which the part
// begins at the given octet.
func shift(at int, err error) error {
	switch m := err.(type) {
	case nil:
		return nil
	case misplaced:
		return misplaced{at + m.at, m.error}
	}
	return misplaced{at, err}
}

// syntaxError returns the error of a word of a record that begins at the given
// octet.
func syntaxError(at int, word string, cause error) error {
	m := shift(at, cause).(misplaced)
	return &SyntaxError{m.at, fmt.Errorf("%w: %s: %w", ErrSyntax, quote(word), m.error)}
}
