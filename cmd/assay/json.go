package main

import (
	"cmp"
	"fmt"
	"io"

	"assay/verify"
	"assay/verify/arc"
	"assay/verify/dkim"
	"assay/verify/dmarc"
	"assay/verify/spf"
)

// report is an examination as JSON. Keys are the words of the log line.
type report struct {
	IP             string        `json:"ip"`
	Helo           string        `json:"helo"`
	EnvelopeSender string        `json:"envelope_sender"`
	Author         reportAuthor  `json:"author"`
	SPF            reportSPF     `json:"spf"`
	SPFHelo        reportSPF     `json:"spf_helo"`
	DKIM           []reportDKIM  `json:"dkim"`
	ARC            reportARC     `json:"arc"`
	DMARC          reportDMARC   `json:"dmarc"`
	IPRev          reportIPRev   `json:"iprev"`
	Forwarder      *reportBy     `json:"forwarder,omitempty"` // where the client is one, or may be
	Verdict        reportVerdict `json:"verdict"`
	Exempt         string        `json:"exempt,omitempty"`
	Lookups        int           `json:"lookups"`
	Stale          int           `json:"stale,omitempty"`
	Results        string        `json:"authentication_results"`
}

type reportAuthor struct {
	Kind   string `json:"kind"`
	Domain string `json:"domain,omitempty"`
	Error  string `json:"error,omitempty"`
}

type reportSPF struct {
	Result    string `json:"result"`
	Domain    string `json:"domain,omitempty"`
	Mechanism string `json:"mechanism,omitempty"`
	Lookups   int    `json:"lookups"`
	Error     string `json:"error,omitempty"`

	Trail []reportTerm `json:"trail,omitempty"` // the terms that led to the result, the one that matched last
}

type reportTerm struct {
	Term   string `json:"term"`
	Domain string `json:"domain"` // whose record it stands in
}

type reportDKIM struct {
	Result    string `json:"result"`
	SDID      string `json:"sdid,omitempty"`
	AUID      string `json:"auid,omitempty"`
	Selector  string `json:"selector,omitempty"`
	Algorithm string `json:"algorithm,omitempty"`
	KeyBits   int    `json:"key_bits,omitempty"`
	KeySecure bool   `json:"key_secure,omitempty"`
	Error     string `json:"error,omitempty"`

	SignedBodyHash []byte `json:"signed_body_hash,omitempty"` // in base64, like the next two
	BodyHash       []byte `json:"body_hash,omitempty"`
	HeaderHash     []byte `json:"header_hash,omitempty"`
}

type reportARC struct {
	Result     string   `json:"result,omitempty"`
	Sealers    []string `json:"sealers,omitempty"` // in order of their instance
	OldestPass int      `json:"oldest_pass"`
	Error      string   `json:"error,omitempty"`
}

type reportDMARC struct {
	Result       string `json:"result"`
	Requested    string `json:"requested,omitempty"`
	Tag          string `json:"tag,omitempty"`
	OrgDomain    string `json:"org_domain,omitempty"`
	PSLOrgDomain string `json:"psl_org_domain,omitempty"`
	PolicyDomain string `json:"policy_domain,omitempty"`
	AlignedSPF   bool   `json:"aligned_spf"`
	AlignedDKIM  []int  `json:"aligned_dkim,omitempty"`
	Error        string `json:"error,omitempty"`

	Steps       []reportStep       `json:"steps"` // of the tree walks
	Comparisons []reportComparison `json:"comparisons,omitempty"`
}

type reportComparison struct {
	Signature *int   `json:"signature,omitempty"` // index in dkim; absent for spf
	Name      string `json:"name"`
	Mode      string `json:"mode"`
	Outcome   string `json:"outcome"`
	OrgDomain string `json:"org_domain,omitempty"`
	Error     string `json:"error,omitempty"`
}

type reportIPRev struct {
	Result string `json:"result"`
	Name   string `json:"name,omitempty"`
	Error  string `json:"error,omitempty"`
}

type reportBy struct {
	Name   string     `json:"name,omitempty"`
	Client string     `json:"client,omitempty"` // whom spf is about
	Direct *reportSPF `json:"direct,omitempty"` // spf of the forwarder itself, where spf is about another
	Error  string     `json:"error,omitempty"`
}

type reportVerdict struct {
	Action      string   `json:"action"`
	Step        string   `json:"step"`
	Rule        string   `json:"rule,omitempty"`
	Disposition string   `json:"disposition"`
	Override    string   `json:"override,omitempty"`
	Reason      string   `json:"reason"`
	Reply       string   `json:"reply,omitempty"`
	Evidence    []string `json:"evidence,omitempty"`     // what speaks for indirect mail
	Would       string   `json:"would_action,omitempty"` // if all were enforced
	WouldStep   string   `json:"would_step,omitempty"`
	WouldRule   string   `json:"would_rule,omitempty"`
	AskedMore   []string `json:"asked_more,omitempty"` // recipients, and what was asked for them
}

// writeJSON prints an examination for programs.
func (e *examination) writeJSON(w io.Writer) error {
	f, m := e.findings, e.message
	r := report{
		Helo:           m.Connection.Helo,
		EnvelopeSender: m.Envelope.Sender,
		Author:         reportAuthor{string(f.Author.Kind), f.Author.Domain.String(), text(f.Author.Err)},
		SPF:            spfReport(f.SPF),
		SPFHelo:        spfReport(f.Helo),
		DKIM:           dkimReports(f.DKIM),
		ARC:            arcReport(f.ARC),
		DMARC: reportDMARC{
			Result: string(f.DMARC.Result), Requested: string(f.DMARC.Requested), Tag: f.DMARC.Tag,
			OrgDomain: f.DMARC.OrgDomain.String(), PSLOrgDomain: f.DMARC.Disagreement().String(), PolicyDomain: f.DMARC.PolicyDomain.String(),
			AlignedSPF: f.DMARC.AlignedSPF, AlignedDKIM: f.DMARC.AlignedDKIM, Error: text(f.DMARC.Err),
			Steps: stepReports(f.DMARC.Steps), Comparisons: comparisonReports(f.DMARC.Comparisons),
		},
		IPRev: reportIPRev{string(f.IPRev.Result), f.IPRev.Name.String(), text(f.IPRev.Err)},
		Verdict: reportVerdict{
			Action: string(e.verdict.Action), Disposition: string(e.verdict.Disposition),
			Step: string(e.verdict.Step), Rule: e.verdict.Rule,
			Override: string(e.verdict.Override), Reason: e.verdict.Reason,
			Evidence: textsOf(e.verdict.Evidence), AskedMore: textsOf(e.verdict.Asked),
			Would: string(e.verdict.Would.Action), WouldStep: string(e.verdict.Would.Step), WouldRule: e.verdict.Would.Rule,
		},
		Forwarder: byReport(f.Forwarded),
		Exempt:    e.exempt,
		Lookups:   f.Lookups,
		Stale:     f.Stale,
		Results:   e.field,
	}
	if m.Connection.Addr.IsValid() {
		r.IP = m.Connection.Addr.String()
	}
	if e.verdict.Reply.Code != 0 {
		r.Verdict.Reply = e.verdict.Reply.String()
	}
	return writeJSON(w, r)
}

func byReport(f verify.Forwarded) *reportBy {
	if f.Name == "" && f.Err == nil {
		return nil
	}
	by := &reportBy{Name: f.Name, Error: text(f.Err)}
	if f.Client.IsValid() {
		direct := spfReport(f.Direct)
		by.Client, by.Direct = f.Client.String(), &direct
	}
	return by
}

func textsOf[T fmt.Stringer](all []T) []string {
	var texts []string
	for _, one := range all {
		texts = append(texts, one.String())
	}
	return texts
}

func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func spfReport(c spf.Check) reportSPF {
	r := reportSPF{Result: string(c.Result), Domain: c.Domain.String(), Mechanism: c.Mechanism, Lookups: c.Lookups, Error: text(c.Err)}
	for _, s := range c.Trail {
		r.Trail = append(r.Trail, reportTerm(s))
	}
	return r
}

func comparisonReports(comparisons []dmarc.Comparison) []reportComparison {
	var reports []reportComparison
	for _, c := range comparisons {
		r := reportComparison{
			Name: c.Name.String(), Mode: modeWord(c.Mode), Outcome: string(c.Outcome), OrgDomain: c.OrgDomain.String(), Error: text(c.Err),
		}
		if c.Signature >= 0 {
			r.Signature = &c.Signature
		}
		reports = append(reports, r)
	}
	return reports
}

func arcReport(c arc.Chain) reportARC {
	r := reportARC{Result: string(c.Result), OldestPass: c.OldestPass, Error: text(cmp.Or(c.Err, c.Caveat))}
	for _, s := range c.Sets {
		r.Sealers = append(r.Sealers, s.Sealer.String())
	}
	return r
}

func dkimReports(signatures []dkim.Signature) []reportDKIM {
	reports := []reportDKIM{}
	for _, s := range signatures {
		reports = append(reports, reportDKIM{
			string(s.Result), s.SDID.String(), s.AUID, s.Selector.String(), s.Algorithm, s.KeyBits, s.KeySecure, text(s.Err),
			s.SignedBody, s.BodySum, s.HeaderSum,
		})
	}
	return reports
}
