package main

import (
	"cmp"
	"encoding/json"
	"io"

	"assay/verify/arc"
	"assay/verify/dkim"
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
	Verdict        reportVerdict `json:"verdict"`
	Lookups        int           `json:"lookups"`
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
}

type reportDKIM struct {
	Result    string `json:"result"`
	SDID      string `json:"sdid,omitempty"`
	AUID      string `json:"auid,omitempty"`
	Selector  string `json:"selector,omitempty"`
	Algorithm string `json:"algorithm,omitempty"`
	KeyBits   int    `json:"key_bits,omitempty"`
	Error     string `json:"error,omitempty"`
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
}

type reportIPRev struct {
	Result string `json:"result"`
	Name   string `json:"name,omitempty"`
	Error  string `json:"error,omitempty"`
}

type reportVerdict struct {
	Action      string `json:"action"`
	Disposition string `json:"disposition"`
	Override    string `json:"override,omitempty"`
	Reason      string `json:"reason"`
	Reply       string `json:"reply,omitempty"`
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
		},
		IPRev: reportIPRev{string(f.IPRev.Result), f.IPRev.Name.String(), text(f.IPRev.Err)},
		Verdict: reportVerdict{
			Action: string(e.verdict.Action), Disposition: string(e.verdict.Disposition),
			Override: string(e.verdict.Override), Reason: e.verdict.Reason,
		},
		Lookups: f.Lookups,
		Results: e.field,
	}
	if m.Connection.Addr.IsValid() {
		r.IP = m.Connection.Addr.String()
	}
	if e.verdict.Reply.Code != 0 {
		r.Verdict.Reply = e.verdict.Reply.String()
	}
	out := json.NewEncoder(w)
	out.SetIndent("", "  ")
	return out.Encode(r)
}

func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func spfReport(c spf.Check) reportSPF {
	return reportSPF{string(c.Result), c.Domain.String(), c.Mechanism, c.Lookups, text(c.Err)}
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
			string(s.Result), s.SDID.String(), s.AUID, s.Selector.String(), s.Algorithm, s.KeyBits, text(s.Err),
		})
	}
	return reports
}
