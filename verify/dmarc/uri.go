package dmarc

import (
	"errors"
	"net/url"
	"strings"
	"unicode"
	"unicode/utf8"

	"assay/verify/domain"
)

var (
	errURIChar    = errors.New("character not allowed in a URI")
	errURIForm    = errors.New("not a URI")
	errURIAddress = errors.New("mailto without local@domain")
)

// parseURI returns the reporting URI that text stands for, without the obsolete
// size suffix, which RFC 9989 §4.8 has ignored.
func parseURI(text string) (string, error) {
	text = dropSize(text)
	for i := 0; i < len(text); i++ {
		if !uriChar(text[i]) {
			return "", errURIChar
		}
	}
	u, err := url.Parse(text)
	if err != nil || u.Scheme == "" || u.Opaque+u.Host+u.Path == "" {
		return "", errURIForm
	}
	if u.Scheme == "mailto" {
		if err := checkAddress(u.Opaque); err != nil {
			return "", err
		}
	}
	return text, nil
}

// dropSize cuts "!<digits>[kmgt]" off the end.
func dropSize(text string) string {
	rest, size, ok := strings.Cut(text, "!")
	if !ok || size == "" {
		return text
	}
	digits := strings.TrimRight(size, "kmgtKMGT")
	if digits == "" || len(size)-len(digits) > 1 || strings.Trim(digits, "0123456789") != "" {
		return text
	}
	return rest
}

// uriChar reports whether c may stand in a reporting URI: the characters of RFC
// 3986 without comma and exclamation mark, which RFC 9989 §4.8 has encoded.
func uriChar(c byte) bool {
	switch {
	case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9':
		return true
	}
	return strings.IndexByte("-._~:/?#[]@$&'()*+;=%", c) >= 0
}

// checkAddress returns nil for the one address of a mailto URI (RFC 6068).
func checkAddress(encoded string) error {
	address, err := url.PathUnescape(encoded)
	if err != nil {
		return errURIForm
	}
	local, host, ok := strings.Cut(address, "@")
	if !ok || local == "" || !utf8.ValidString(local) || strings.ContainsFunc(local, notLocal) {
		return errURIAddress
	}
	if _, err := domain.Parse(host); err != nil {
		return errURIAddress
	}
	return nil
}

// notLocal reports characters that no reporting address needs and that could
// make one address look like two.
func notLocal(r rune) bool {
	return unicode.IsControl(r) || unicode.IsSpace(r) || strings.ContainsRune(`,;<>"`, r)
}
