package main

import (
	"cmp"
	"fmt"
	"io"
	"strings"
	"unicode"

	"assay/policy"
	"assay/verify"
	"assay/verify/arc"
	"assay/verify/dkim"
	"assay/verify/dmarc"
	"assay/verify/message"
	"assay/verify/spf"
)

// writeTable prints an examination for people: a method a line and, with
// explain, below it how its result came about.
func (e *examination) writeTable(w io.Writer, explain bool) error {
	var b strings.Builder
	line := func(name, text string) { fmt.Fprintf(&b, "%-8s %s\n", name, printable(text)) }
	why := func(lines []string) {
		for _, l := range lines {
			if explain {
				fmt.Fprintf(&b, "%9s%s\n", "", printable(l))
			}
		}
	}
	f := e.findings
	line("author", e.author())
	line("spf", spfWords(f.SPF))
	why(spfWhy(f.SPF))
	if len(f.DKIM) == 0 {
		line("dkim", "none")
	}
	for _, s := range f.DKIM {
		line("dkim", dkimWords(s))
		why(dkimWhy(s))
	}
	if f.ARC.Result != "" {
		line("arc", arcWords(f.ARC))
	}
	line("dmarc", dmarcWords(f.DMARC))
	why(dmarcWhy(f.DMARC, f.SPF, f.DKIM))
	line("iprev", result(string(f.IPRev.Result), words(f.IPRev.Name.String(), f.IPRev.Err)))
	if f.Stale > 0 {
		line("dns", plural(f.Stale, "stale answer")+", because DNS does not answer")
	}
	if f.Forwarded.Name != "" || f.Forwarded.Unsure() {
		line("forward", forwardWords(f.Forwarded))
	}
	if e.exempt != "" {
		line("exempt", "the milter would pass this through unexamined: "+e.exempt)
	}
	line("verdict", verdictWords(e.verdict))
	line("step", result(string(e.verdict.Step), e.verdict.Rule))
	for _, ev := range e.verdict.Evidence {
		line("evidence", result(string(ev.Signal), ev.Domain.String()))
	}
	if would := e.verdict.Would; would.Action != "" {
		line("would be", result(string(would.Action), strings.TrimSpace(string(would.Step)+" "+would.Rule)))
	}
	for _, a := range e.verdict.Asked {
		line("asked", result(string(a.Action), a.Recipient))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// result puts a result and its explanation into columns.
func result(value, text string) string {
	return strings.TrimRight(fmt.Sprintf("%-9s %s", value, text), " ")
}

func words(text string, err error) string {
	switch {
	case err == nil:
		return text
	case text == "":
		return err.Error()
	}
	return text + ": " + err.Error()
}

func (e *examination) author() string {
	a := e.findings.Author
	if a.Kind != message.AuthorValid {
		return fmt.Sprintf("%s: %v", a.Kind, a.Err)
	}
	text := a.Domain.String()
	if org := e.findings.DMARC.OrgDomain; !org.IsZero() {
		text += ", organizational domain " + org.String()
	}
	if psl := e.findings.DMARC.Disagreement(); !psl.IsZero() {
		text += " (" + psl.String() + " by the public suffix list)"
	}
	return text
}

func spfWords(c spf.Check) string {
	text := c.Domain.String()
	if text != "" && c.NullSender {
		text += " (HELO, for the null sender)"
	} else if text != "" {
		text += " (mail from)"
	}
	if c.Mechanism != "" {
		text += ", matched " + c.Mechanism
	}
	if c.Err == nil {
		text += ", " + plural(c.Lookups, "lookup")
	}
	return result(string(c.Result), words(text, c.Err))
}

func dkimWords(s dkim.Signature) string {
	text := s.SDID.String()
	if !s.Selector.IsZero() {
		text += " selector " + s.Selector.String()
	}
	var details []string
	if s.Header != "" {
		details = append(details, string(s.Header)+"/"+string(s.Body))
	}
	if s.Algorithm != "" {
		details = append(details, s.Algorithm)
	}
	if s.KeyBits > 0 {
		details = append(details, fmt.Sprintf("%d bits", s.KeyBits))
	}
	text = words(text, s.Err)
	if len(details) > 0 {
		text += " (" + strings.Join(details, ", ") + ")"
	}
	return result(string(s.Result), text)
}

func arcWords(c arc.Chain) string {
	if c.Result == arc.None {
		return result("none", "")
	}
	var sealers []string
	for _, s := range c.Sets {
		sealers = append(sealers, fmt.Sprintf("as[%d].d=%s", s.Instance, s.Sealer))
	}
	return result(string(c.Result), words(strings.Join(sealers, " "), cmp.Or(c.Err, c.Caveat)))
}

func dmarcWords(e dmarc.Evaluation) string {
	var parts []string
	if e.Requested != "" {
		parts = append(parts, fmt.Sprintf("%s=%s at _dmarc.%s", e.Tag, e.Requested, e.PolicyDomain))
	}
	switch {
	case e.Result == dmarc.Pass || e.Result == dmarc.Fail:
		parts = append(parts, aligned("spf", e.AlignedSPF), aligned("dkim", len(e.AlignedDKIM) > 0))
	case e.Err != nil:
		parts = append(parts, e.Err.Error())
	case e.Result == dmarc.None:
		parts = append(parts, "no record")
	}
	return result(string(e.Result), strings.Join(parts, "; "))
}

func aligned(method string, yes bool) string {
	if yes {
		return method + " aligned"
	}
	return "no aligned " + method + " pass"
}

func forwardWords(f verify.Forwarded) string {
	if f.Unsure() {
		return f.Err.Error()
	}
	text := "by " + f.Name
	if f.Client.IsValid() {
		text += fmt.Sprintf(", from %s; its own spf is %s", f.Client, f.Direct.Result)
	}
	return words(text, f.Err)
}

func verdictWords(v policy.Verdict) string {
	if v.Action == policy.Reject || v.Action == policy.Defer {
		return result(string(v.Action), fmt.Sprintf("%v (%s)", v.Reply, v.Reason))
	}
	return result(string(v.Action), v.Reason)
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// printable keeps text from the wire from moving the cursor, and from being
// shown in another order.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return '?'
		}
		return r
	}, text)
}
