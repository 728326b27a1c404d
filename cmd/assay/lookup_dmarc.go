package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"assay/verify/dmarc"
	"assay/verify/domain"
	"assay/verify/lookup"
)

func lookupDMARC() *cobra.Command {
	return lookupFor(&cobra.Command{
		Use:     "dmarc DOMAIN",
		Short:   "Show the tree walk of a domain and the policies it leads to",
		Example: "  assay lookup dmarc mail.example.com",
	}, func(ctx context.Context, r lookup.Resolver, _ lookupFlags, text string) (published, error) {
		name, err := domain.Parse(text)
		if err != nil {
			return nil, fmt.Errorf("%q: %w", text, err)
		}
		return dmarcPublication{dmarc.Verifier{Resolver: r}.Lookup(ctx, name)}, nil
	})
}

// dmarcPublication is what assay lookup dmarc shows.
type dmarcPublication struct{ dmarc.Publication }

var errNoPolicy = errors.New("no DMARC record applies")

func (d dmarcPublication) fault() error {
	switch own := d.Own; {
	case errors.Is(own.Err, dmarc.ErrUnusable):
		return own.Err
	case own.Err != nil:
		return outage{own.Err}
	case d.OrgErr != nil:
		return outage{d.OrgErr}
	case own.Record == nil:
		return errNoPolicy
	}
	return nil
}

func (d dmarcPublication) writeText(p *page) {
	for _, s := range d.Steps {
		p.dmarcStep(s)
	}
	p.line(0, "")
	p.entry("organizational domain", d.organization())
	if !d.Own.PolicyDomain.IsZero() {
		p.entry("policy domain", d.Own.PolicyDomain.String())
	}
	p.entry("policy of the name", applies(d.Own))
	p.entry("  of a sub-domain", applies(d.Below))
	p.entry("  of one not in DNS", applies(d.BelowAbsent))
	if r := d.Own.Record; r != nil && d.Own.Err == nil {
		p.entry("alignment", fmt.Sprintf("spf %s, dkim %s", modeWord(r.ASPF), modeWord(r.ADKIM)))
		p.entry("aggregate reports", listOr(r.RUA, "none"))
		p.entry("failure reports", listOr(r.RUF, "none"))
	}
	p.entry("result", resultOf(d.fault()))
}

// organization names the organizational domain, and the other one.
func (d dmarcPublication) organization() string {
	if d.OrgErr != nil {
		return noAnswer
	}
	text := d.OrgDomain.String()
	if d.SuffixGuard {
		text += " (a top-level domain is none)"
	}
	if psl := d.disagreement(); !psl.IsZero() {
		text += " (" + psl.String() + " by the public suffix list)"
	}
	return text
}

// disagreement returns the organizational domain by the public suffix list where
// it is another one.
func (d dmarcPublication) disagreement() domain.Name {
	return dmarc.Evaluation{AuthorDomain: d.Name, OrgDomain: d.OrgDomain}.Disagreement()
}

// dmarcStep adds what was found at one name.
func (p *page) dmarcStep(s dmarc.Step) {
	p.line(0, "%-34s %s", dmarc.RecordName(s.Name), stepWords(s))
	if s.Record != nil {
		p.record(2, s.Record.Text, recordCarets(s)...)
	}
	for _, text := range s.Several {
		p.record(2, text)
	}
	for _, i := range s.Ignored {
		p.record(2, i.Text, caret{faultPlace(i.Err), i.Err.Error()})
	}
}

func stepWords(s dmarc.Step) string {
	switch s.Found {
	case dmarc.FoundRecord:
		if s.Record.PSD == dmarc.PSDYes {
			return "record of a public suffix, the walk ends"
		}
		if s.Record.PSD == dmarc.PSDNo {
			return "record of an organizational domain, the walk ends"
		}
		return "record"
	case dmarc.FoundSeveral:
		return "several records, which count as none"
	case dmarc.FoundError:
		return s.Err.Error()
	}
	return "no record"
}

// recordCarets points at what is wrong with a record.
func recordCarets(s dmarc.Step) []caret {
	var carets []caret
	for _, w := range s.Record.Warnings {
		carets = append(carets, caret{w.At, w.Text})
	}
	if s.Err != nil {
		carets = append(carets, caret{faultPlace(s.Err), s.Err.Error()})
	}
	return carets
}

func faultPlace(err error) int {
	var fault *dmarc.SyntaxError
	if errors.As(err, &fault) {
		return fault.At
	}
	return 0
}

// noAnswer stands where an outage hides something; the result says more.
const noAnswer = "unknown, DNS did not answer"

// applies names a policy and where it comes from.
func applies(a dmarc.Application) string {
	switch {
	case errors.Is(a.Err, dmarc.ErrUnusable):
		return "none, the record of " + a.PolicyDomain.String() + " is not usable"
	case a.Err != nil:
		return noAnswer
	case a.Record == nil:
		return "none, no record applies"
	}
	text := fmt.Sprintf("%s (%s of %s", a.Requested, a.Tag, a.PolicyDomain)
	if a.Record.Test {
		text += ", t=y"
	}
	if a.Lowered {
		text += " lowers it"
	}
	return text + ")"
}

func modeWord(m dmarc.Mode) string {
	if m == dmarc.Strict {
		return "strict"
	}
	return "relaxed"
}

func listOr(list []string, none string) string {
	if len(list) == 0 {
		return none
	}
	return strings.Join(list, ", ")
}
