package message

import (
	"mime"
	"regexp"
	"slices"
	"strings"

	"assay/verify/domain"
)

// seesOther reports whether a mail program that reads carelessly could take
// another domain for the author's than the strict reader did, which found the
// given addresses and their domains. The careless ways are those of programs that
// have been fooled: they look for angle brackets inside quotes, comments and encoded
// words, take the first or the last pair, and end the local part at the first
// "@" or at the last, quoted or not.
func seesOther(value string, addresses []string, strict []domain.Name) bool {
	for _, text := range []string{value, decodeWords(value)} {
		addresses = append(addresses, carelessAddresses(text)...)
	}
	for _, address := range addresses {
		for _, name := range carelessDomains(address) {
			if !slices.Contains(strict, name) {
				return true
			}
		}
	}
	return false
}

// carelessAddresses returns what stands between the first "<" and the ">"
// after it, and between the last "<" and the ">" after that.
func carelessAddresses(text string) []string {
	var found []string
	if first := strings.IndexByte(text, '<'); first >= 0 {
		inner, _, _ := strings.Cut(text[first+1:], ">")
		found = append(found, inner)
	}
	if last := strings.LastIndexByte(text, '<'); last >= 0 {
		inner, _, _ := strings.Cut(text[last+1:], ">")
		found = append(found, inner)
	}
	return found
}

// carelessDomains returns the domains that may be read from an address: after
// the first "@" and after the last.
func carelessDomains(address string) []domain.Name {
	var names []domain.Name
	for _, at := range []int{strings.IndexByte(address, '@'), strings.LastIndexByte(address, '@')} {
		if at < 0 {
			continue
		}
		rest := strings.TrimLeft(address[at+1:], " \t\r\n")
		end := strings.IndexAny(rest, " \t\r\n,;:<>()[]\"\\@")
		if end >= 0 {
			rest = rest[:end]
		}
		if name, err := domain.Parse(rest); err == nil && name.Labels() > 1 {
			names = append(names, name)
		}
	}
	return names
}

// decodeWords decodes the encoded words of a value, wherever they stand (RFC
// 2047), as the most forgiving mail program might: whatever their character set, which
// leaves "<" and "@" alone, and with or without the padding of base64. What
// cannot be decoded stays.
func decodeWords(value string) string {
	if !strings.Contains(value, "=?") {
		return value
	}
	value = betweenWords.ReplaceAllString(value, "?==?")
	return encodedWords.ReplaceAllStringFunc(value, func(word string) string {
		parts := strings.Split(word, "?") // "=", character set, encoding, text, "="
		encoding, text := parts[2], parts[3]
		if strings.EqualFold(encoding, "b") {
			text = strings.TrimRight(text, "=")
			text += strings.Repeat("=", -len(text)&3)
		}
		decoded, err := new(mime.WordDecoder).Decode("=?utf-8?" + encoding + "?" + text + "?=")
		if err != nil {
			return word
		}
		return decoded
	})
}

// What stands between encoded words is not shown (RFC 2047 §6.2).
var (
	encodedWords = regexp.MustCompile(`=\?[^?]*\?[bBqQ]\?[^?]*\?=`)
	betweenWords = regexp.MustCompile(`\?=[ \t\r\n]+=\?`)
)
