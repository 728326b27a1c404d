package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
)

// state says how a thing is.
type state string

// The states.
const (
	good    state = "ok"
	warned  state = "warn" // works, and may surprise
	failing state = "fail"
	skipped state = "skip" // cannot be known here
)

// finding is what a check has to say about one thing. Findings are compared
// with ==.
type finding struct {
	Check string `json:"check"`
	State state  `json:"state"`
	Text  string `json:"text"`
	Hint  string `json:"hint,omitempty"`  // the next step
	Later bool   `json:"later,omitempty"` // it fails now and may pass by itself
}

// diagnosis is what assay doctor prints as JSON.
type diagnosis struct {
	Status int       `json:"status"`
	Checks []finding `json:"checks"`
}

func found(s state, format string, args ...any) finding {
	return finding{State: s, Text: fmt.Sprintf(format, args...)}
}

// next adds the next step.
func (f finding) next(format string, args ...any) finding {
	f.Hint = fmt.Sprintf(format, args...)
	return f
}

// later marks what may pass: something is not running, or not answering.
func (f finding) later() finding {
	f.Later = true
	return f
}

func list(findings ...finding) []finding { return findings }

// statusOf is the exit status that belongs to findings.
func statusOf(findings []finding) int {
	fails := func(f finding) bool { return f.State == failing }
	switch {
	case slices.ContainsFunc(findings, func(f finding) bool { return fails(f) && !f.Later }):
		return exitNo
	case slices.ContainsFunc(findings, fails):
		return exitLater
	}
	return exitYes
}

// writeFindings prints findings for people: each a line, and its next step below.
func writeFindings(w io.Writer, findings []finding) error {
	var b strings.Builder
	for _, f := range findings {
		fmt.Fprintf(&b, "%-8s %-4s %s\n", f.Check, f.State, printable(f.Text))
		if f.Hint != "" {
			fmt.Fprintf(&b, "%14shint: %s\n", "", printable(f.Hint))
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// grouped puts together what is the same for several of them, whose names stand
// before it, and keeps the order.
type grouped struct {
	order []finding
	names map[finding][]string
}

func (g *grouped) add(name string, findings ...finding) {
	for _, f := range findings {
		if g.names == nil {
			g.names = map[finding][]string{}
		}
		if g.names[f] == nil {
			g.order = append(g.order, f)
		}
		g.names[f] = append(g.names[f], name)
	}
}

func (g *grouped) findings() []finding {
	var all []finding
	for _, f := range g.order {
		names := strings.Join(g.names[f], ", ")
		f.Text = names + ": " + f.Text
		all = append(all, f)
	}
	return all
}
