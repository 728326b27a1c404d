package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode"
	"unicode/utf16"

	"assay/verify/dmarc"
	"assay/verify/spf"
	"assay/verify/tags"
)

// writeJSON prints a value for programs, and so that a stranger's text in it
// does nothing to a terminal.
func writeJSON(w io.Writer, value any) error {
	var plain, safe strings.Builder
	out := json.NewEncoder(&plain)
	out.SetIndent("", "  ")
	if err := out.Encode(value); err != nil {
		return err
	}
	for _, r := range plain.String() {
		if r == '\n' || unicode.IsPrint(r) {
			safe.WriteRune(r)
			continue
		}
		for _, unit := range utf16.AppendRune(nil, r) { // it can only stand in a string
			fmt.Fprintf(&safe, "\\u%04x", unit)
		}
	}
	_, err := io.WriteString(w, safe.String())
	return err
}

type spfReported struct {
	Usable  bool            `json:"usable"`
	Error   string          `json:"error,omitempty"`
	Lookups int             `json:"lookups"`
	Void    int             `json:"void"`
	Queries int             `json:"queries"`
	Record  spfRecordReport `json:"record"`
}

type spfRecordReport struct {
	Domain string          `json:"domain"`
	Texts  []string        `json:"texts,omitempty"`
	Error  string          `json:"error,omitempty"`
	At     *int            `json:"at,omitempty"` // octet of the text that the error is about
	Terms  []spfTermReport `json:"terms,omitempty"`
}

type spfTermReport struct {
	Term      string           `json:"term"`
	Mechanism string           `json:"mechanism,omitempty"`
	Result    string           `json:"result,omitempty"`
	Target    string           `json:"target,omitempty"`
	Networks  []string         `json:"networks,omitempty"`
	Hosts     []string         `json:"hosts,omitempty"`
	Lookups   int              `json:"lookups,omitempty"`
	Unused    bool             `json:"unused,omitempty"`
	Error     string           `json:"error,omitempty"`
	Record    *spfRecordReport `json:"record,omitempty"`
}

func (s spfSurvey) report() any {
	return spfReported{s.fault() == nil, text(s.Err), s.Lookups, s.Void, s.Queries, spfRecordOf(s.Record)}
}

func spfRecordOf(r *spf.Record) spfRecordReport {
	out := spfRecordReport{Domain: r.Domain, Texts: r.Texts, Error: text(r.Err)}
	if fault := (*spf.SyntaxError)(nil); errors.As(r.Err, &fault) {
		out.At = &fault.At
	}
	for _, t := range r.Terms {
		term := spfTermReport{
			Term: t.Text, Mechanism: t.Mechanism, Result: string(t.Result), Target: t.Target,
			Hosts: t.Hosts, Lookups: t.Lookups, Unused: t.Unused, Error: text(t.Err),
		}
		for _, n := range t.Networks {
			term.Networks = append(term.Networks, n.String())
		}
		if t.Next != nil {
			next := spfRecordOf(t.Next)
			term.Record = &next
		}
		out.Terms = append(out.Terms, term)
	}
	return out
}

type keyReport struct {
	Name   string   `json:"name"`
	Usable bool     `json:"usable"`
	Error  string   `json:"error,omitempty"`
	At     *int     `json:"at,omitempty"` // octet of the record that the error is about
	Texts  []string `json:"texts,omitempty"`
	Type   string   `json:"type,omitempty"`
	Bits   int      `json:"bits,omitempty"`
	Strict bool     `json:"strict,omitempty"`
	Test   bool     `json:"test,omitempty"`

	Hashes   string `json:"hashes,omitempty"` // as in the record; absent for any
	Services string `json:"services,omitempty"`
	Notes    string `json:"notes,omitempty"`
}

func (k keyRecord) report() any {
	out := keyReport{Name: k.name, Usable: k.err == nil, Error: text(k.err), Texts: k.all}
	if fault := (*tags.Error)(nil); errors.As(k.err, &fault) {
		out.At = &fault.At
	}
	if k.key != nil {
		out.Type, out.Bits, out.Strict, out.Test = k.key.Type, k.key.Bits, k.key.Strict, k.key.Test
		out.Hashes, out.Services, out.Notes = k.tag("h", ""), k.tag("s", ""), k.tag("n", "")
	}
	return out
}

type dmarcReported struct {
	Name         string              `json:"name"`
	Usable       bool                `json:"usable"`
	Error        string              `json:"error,omitempty"`
	Steps        []reportStep        `json:"steps"`
	OrgDomain    string              `json:"org_domain,omitempty"`
	PSLOrgDomain string              `json:"psl_org_domain,omitempty"`
	Own          reportedApplication `json:"own"`
	Below        reportedApplication `json:"sub_domain"`
	BelowAbsent  reportedApplication `json:"absent_sub_domain"`
	ASPF         string              `json:"aspf,omitempty"`
	ADKIM        string              `json:"adkim,omitempty"`
	RUA          []string            `json:"rua,omitempty"`
	RUF          []string            `json:"ruf,omitempty"`
	Queries      int                 `json:"queries"`
}

type reportedApplication struct {
	PolicyDomain string `json:"policy_domain,omitempty"`
	Requested    string `json:"requested,omitempty"`
	Tag          string `json:"tag,omitempty"`
	Lowered      bool   `json:"lowered,omitempty"`
	Error        string `json:"error,omitempty"`
}

// reportStep is a step of a tree walk.
type reportStep struct {
	Name     string          `json:"name"`
	Found    string          `json:"found"`
	Texts    []string        `json:"texts,omitempty"`
	Error    string          `json:"error,omitempty"`
	At       *int            `json:"at,omitempty"` // octet of the text that the error is about
	Warnings []reportWarning `json:"warnings,omitempty"`
	Ignored  []reportIgnored `json:"ignored,omitempty"`
}

type reportWarning struct {
	At   int    `json:"at"`
	Text string `json:"text"`
}

type reportIgnored struct {
	Text  string `json:"text"`
	Error string `json:"error"`
	At    int    `json:"at"`
}

func (d dmarcPublication) report() any {
	out := dmarcReported{
		Name: d.Name.String(), Usable: d.fault() == nil, Error: text(d.fault()), Steps: stepReports(d.Steps),
		OrgDomain: d.OrgDomain.String(), PSLOrgDomain: d.disagreement().String(),
		Own: applicationReport(d.Own), Below: applicationReport(d.Below), BelowAbsent: applicationReport(d.BelowAbsent),
		Queries: d.Queries,
	}
	if r := d.Own.Record; r != nil {
		out.ASPF, out.ADKIM, out.RUA, out.RUF = string(r.ASPF), string(r.ADKIM), r.RUA, r.RUF
	}
	return out
}

func applicationReport(a dmarc.Application) reportedApplication {
	return reportedApplication{a.PolicyDomain.String(), string(a.Requested), a.Tag, a.Lowered, text(a.Err)}
}

func stepReports(steps []dmarc.Step) []reportStep {
	reports := []reportStep{}
	for _, s := range steps {
		r := reportStep{Name: dmarc.RecordName(s.Name), Found: string(s.Found), Texts: s.Several, Error: text(s.Err)}
		if fault := (*dmarc.SyntaxError)(nil); errors.As(s.Err, &fault) {
			r.At = &fault.At
		}
		if s.Record != nil {
			r.Texts = []string{s.Record.Text}
			for _, w := range s.Record.Warnings {
				r.Warnings = append(r.Warnings, reportWarning{w.At, w.Text})
			}
		}
		for _, i := range s.Ignored {
			r.Ignored = append(r.Ignored, reportIgnored{i.Text, i.Err.Error(), faultPlace(i.Err)})
		}
		reports = append(reports, r)
	}
	return reports
}
