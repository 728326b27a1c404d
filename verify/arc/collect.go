package arc

import (
	"fmt"
	"strings"

	"assay/verify/dkim"
	"assay/verify/message"
	"assay/verify/tags"
)

// kind tells the three fields of a set apart. A sealer covers them in this
// order (RFC 8617 §5.1.1).
type kind int

const (
	results kind = iota
	messageSignature
	seal
	kinds
)

var fieldNames = [kinds]string{"ARC-Authentication-Results", "ARC-Message-Signature", "ARC-Seal"}

// field is an ARC field whose instance could be read.
type field struct {
	at      int       // index in the header
	list    tags.List // nil for results
	payload string    // results without "i=N;"; "" for the others
}

// set is the fields of one instance as they were received.
type set [kinds]struct {
	field
	count int
}

// collect sorts the ARC fields of header by instance and returns the sets up
// to the highest instance there is; none when there is no ARC field.
func collect(header message.Header) ([]set, error) {
	var sets []set // most messages have none
	fields := 0
	for at, f := range header {
		k := kindOf(f)
		if k == kinds {
			continue
		}
		// RFC 8617 §5.1.1.1: at most 50 sets. What is more repeats an instance.
		if fields++; fields > MaxSets*int(kinds) {
			return sets, fmt.Errorf("%w: more than %d", ErrTooMany, MaxSets*int(kinds))
		}
		instance, read, err := readField(k, f.Value)
		if err != nil {
			return sets, fmt.Errorf("%s: %w", fieldNames[k], err)
		}
		for len(sets) < instance {
			sets = append(sets, set{})
		}
		read.at = at
		sets[instance-1][k].field = read
		sets[instance-1][k].count++
	}
	return sets, nil
}

// kindOf returns kinds for what is no ARC field.
func kindOf(f message.Field) kind {
	for k, name := range fieldNames {
		if f.Is(name) {
			return kind(k)
		}
	}
	return kinds
}

func readField(k kind, value string) (instance int, f field, err error) {
	if len(value) > dkim.MaxFieldBytes {
		return 0, f, ErrFieldSize
	}
	if k == results {
		instance, f.payload, err = cutInstance(value)
		return instance, f, err
	}
	if f.list, err = tags.Parse(value); err != nil {
		return 0, f, fmt.Errorf("%w: %w", ErrSyntax, err)
	}
	// RFC 8617 §4.1: i= comes first. Signers in the field do not all do so.
	i, _ := f.list.Get("i")
	instance, err = parseInstance(i)
	return instance, f, err
}

// cutInstance reads the "i=N;" that a value of results begins with and
// returns what follows it (RFC 8617 §4.1.1).
func cutInstance(value string) (instance int, payload string, err error) {
	head, payload, err := cut(value)
	if err != nil {
		return 0, "", err
	}
	name, number, _ := strings.Cut(uncomment(head), "=")
	if strings.Trim(name, blanks) != "i" {
		return 0, "", ErrInstance
	}
	instance, err = parseInstance(strings.Trim(number, blanks))
	return instance, payload, err
}

const blanks = " \t\r\n"

// parseInstance: RFC 8617 §4.2.1: one or two digits, 1 to 50.
func parseInstance(text string) (int, error) {
	if len(text) < 1 || len(text) > 2 {
		return 0, ErrInstance
	}
	n := 0
	for i := 0; i < len(text); i++ {
		if text[i] < '0' || text[i] > '9' {
			return 0, ErrInstance
		}
		n = 10*n + int(text[i]-'0')
	}
	if n < 1 || n > MaxSets {
		return 0, ErrInstance
	}
	return n, nil
}

// check does steps 2 and 3 of RFC 8617 §5.2 on sets, of which there is one at
// the least.
func check(sets []set) error {
	last := sets[len(sets)-1][seal]
	if cv, _ := last.list.Get("cv"); CV(cv) == CVFail {
		return ErrDeclared
	}
	for i, s := range sets {
		for k, f := range s {
			if f.count != 1 {
				return fmt.Errorf("%w: %d %s with i=%d", ErrStructure, f.count, fieldNames[k], i+1)
			}
		}
	}
	for i, s := range sets {
		want := CVPass
		if i == 0 {
			want = CVNone
		}
		if cv, _ := s[seal].list.Get("cv"); CV(cv) != want {
			return fmt.Errorf("%w: ARC-Seal %d", ErrCV, i+1)
		}
	}
	return nil
}
