package dkim

import (
	"encoding/base64"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"assay/verify/domain"
	"assay/verify/message"
	"assay/verify/tags"
)

// What follows reads the tags that DKIM-Signature has in common with the
// fields of ARC (RFC 8617 §4.1). The errors wrap the sentinels of this package.

// Require fails with ErrTagMissing when one of the tags is not in list.
func Require(list tags.List, names ...string) error {
	for _, name := range names {
		if _, ok := list.Get(name); !ok {
			return fmt.Errorf("%w: %s=", ErrTagMissing, name)
		}
	}
	return nil
}

// ReadSigner reads d= and s=. A name that is clean is returned even where the
// other one is not. RFC 6376 §3.5: a signing domain has two labels at the least.
func ReadSigner(list tags.List) (sdid, selector domain.Name, err error) {
	d, _ := list.Get("d")
	s, _ := list.Get("s")
	sdid, dErr := domain.Parse(d)
	selector, sErr := domain.Parse(s)
	switch {
	case dErr != nil:
		err = fmt.Errorf("%w: d=: %w", ErrDomain, dErr)
	case sdid.Labels() < 2:
		err = fmt.Errorf("%w: d= has one label", ErrDomain)
	case sErr != nil:
		err = fmt.Errorf("%w: s=: %w", ErrDomain, sErr)
	}
	return sdid, selector, err
}

// ReadAlgorithm reads a=. It returns the name of every algorithm it knows,
// which may be one that must not be verified.
func ReadAlgorithm(list tags.List) (string, error) {
	switch a, _ := list.Get("a"); a {
	case "rsa-sha256", "ed25519-sha256":
		return a, nil
	case "rsa-sha1":
		return a, ErrSHA1 // RFC 8301 §3.1
	}
	return "", ErrAlgorithm
}

// ReadQuery: RFC 6376 §3.5: q=, where it is present, offers dns/txt.
func ReadQuery(list tags.List) error {
	q, ok := list.Get("q")
	if ok && !slices.Contains(tags.Items(q), "dns/txt") {
		return ErrQuery
	}
	return nil
}

// ReadLength returns l= in octets, -1 when it is absent.
func ReadLength(list tags.List) (int64, error) {
	text, ok := list.Get("l")
	if !ok {
		return -1, nil
	}
	n, err := number(text, maxDigits)
	if err != nil {
		return -1, fmt.Errorf("%w: l=", ErrSyntax)
	}
	return n, nil
}

// ReadTimes: RFC 6376 §3.5: t= and x= are seconds of twelve digits at most,
// x= is later than t=, and now is between them, with some tolerance.
func ReadTimes(list tags.List, now time.Time) error {
	made, madeErr := seconds(list, "t")
	expires, expiresErr := seconds(list, "x")
	switch {
	case madeErr != nil, expiresErr != nil:
		return fmt.Errorf("%w: t= or x=", ErrSyntax)
	case made >= 0 && expires >= 0 && expires <= made:
		return ErrTime
	case expires >= 0 && now.After(time.Unix(expires, 0).Add(tolerance)):
		return ErrExpired
	case made >= 0 && time.Unix(made, 0).After(now.Add(tolerance)):
		return ErrFuture
	}
	return nil
}

// seconds returns the time of a tag, -1 when it is absent.
func seconds(list tags.List, name string) (int64, error) {
	text, ok := list.Get(name)
	if !ok {
		return -1, nil
	}
	return number(text, 12)
}

// number reads decimal digits; what exceeds an int64 is the largest one.
func number(text string, digits int) (int64, error) {
	if text == "" || len(text) > digits {
		return 0, strconv.ErrSyntax
	}
	for i := 0; i < len(text); i++ {
		if text[i] < '0' || text[i] > '9' {
			return 0, strconv.ErrSyntax
		}
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		n = 1<<63 - 1
	}
	return n, nil
}

// ReadBase64 reads bh= or b=, which are not empty.
func ReadBase64(list tags.List, name string) ([]byte, error) {
	text, _ := list.Get(name)
	data, err := base64.StdEncoding.DecodeString(tags.Compact(text))
	if err != nil || len(data) == 0 {
		return nil, fmt.Errorf("%w: %s= is not base64", ErrSyntax, name)
	}
	return data, nil
}

// ReadCanon reads c=. RFC 6376 §3.5: one name stands for the header, the body
// is simple then; simple/simple is the default.
func ReadCanon(list tags.List) (header, body Canon, err error) {
	c, ok := list.Get("c")
	if !ok {
		return Simple, Simple, nil
	}
	first, second, both := strings.Cut(c, "/")
	header, body = Canon(first), Simple
	if both {
		body = Canon(second)
	}
	for _, canon := range []Canon{header, body} {
		if canon != Simple && canon != Relaxed {
			return "", "", ErrCanon
		}
	}
	return header, body, nil
}

// singletons are the fields of which a message has one (RFC 5322 §3.6, RFC 2045). One more,
// added after signing, may be the one that is shown.
var singletons = []string{"From", "Subject", "Date", "To", "Reply-To", "Message-ID", "Content-Type", "Content-Transfer-Encoding", "MIME-Version"}

// CheckDuplicates fails with ErrUnsigned when header has several fields of
// a kind of which a message has one, and names, what a signature covers, does
// not cover all of them (RFC 6376 §8.15).
func CheckDuplicates(header message.Header, names []string) error {
	for _, name := range singletons {
		count, odd := 0, false
		for _, f := range header {
			if f.Is(name) {
				count++
				odd = odd || !nameIs(f.Name, name) // no name in h= selects it
			}
		}
		if count > 1 && (odd || signedTimes(names, name) < count) {
			return ErrUnsigned
		}
	}
	return nil
}

func signedTimes(names []string, name string) int {
	n := 0
	for _, signed := range names {
		if strings.EqualFold(signed, name) {
			n++
		}
	}
	return n
}
