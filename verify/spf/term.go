package spf

import (
	"errors"
	"net/netip"
	"regexp"
	"strconv"
	"strings"
)

// Why a term is refused; each stands behind ErrSyntax.
var (
	errCharacter = errors.New("character outside printable ASCII")
	errMechanism = errors.New("unknown mechanism")
	errArgument  = errors.New("takes no such argument")
	errNoTarget  = errors.New("domain missing")
	errNetwork   = errors.New("not an address or network of this kind")
	errPrefix    = errors.New("prefix length too large")
	errSecond    = errors.New("second of its kind")
)

// mechanism is the kind of a term, in the words of the record.
type mechanism string

const (
	all         mechanism = "all"
	include     mechanism = "include"
	address     mechanism = "a"
	exchanger   mechanism = "mx"
	reverse     mechanism = "ptr"
	ip4         mechanism = "ip4"
	ip6         mechanism = "ip6"
	exists      mechanism = "exists"
	redirect    mechanism = "redirect"
	explanation mechanism = "exp"
	unknown     mechanism = "" // a modifier that is ignored
)

// term is one directive or modifier.
type term struct {
	text      string // the whole of it as written
	mechanism mechanism
	qualifier string       // as written: "", +, -, ~ or ?
	target    domainSpec   // nil where none is written
	network   netip.Prefix // of ip4 and ip6
	prefixes  string       // dual-cidr-length of a and mx as written: "/24//64"
	bits4     int          // and read; 32 and 128 where none is written
	bits6     int
}

func parseTerm(word string) (term, error) {
	// RFC 7208 §3.1: a record is 7-bit ASCII; §12: and nothing but VCHAR
	// stands in a term.
	for i, c := range []byte(word) {
		if c <= ' ' || c > '~' {
			return term{}, shift(i, errCharacter)
		}
	}
	if name, value, ok := cutModifier(word); ok {
		return parseModifier(name, value)
	}
	var t term
	if strings.IndexByte("+-~?", word[0]) >= 0 {
		t.qualifier, word = word[:1], word[1:]
	}
	end := strings.IndexAny(word, ":/")
	if end < 0 {
		end = len(word)
	}
	t.mechanism = mechanism(strings.ToLower(word[:end]))
	err := t.parseArgument(word[end:])
	if errors.Is(err, errMechanism) {
		end = 0 // it is the name that is wrong
	}
	return t, shift(len(t.qualifier)+end, err)
}

// cutModifier splits a modifier.
//
// RFC 7208 §4.6.1: a modifier has a "=" right after its name, before any ":"
// or "/". §12: name = ALPHA *( ALPHA / DIGIT / "-" / "_" / "." ).
func cutModifier(word string) (name, value string, ok bool) {
	name, value, ok = strings.Cut(word, "=")
	if !ok || name == "" || !isLetter(name[0]) {
		return "", "", false
	}
	for _, c := range []byte(name) {
		if !isAlphanumeric(c) && c != '-' && c != '_' && c != '.' {
			return "", "", false
		}
	}
	return name, value, true
}

func parseModifier(name, value string) (t term, err error) {
	switch kind := mechanism(strings.ToLower(name)); kind {
	case redirect, explanation:
		t.mechanism = kind
		t.target, err = parseDomainSpec(value)
	default:
		// RFC 7208 §6: an unknown modifier is ignored, §12: if it is a macro-string.
		_, err = parseMacroString(value)
	}
	return t, shift(len(name)+len("="), err)
}

// parseArgument reads what follows the name of a mechanism.
func (t *term) parseArgument(text string) (err error) {
	switch t.mechanism {
	case all:
		if text != "" {
			return errArgument
		}
	case include, exists:
		if text == "" {
			return errNoTarget
		}
		t.target, err = parseTarget(text)
	case reverse:
		t.target, err = parseTarget(text)
	case address, exchanger:
		if text, err = t.cutPrefixes(text); err == nil {
			t.target, err = parseTarget(text)
		}
	case ip4, ip6:
		t.network, err = parseNetwork(t.mechanism, text)
	default:
		return errMechanism
	}
	return err
}

// parseTarget reads [ ":" domain-spec ].
func parseTarget(text string) (domainSpec, error) {
	if text == "" {
		return nil, nil
	}
	spec, ok := strings.CutPrefix(text, ":")
	if !ok {
		return nil, errArgument
	}
	domain, err := parseDomainSpec(spec)
	return domain, shift(len(":"), err)
}

// dualPrefixes finds the dual-cidr-length at the end of an argument. Because
// a domain-spec can hold "/" too, all that can be a length is taken as one.
//
// RFC 7208 §12: ip4-cidr-length = "/" ("0" / %x31-39 0*1DIGIT).
var dualPrefixes = regexp.MustCompile(`^(.*?)(?:/(0|[1-9][0-9]?))?(?://(0|[1-9][0-9]{0,2}))?$`)

// cutPrefixes takes the prefix lengths off the end of text into t.
func (t *term) cutPrefixes(text string) (rest string, err error) {
	m := dualPrefixes.FindStringSubmatch(text) // matches any text
	t.bits4, t.bits6 = prefixLength(m[2], 32), prefixLength(m[3], 128)
	if t.bits4 > 32 || t.bits6 > 128 {
		return "", shift(len(m[1]), errPrefix)
	}
	t.prefixes = text[len(m[1]):]
	return m[1], nil
}

// prefixLength reads at most three digits; "" is all bits of an address.
func prefixLength(digits string, all int) int {
	if digits == "" {
		return all
	}
	n, _ := strconv.Atoi(digits)
	return n
}

// parseNetwork reads the argument of ip4 or ip6, whose lengths have no leading
// zero (RFC 7208 §12).
func parseNetwork(kind mechanism, text string) (netip.Prefix, error) {
	text, ok := strings.CutPrefix(text, ":")
	if !ok {
		return netip.Prefix{}, errNetwork
	}
	host, _, sized := strings.Cut(text, "/")
	addr, err := netip.ParseAddr(host)
	if err != nil || addr.Zone() != "" || addr.Is4() != (kind == ip4) {
		return netip.Prefix{}, errNetwork
	}
	if !sized {
		return netip.PrefixFrom(addr, addr.BitLen()), nil
	}
	network, err := netip.ParsePrefix(text)
	if err != nil {
		return netip.Prefix{}, errNetwork
	}
	return network, nil
}
