package dkim

import (
	"errors"
	"fmt"
	"strconv"

	"assay/verify/authres"
)

// Unsigned is the result of a message without any DKIM-Signature.
func Unsigned() authres.Result {
	return authres.Result{Method: "dkim", Value: string(None)}
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
	return fmt.Sprintf("%v; %s", s.Err, size)
}
