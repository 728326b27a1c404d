package main

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"assay/verify/dkim"
	"assay/verify/dmarc"
	"assay/verify/domain"
	"assay/verify/spf"
)

// spfWhy says which terms led to a result.
func spfWhy(c spf.Check) []string {
	var lines []string
	for _, s := range c.Trail {
		lines = append(lines, fmt.Sprintf("%s in the record of %s", shorten(s.Term, excerptWidth), s.Domain))
	}
	if c.Result == spf.Neutral && len(lines) == 0 {
		lines = append(lines, "no term of the record of "+c.Domain.String()+" matched")
	}
	return lines
}

// dkimWhy says which hashes were compared.
func dkimWhy(s dkim.Signature) []string {
	if s.BodySum == nil {
		return nil // it did not come to that
	}
	sum := base64.StdEncoding.EncodeToString
	var lines []string
	if s.KeySecure {
		lines = append(lines, "the key is authenticated by DNSSEC, the resolver says (AD)")
	}
	if errors.Is(s.Err, dkim.ErrBodyHash) {
		return append(lines, "body hash signed:   "+sum(s.SignedBody), "body hash computed: "+sum(s.BodySum))
	}
	lines = append(lines, "body hash "+sum(s.BodySum)+", as signed")
	switch {
	case s.HeaderSum == nil:
	case errors.Is(s.Err, dkim.ErrSignature):
		lines = append(lines, "header hash computed: "+sum(s.HeaderSum)+"; b= signs another one, or was made with another key")
	default:
		lines = append(lines, "header hash "+sum(s.HeaderSum)+", as signed")
	}
	return lines
}

// dmarcWhy says what was found on the walk and which names were compared.
func dmarcWhy(e dmarc.Evaluation, s spf.Check, signatures []dkim.Signature) []string {
	var lines []string
	for _, step := range e.Steps {
		lines = append(lines, dmarc.RecordName(step.Name)+": "+stepWords(step)+stepText(step))
	}
	if e.Record == nil || e.Result != dmarc.Pass && e.Result != dmarc.Fail && e.Result != dmarc.TempError {
		return lines
	}
	for _, c := range e.Comparisons {
		lines = append(lines, comparisonWords(c, e))
	}
	if s.Result != spf.Pass {
		lines = append(lines, unproven("spf", s.Domain, string(s.Result), s.Result == spf.TempError))
	}
	for _, sig := range signatures {
		if sig.Result != dkim.Pass {
			lines = append(lines, unproven("dkim", sig.SDID, string(sig.Result), sig.Result == dkim.TempError))
		}
	}
	return lines
}

// unproven says why an identifier that has not passed does not count.
func unproven(method string, name domain.Name, result string, passing bool) string {
	text := strings.TrimRight(method+" "+name.String(), " ") + ": " + result
	if passing {
		return text + ", could have passed"
	}
	return text + ", nothing to compare"
}

func stepText(s dmarc.Step) string {
	if s.Record == nil {
		return ""
	}
	return ": " + shorten(visible(s.Record.Text), 3*excerptWidth)
}

// comparisonWords says how a name compares with the author domain, such as "spf
// example.net against example.com, relaxed: organizational domains differ".
func comparisonWords(c dmarc.Comparison, e dmarc.Evaluation) string {
	method := "spf"
	if c.Signature >= 0 {
		method = "dkim"
	}
	text := fmt.Sprintf("%s %s against %s, %s: %s", method, c.Name, e.AuthorDomain, modeWord(c.Mode), c.Outcome)
	switch {
	case c.Err != nil:
		text += ": " + c.Err.Error()
	case c.Outcome == dmarc.SameOrganization:
		text += ", " + c.OrgDomain.String()
	case c.Outcome == dmarc.OrgsDiffer && !c.OrgDomain.IsZero():
		text += fmt.Sprintf(", %s and %s", c.OrgDomain, e.OrgDomain)
	}
	return text
}
