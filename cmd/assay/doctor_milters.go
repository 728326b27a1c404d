package main

import "strings"

// milterEntry is one of the milters that Postfix is told of, with what is set for
// it alone ("{ inet:127.0.0.1:8891, default_action=tempfail }").
type milterEntry struct {
	address string
	own     map[string]string
}

// parseMilters reads the value of smtpd_milters.
func parseMilters(value string) []milterEntry {
	var entries []milterEntry
	for _, word := range splitList(value) {
		inner, braced := strings.CutPrefix(word, "{")
		if !braced {
			entries = append(entries, milterEntry{address: word})
			continue
		}
		words := splitList(strings.TrimSuffix(inner, "}"))
		if len(words) == 0 {
			continue
		}
		e := milterEntry{address: words[0], own: map[string]string{}}
		for _, w := range words[1:] {
			name, value, _ := strings.Cut(strings.Trim(w, "{} \t"), "=")
			e.own[strings.TrimSpace(name)] = strings.TrimSpace(value)
		}
		entries = append(entries, e)
	}
	return entries
}

// splitList splits a list of Postfix at commas and blanks, but not within braces.
func splitList(text string) []string {
	depth := 0
	return strings.FieldsFunc(text, func(r rune) bool {
		switch r {
		case '{':
			depth++
		case '}':
			depth--
		case ',', ' ', '\t', '\r', '\n':
			return depth == 0
		}
		return false
	})
}
