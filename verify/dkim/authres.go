package dkim

import (
	"errors"
	"fmt"
	"strconv"

	"assay/verify/authres"
)

// maxWritten bounds how many signatures are written one by one.
const maxWritten = 2 * MaxSignatures

// AuthRes returns what is written about all signatures of a message: a result
// for each, the surplus together as one, none for an unsigned message.
func AuthRes(signatures []Signature) []authres.Result {
	if len(signatures) == 0 {
		return []authres.Result{{Method: "dkim", Value: string(None)}}
	}
	var results []authres.Result
	surplus := 0
	write := func(passed bool) {
		for _, s := range signatures {
			switch {
			case (s.Result == Pass) != passed:
			case len(results) == maxWritten || errors.Is(s.Err, ErrTooMany):
				surplus++
			default:
				results = append(results, s.AuthRes())
			}
		}
	}
	write(true) // first, so that no heap of others hides them
	write(false)
	if surplus > 0 {
		results = append(results, authres.Result{
			Method: "dkim", Value: string(Neutral), Comment: fmt.Sprintf("%v: %d not evaluated", ErrTooMany, surplus),
		})
	}
	return results
}

// AuthRes returns the signature as a result of RFC 8601 §2.7.1.
func (s Signature) AuthRes() authres.Result {
	return authres.Result{
		Method:  "dkim",
		Value:   string(s.Result),
		Comment: s.comment(),
		Props: []authres.Prop{
			{Type: "header", Name: "d", Value: s.SDID.String()},
			{Type: "header", Name: "i", Value: s.AUID},
			{Type: "header", Name: "s", Value: s.Selector.String()},
			{Type: "header", Name: "a", Value: s.Algorithm},
			{Type: "header", Name: "b", Value: s.B},
		},
	}
}

func (s Signature) comment() string {
	size := ""
	if s.KeyBits > 0 {
		size = strconv.Itoa(s.KeyBits) + "-bit key"
	}
	switch {
	case s.Err == nil:
		return size
	case errors.Is(s.Err, ErrLookup):
		return ErrLookup.Error() // the rest is for the log
	case size == "":
		return s.Err.Error()
	}
	return fmt.Sprintf("%v, %s", s.Err, size)
}
