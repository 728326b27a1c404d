package main

import (
	"cmp"
	"strings"
	"time"

	"assay/config"
	"assay/verify"
	"assay/verify/arc"
	"assay/verify/authres"
	"assay/verify/dkim"
	"assay/verify/dmarc"
	"assay/verify/domain"
	"assay/verify/iprev"
	"assay/verify/message"
	"assay/verify/spf"
)

// foundIn returns the message and the findings that a case describes, as the
// verifier would hand them to the policy.
func foundIn(c config.Case) (*message.Message, verify.Findings) {
	m := &message.Message{
		Connection: message.Connection{Addr: c.Client, Helo: c.Helo, TLS: c.TLS},
		Envelope:   message.Envelope{Sender: path(c.EnvelopeSender), Recipients: c.Recipients},
		Received:   c.Received,
	}
	if c.Authenticated {
		m.Envelope.Authenticated = "(test)"
	}
	if m.Received.IsZero() {
		m.Received = time.Now()
	}
	for _, field := range c.Header {
		name, value, _ := strings.Cut(field, ":")
		m.Header = append(m.Header, message.Field{Name: strings.TrimSpace(name), Value: value})
	}
	f := verify.Findings{Client: c.Client, SPF: spfOf(c), ARC: arcOf(c)}
	f.Author, f.DMARC = authorAndDMARC(c)
	if !c.ClientName.IsZero() {
		f.IPRev = iprev.Evaluation{Result: iprev.Pass, Addr: c.Client, Name: c.ClientName}
	}
	for _, s := range c.DKIM {
		signature := dkim.Signature{Result: dkim.Result(s.Result), SDID: s.SDID}
		if s.BodyOnly {
			signature.Err, signature.HeaderIntact = dkim.ErrBodyHash, true
		}
		f.DKIM = append(f.DKIM, signature)
	}
	if c.Forwarder != "" {
		f.Forwarded = verify.Forwarded{Name: string(c.Forwarder), Intact: true}
	}
	return m, f
}

func spfOf(c config.Case) spf.Check {
	check := spf.Check{Result: spf.Result(cmp.Or(c.SPF, "none")), Identity: spf.MailFrom}
	sender := path(c.EnvelopeSender)
	check.NullSender = sender == ""
	name := c.Helo
	if !check.NullSender {
		name = sender[strings.LastIndexByte(sender, '@')+1:]
	}
	check.Domain, _ = domain.Parse(name)
	return check
}

func authorAndDMARC(c config.Case) (message.Author, dmarc.Evaluation) {
	author := message.Author{Kind: message.AuthorKind(c.Author), Domain: c.AuthorDomain}
	result := dmarc.Result(cmp.Or(c.DMARC, "none"))
	if c.AuthorDomain.IsZero() {
		author.Kind = cmp.Or(author.Kind, message.AuthorMissing)
		result = dmarc.Result(cmp.Or(c.DMARC, "permerror")) // RFC 9989 §11.5
	} else {
		author.Kind, author.Domains = message.AuthorValid, []domain.Name{c.AuthorDomain}
	}
	d := dmarc.Evaluation{Result: result, AuthorDomain: c.AuthorDomain, OrgDomain: c.AuthorDomain}
	if result == dmarc.Pass || result == dmarc.Fail {
		d.Requested = dmarc.Policy(cmp.Or(c.Requested, "none"))
		d.PolicyDomain = c.AuthorDomain
	}
	return author, d
}

// arcOf returns a chain of one set by the sealer of the case, who says that the
// author passed.
func arcOf(c config.Case) arc.Chain {
	chain := arc.Chain{Result: arc.Result(cmp.Or(c.ARC, "none"))}
	if chain.Result != arc.Pass || c.Sealer.IsZero() {
		return chain
	}
	says := authres.Result{
		Method: "dmarc", Value: "pass",
		Props: []authres.Prop{{Type: "header", Name: "from", Value: c.AuthorDomain.String()}},
	}
	chain.Sets = []arc.Set{{
		Instance: 1, CV: arc.CVNone, Sealer: c.Sealer, Signer: c.Sealer,
		Results: authres.Field{AuthservID: c.Sealer.String(), Results: []authres.Result{says}},
	}}
	return chain
}
