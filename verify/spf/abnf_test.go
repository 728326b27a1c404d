package spf

import (
	"net/netip"
	"regexp"
	"strings"
)

// The grammar of RFC 7208 §12 as expressions, transcribed rule by rule: a
// second opinion on the parser. Numbers are limited as §5 and §7.3 have it.
const (
	abnfTransformers = `(?:0*[1-9][0-9]*)?r?`
	abnfMacroTail    = abnfTransformers + `[-.+,/_=]*\}`
	abnfAnyMacro     = `(?:%\{[slodiphcrtv]` + abnfMacroTail + `|%%|%_|%-)`
	abnfMacro        = `(?:%\{[slodiphv]` + abnfMacroTail + `|%%|%_|%-)` // without c r t
	abnfLiteral      = `[!-$&-~]`
	abnfTopLabel     = `(?:[a-z0-9]*[a-z][a-z0-9]*|[a-z0-9]+-[a-z0-9-]*[a-z0-9])`
	abnfDomainSpec   = `(?:` + abnfMacro + `|` + abnfLiteral + `)*(?:\.` + abnfTopLabel + `\.?|` + abnfMacro + `)`
	abnfIP4Length    = `/(?:[0-9]|[12][0-9]|3[0-2])`
	abnfIP6Length    = `/(?:[0-9]|[1-9][0-9]|1[01][0-9]|12[0-8])`
	abnfDual         = `(?:` + abnfIP4Length + `)?(?:/` + abnfIP6Length + `)?`
	abnfByte         = `(?:[0-9]|[1-9][0-9]|1[0-9][0-9]|2[0-4][0-9]|25[0-5])`
	abnfDirective    = `[-+~?]?(?:all|include:` + abnfDomainSpec + `|(?:a|mx)(?::` + abnfDomainSpec + `)?` + abnfDual +
		`|ptr(?::` + abnfDomainSpec + `)?|exists:` + abnfDomainSpec +
		`|ip4:` + abnfByte + `(?:\.` + abnfByte + `){3}(?:` + abnfIP4Length + `)?)`
)

var (
	abnfTerm     = regexp.MustCompile(`(?i)^(?:` + abnfDirective + `|(?:redirect|exp)=` + abnfDomainSpec + `)$`)
	abnfIP6      = regexp.MustCompile(`(?i)^[-+~?]?ip6:([0-9a-f:.]+)(?:` + abnfIP6Length + `)?$`)
	abnfModifier = regexp.MustCompile(`(?i)^([a-z][a-z0-9._-]*)=(?:` + abnfAnyMacro + `|` + abnfLiteral + `)*$`)
)

// abnfRecord says whether text is a record without syntax error.
func abnfRecord(text string) bool {
	once := map[string]int{}
	for i, word := range strings.Split(text, " ") {
		if i == 0 || word == "" {
			continue
		}
		name := ""
		if m := abnfModifier.FindStringSubmatch(word); m != nil {
			name = strings.ToLower(m[1])
		}
		known := name == "redirect" || name == "exp"
		if known {
			once[name]++
		}
		valid := abnfTerm.MatchString(word) || name != "" && !known
		if m := abnfIP6.FindStringSubmatch(word); m != nil {
			addr, err := netip.ParseAddr(m[1])
			valid = err == nil && addr.Is6()
		}
		if !valid || once[name] > 1 {
			return false
		}
	}
	return true
}
