package dnscache

import (
	"strings"

	"assay/dnscache/zone"
	"github.com/miekg/dns"
)

// Limits of RFC 1035 §2.3.4, in octets of the name without final dot.
const (
	maxName  = 253
	maxLabel = 63
)

// question is what an entry of the cache answers: a raw name, lower case and
// without final dot, and a type.
type question struct {
	name  string
	qtype uint16
}

// ask returns the question for name, which is absolute with or without final
// dot. It fails where the DNS cannot carry the name. It does not allocate where
// name is lower case.
func ask(name string, qtype uint16) (q question, ok bool) {
	name = strings.TrimSuffix(name, ".")
	if len(name) > maxName {
		return question{}, false
	}
	lower, start := true, 0
	for i := 0; i < len(name); i++ {
		c := name[i]
		if c == '.' {
			if i == start || i-start > maxLabel {
				return question{}, false
			}
			start = i + 1
		}
		lower = lower && (c < 'A' || c > 'Z')
	}
	if last := len(name) - start; last == 0 || last > maxLabel {
		return question{}, false
	}
	if !lower {
		name = zone.Fold(name)
	}
	return question{name, qtype}, true
}

// key identifies q among the flights.
func (q question) key() string {
	return dns.Type(q.qtype).String() + " " + q.name
}

// wire returns the name of q as the DNS library has it.
func (q question) wire() string { return zone.Escape(q.name) }
