package legacy

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"assay/config"
)

// draft is an assay.toml in the making.
type draft struct {
	defaults map[string]string // of every setting, as TOML text
	settings map[string]setting
	rules    []rule
}

// setting is a value as TOML text and where it comes from.
type setting struct {
	value string
	from  []string
}

// rule is a [[rule]]: what it says, in order, and where it comes from.
type rule struct {
	pairs [][2]string
	from  []string
}

func newDraft(hostname string) draft {
	d := draft{map[string]string{}, map[string]setting{}, nil}
	for _, s := range config.Default(hostname).Show() {
		d.defaults[s.Key] = s.Value
	}
	return d
}

// order is the settings that an import may write, as they come in the file.
var order = []string{
	"authserv_id",
	"listen.milter",
	"exempt.networks", "exempt.authenticated",
	"dns.servers", "dns.timeout", "dns.message_budget",
	"policy.mode", "policy.on_reject", "policy.on_quarantine", "policy.on_invalid_author", "policy.on_temperror",
	"arc.trusted_sealers",
	"failure.when_unable",
}

// set states a setting; what was stated before gives way.
func (d *draft) set(key, value string, from ...string) {
	d.settings[key] = setting{value, from}
}

// seconds is a duration as it is now, rounded down.
func (d *draft) seconds(key string) int {
	text := cmp.Or(d.settings[key].value, d.defaults[key])
	limit, _ := time.ParseDuration(strings.Trim(text, `"`)) // none of them has days
	return int(limit / time.Second)
}

// text is the file.
func (d *draft) text(sources []string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "# Imported from %s by assay config import.\n", strings.Join(sources, ", "))
	b.WriteString("# What is not here is at its default: assay config describe explains every setting.\n")
	section := ""
	for _, key := range order {
		s, ok := d.settings[key]
		if !ok || s.value == d.defaults[key] {
			continue
		}
		name := key
		if at := strings.LastIndexByte(key, '.'); at > 0 {
			if key[:at] != section {
				section = key[:at]
				fmt.Fprintf(&b, "\n[%s]\n", section)
			}
			name = key[at+1:]
		} else {
			b.WriteByte('\n')
		}
		writeFrom(&b, s.from)
		fmt.Fprintf(&b, "%s = %s\n", name, s.value)
	}
	for _, r := range d.rules {
		b.WriteString("\n[[rule]]\n")
		writeFrom(&b, r.from)
		for _, pair := range r.pairs {
			fmt.Fprintf(&b, "%s = %s\n", pair[0], pair[1])
		}
	}
	return b.String()
}

func writeFrom(b *strings.Builder, from []string) {
	for _, line := range slices.Compact(from) {
		fmt.Fprintf(b, "# %s\n", line)
	}
}

// maxLine is how long a list may be to stand on one line, in bytes.
const maxLine = 90

// list is texts as a list of TOML.
func list(texts []string) string {
	items := make([]string, len(texts))
	for i, t := range texts {
		items[i] = quote(t)
	}
	if one := "[" + strings.Join(items, ", ") + "]"; len(one) <= maxLine {
		return one
	}
	return "[\n    " + strings.Join(items, ",\n    ") + ",\n]"
}

// quote is text as a basic string of TOML. Nothing that comes here has control
// characters.
func quote(text string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(text) + `"`
}
