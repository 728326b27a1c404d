package main

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"text/tabwriter"

	"assay/policy"
	"assay/verify"
	"assay/verify/dmarc"
)

// maxGroups bounds the differences that are kept apart; the rest is counted
// together.
const maxGroups = 10_000

// differences counts what two policies do with the same messages. It is safe for
// concurrent use.
type differences struct {
	mu         sync.Mutex
	judged     int64
	exempt     int64
	temporary  int64
	passedOver int64
	other      int64
	groups     map[groupKey]*group
}

// groupKey is what differences have in common.
type groupKey struct {
	author    string
	now, then policy.Decision
}

type group struct {
	count     int64
	example   string // of the messages the one whose name comes first
	now, then string // reasons, those of the example
}

func (d *differences) add(name string, first, second judgement) {
	now, then := first.verdict, second.verdict
	d.mu.Lock()
	defer d.mu.Unlock()
	d.judged++
	if now.Step == policy.StepExempt && then.Step == policy.StepExempt {
		d.exempt++
	}
	if first.findings.DMARC.Result == dmarc.TempError || second.findings.DMARC.Result == dmarc.TempError {
		d.temporary++
	}
	if now.Action == then.Action {
		return
	}
	key := groupKey{authorOf(first.findings), decisionOf(now), decisionOf(then)}
	g := d.groups[key]
	if g == nil {
		if len(d.groups) == maxGroups {
			d.other++
			return
		}
		if d.groups == nil {
			d.groups = map[groupKey]*group{}
		}
		g = &group{}
		d.groups[key] = g
	}
	if g.count++; g.example == "" || name < g.example {
		g.example, g.now, g.then = name, now.Reason, then.Reason
	}
}

func decisionOf(v policy.Verdict) policy.Decision {
	return policy.Decision{Action: v.Action, Step: v.Step, Rule: v.Rule}
}

// authorOf is the author domain or, where there is none, why.
func authorOf(f verify.Findings) string {
	if d := f.AuthorDomain(); !d.IsZero() {
		return d.String()
	}
	return "(" + string(f.Author.Kind) + ")"
}

// replayReport is the result of a replay.
type replayReport struct {
	Judged      int64              `json:"judged"`
	Different   int64              `json:"different"`
	Exempt      int64              `json:"exempt"`      // by both: nothing is known of them
	TempErrors  int64              `json:"temperrors"`  // judged though DNS failed
	PassedOver  int64              `json:"passed_over"` // could not be read or judged
	Differences []replayDifference `json:"differences"` // the most frequent first
	Other       int64              `json:"other"`       // differences that are not among them
}

type replayDifference struct {
	AuthorDomain string     `json:"author_domain"` // or why there is none, in parentheses
	Messages     int64      `json:"messages"`
	Now          replayPart `json:"now"`
	Against      replayPart `json:"against"`
	Example      string     `json:"example"`
	key          groupKey   // for sorting
}

type replayPart struct {
	Action string `json:"action"`
	Step   string `json:"step"`
	Rule   string `json:"rule,omitempty"`
	Reason string `json:"reason"`
}

func (d *differences) report() replayReport {
	r := replayReport{
		Judged: d.judged, Different: d.other, Exempt: d.exempt, TempErrors: d.temporary, PassedOver: d.passedOver,
		Differences: []replayDifference{}, Other: d.other,
	}
	for key, g := range d.groups {
		r.Different += g.count
		r.Differences = append(r.Differences, replayDifference{
			AuthorDomain: key.author, Messages: g.count, Example: g.example, key: key,
			Now: partOf(key.now, g.now), Against: partOf(key.then, g.then),
		})
	}
	slices.SortFunc(r.Differences, func(a, b replayDifference) int {
		return cmp.Or(cmp.Compare(b.Messages, a.Messages), cmp.Compare(a.AuthorDomain, b.AuthorDomain),
			cmp.Compare(fmt.Sprint(a.key), fmt.Sprint(b.key)))
	})
	return r
}

func partOf(d policy.Decision, reason string) replayPart {
	return replayPart{string(d.Action), string(d.Step), d.Rule, reason}
}

// words are what was done and by what: "reject (dmarc on_reject)".
func (p replayPart) words() string {
	return p.Action + " (" + strings.TrimSpace(p.Step+" "+p.Rule) + ")"
}

// writeTable prints the differences for people.
func (r replayReport) writeTable(w io.Writer) error {
	out := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	if len(r.Differences) > 0 {
		fmt.Fprintln(out, "messages\tauthor\tnow\tagainst\twhy\texample")
	}
	for _, d := range r.Differences {
		why := d.Against.Reason
		if d.Against.Action == string(policy.Accept) && d.Now.Step != string(policy.StepExempt) {
			why = d.Now.Reason // what is given up says more
		}
		fmt.Fprintf(out, "%d\t%s\t%s\t%s\t%s\t%s\n", d.Messages, printable(d.AuthorDomain), printable(d.Now.words()), printable(d.Against.words()), printable(why), printable(d.Example))
	}
	if err := out.Flush(); err != nil {
		return err
	}
	text := fmt.Sprintf("%s, %d would be treated differently", plural(int(r.Judged), "message"), r.Different)
	if r.Other > 0 {
		text += fmt.Sprintf(", %d of them not in the table", r.Other)
	}
	if r.Exempt > 0 {
		text += fmt.Sprintf("; %d exempt by both", r.Exempt)
	}
	if r.TempErrors > 0 {
		text += fmt.Sprintf("; DNS failed for %d", r.TempErrors)
	}
	if r.PassedOver > 0 {
		text += fmt.Sprintf("; %d passed over", r.PassedOver)
	}
	_, err := fmt.Fprintln(w, text)
	return err
}
