package domain

import "strings"

// Pattern is an item in a list of domains: one name, or all names below one.
type Pattern struct {
	Name  Name
	Below bool // the names below Name, but not Name itself
}

// ParsePattern reads "example.com", that one name, or ".example.com", every
// name below it. It fails as Parse does.
func ParsePattern(text string) (Pattern, error) {
	bare, below := strings.CutPrefix(text, ".")
	name, err := Parse(bare)
	if err != nil {
		return Pattern{}, err
	}
	return Pattern{name, below}, nil
}

// String returns the pattern as ParsePattern reads it.
func (p Pattern) String() string {
	if p.Below {
		return "." + p.Name.text
	}
	return p.Name.text
}

// Set is a set of names, made of patterns. The zero Set is empty. A Set does
// not change and may be shared; a look-up takes well below a microsecond
// whatever its size.
type Set struct {
	names  map[Name]struct{}
	below  map[Name]struct{}
	labels int // of the longest name in below
}

// NewSet returns the set of all names that one of the patterns stands for.
func NewSet(patterns ...Pattern) Set {
	s := Set{names: make(map[Name]struct{}), below: make(map[Name]struct{})}
	for _, p := range patterns {
		if p.Below {
			s.below[p.Name] = struct{}{}
			s.labels = max(s.labels, p.Name.Labels())
		} else {
			s.names[p.Name] = struct{}{}
		}
	}
	return s
}

// Empty reports whether no name is in the set.
func (s Set) Empty() bool { return len(s.names)+len(s.below) == 0 }

// Has reports whether n is in the set. The zero Name is in none.
func (s Set) Has(n Name) bool {
	if n.text == "" {
		return false
	}
	if _, ok := s.names[n]; ok {
		return true
	}
	// From the right, so that a name with a hundred labels costs no more
	// look-ups than the patterns have labels.
	end := len(n.text)
	for range s.labels {
		dot := strings.LastIndexByte(n.text[:end], '.')
		if dot < 0 {
			return false
		}
		if _, ok := s.below[Name{n.text[dot+1:]}]; ok {
			return true
		}
		end = dot
	}
	return false
}
