package dmarc

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"assay/verify/domain"
	"assay/verify/lookup"
)

// Bounds of one tree walk (RFC 9989 §4.10): whatever the name, at most
// MaxQueries questions, because a name with that many labels or more continues
// at its last shortcutLabels ones.
const (
	MaxQueries     = 8
	shortcutLabels = MaxQueries - 1
)

// RecordName returns the name where the record of a domain is (RFC 9989 §4.5). It
// is longer than the DNS allows where name is.
func RecordName(name domain.Name) string { return prefix + name.String() }

const prefix = "_dmarc."

// Found says what the DNS holds at one name.
type Found string

// What a name can hold.
const (
	FoundRecord  Found = "record"  // one DMARC record
	FoundNothing Found = "none"    // no DMARC record
	FoundSeveral Found = "several" // more than one, which count as none
	FoundError   Found = "error"   // no answer
)

// Step is one name of a tree walk and what was found there.
type Step struct {
	Name  domain.Name // without the _dmarc label
	Found Found
	// Record is there exactly when Found is FoundRecord. It is shared and
	// read-only, and may be unusable as a policy: see Err.
	Record *Record
	// Several are the first two texts of FoundSeveral: foreign text.
	Several []string
	// Err is the DNS error of FoundError, or wraps ErrUnusable.
	Err error
	// Ignored are texts that were probably meant to be DMARC records, at most
	// MaxWarnings.
	Ignored []Ignored
}

// Ignored is a text that is no DMARC record, and why.
type Ignored struct {
	Text string // as published: foreign text, to be quoted when shown
	Err  error  // wraps ErrNotDMARC
}

func (i Ignored) String() string { return fmt.Sprintf("%s: %v", quote(i.Text), i.Err) }

// walker asks for the records of one message. Each name is asked for once,
// failures included, so that the walks of related names share their questions.
// It is not safe for concurrent use.
type walker struct {
	resolver lookup.Resolver
	steps    []Step // in the order of asking
	queries  int
}

// ask returns what is found at name.
func (w *walker) ask(ctx context.Context, name domain.Name) Step {
	// Few names are asked for, a map would not be faster.
	for _, s := range w.steps {
		if s.Name == name {
			return s
		}
	}
	s := w.fetch(ctx, name)
	w.steps = append(w.steps, s)
	return s
}

func (w *walker) fetch(ctx context.Context, name domain.Name) Step {
	query := RecordName(name)
	if len(query) > domain.MaxName {
		// The DNS cannot hold this name: it has no record, and its parents may.
		return Step{Name: name, Found: FoundNothing}
	}
	w.queries++
	txt, err := w.resolver.TXT(ctx, query)
	switch {
	case lookup.Absent(err):
		return Step{Name: name, Found: FoundNothing}
	case err != nil:
		return Step{Name: name, Found: FoundError, Err: fmt.Errorf("lookup of %s: %w", query, err)}
	}
	step := *lookup.Derive(txt, readAnswer)
	step.Name = name
	return step
}

// readAnswer makes a Step without name of the TXT records at one name.
func readAnswer(records []string) *Step {
	step := &Step{Found: FoundNothing}
	for _, text := range records {
		record, err := ParseRecord(text)
		switch {
		case errors.Is(err, ErrNotDMARC):
			// RFC 9989 §4.10 step 2: records of other kinds are discarded.
			step.ignore(text, err)
		case step.Found != FoundNothing:
			// RFC 9989 §4.10 step 2: of several records none counts.
			return &Step{Found: FoundSeveral, Several: []string{step.Record.Text, text}, Ignored: step.Ignored}
		default:
			step.Found, step.Record, step.Err = FoundRecord, &record, err
		}
	}
	return step
}

// ignore keeps why text is no record, where it looks as if it was meant to be.
func (s *Step) ignore(text string, why error) {
	start, _, _ := strings.Cut(text, ";")
	if len(s.Ignored) < MaxWarnings && strings.Contains(strings.ToUpper(start), "DMARC") {
		s.Ignored = append(s.Ignored, Ignored{text, why})
	}
}

// walk returns the records found from start upwards, the longest name first. It
// fails at the first name that gives no answer: what lies above an outage must
// not be taken for what lies below it.
func (w *walker) walk(ctx context.Context, start domain.Name) ([]Step, error) {
	var found []Step
	// RFC 9989 §4.10: up to the name of one label; the root is never asked.
	for name := start; !name.IsZero(); name = next(start, name) {
		s := w.ask(ctx, name)
		if s.Found == FoundError {
			return nil, s.Err
		}
		if s.Record == nil {
			continue
		}
		found = append(found, s)
		// RFC 9989 §4.10 steps 2 and 7: psd=y and psd=n end the walk.
		if s.Record.PSD != PSDUnknown {
			break
		}
	}
	return found, nil
}

// next returns the name after name on the walk from start; zero at its end.
func next(start, name domain.Name) domain.Name {
	// RFC 9989 §4.10 step 5: the shortcut is taken after the first name only.
	if name == start && start.Labels() >= MaxQueries {
		return start.Last(shortcutLabels)
	}
	return name.Parent()
}
