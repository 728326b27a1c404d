package config

import (
	"strings"

	"assay/verify/domain"
)

// AuthservID is the name our results are stated under: a token of RFC 2045
// §5.1, as every host name is one, without a final dot.
type AuthservID string

// MaxAuthservID is the longest authserv-id, in bytes: that of a host name.
const MaxAuthservID = domain.MaxName

// ParseAuthservID reads an authserv-id. U-labels become A-labels.
func ParseAuthservID(text string) (AuthservID, error) {
	id := strings.TrimSuffix(text, ".")
	// RFC 8616 §4: outside an internationalized message the name has
	// A-labels; those are right everywhere.
	if name, err := domain.Parse(id); err == nil && !isASCII(id) {
		id = name.String()
	}
	bad := faultf("%s cannot be an authserv-id", quoted(text)).hinted(`write a host name, such as "mx.example.org"`)
	if id == "" || len(id) > MaxAuthservID {
		return "", bad
	}
	for i := range len(id) {
		// RFC 8601 §2.2: authserv-id is a value of RFC 2045 §5.1, which
		// without quotes is a token: no blanks, controls or tspecials.
		if id[i] <= ' ' || id[i] >= 0x7f || strings.IndexByte(`()<>@,;:\"/[]?=`, id[i]) >= 0 {
			return "", bad
		}
	}
	return AuthservID(id), nil
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}

// defaultID is the authserv-id of a host, as it is where it cannot be one.
func defaultID(hostname string) AuthservID {
	if id, err := ParseAuthservID(hostname); err == nil {
		return id
	}
	return AuthservID(hostname)
}
