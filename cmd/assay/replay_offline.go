package main

import (
	"errors"
	"slices"
	"strconv"
	"strings"

	"assay/policy"
	"assay/verify"
	"assay/verify/arc"
	"assay/verify/authres"
	"assay/verify/dkim"
	"assay/verify/dmarc"
	"assay/verify/domain"
	"assay/verify/iprev"
	"assay/verify/message"
	"assay/verify/spf"
	"assay/verify/tags"
)

// recorded returns the findings that stand in the message since it was received,
// in the fields under our authserv-id, and whether there is a DMARC result among
// them. What the fields do not say is not known: the policy domain is taken to be
// the author's.
func recorded(m *message.Message, id authres.ID) (verify.Findings, bool) {
	f := verify.Findings{Client: m.Connection.Addr, Author: m.Header.Author()}
	f.SPF.Result = spf.None
	for _, r := range ourResults(m.Header, id) {
		switch r.Method {
		case "spf":
			recordSPF(&f, r)
		case "dkim":
			recordDKIM(&f, r)
		case "arc":
			f.ARC = recordedChain(m.Header, arc.Result(word(r.Value, arc.None, arc.Pass, arc.Fail)))
			if _, caveat, ok := strings.Cut(r.Comment, ", "); ok {
				f.ARC.Caveat = errors.New(caveat)
			}
		case "dmarc":
			recordDMARC(&f, r)
		case "iprev":
			f.IPRev = iprev.Evaluation{Result: word(r.Value, iprev.Pass, iprev.Fail, iprev.TempError, iprev.PermError), Addr: f.Client}
			if f.IPRev.Result == iprev.Pass {
				f.IPRev.Name, _ = domain.Parse(r.Comment)
			}
		}
	}
	return f, f.DMARC.Result != ""
}

// Why the results in a message do not tell what a configuration would do.
var (
	errNoResults    = errors.New("no DMARC result under our authserv-id")
	errAuthors      = errors.New("its results say nothing about each of the authors, which dmarc.evaluate_all_authors asks for")
	errReceivedFrom = errors.New("its results do not say what received_from of its [[forwarder]] changes")
	errEarly        = errors.New("its results do not say whether policy.spf.early would refuse it")
)

// offline judges a message by the results in it.
func (r *replay) offline(name string, m *message.Message) (err error) {
	defer recovered(&err)
	f, ok := recorded(m, r.id)
	if !ok {
		return errNoResults
	}
	now, from, err := r.now.offline(m, f)
	if err != nil {
		return err
	}
	then, otherFrom, err := r.then.offline(m, f)
	if err != nil {
		return err
	}
	if from != otherFrom {
		return errReceivedFrom
	}
	r.compare(name, now, then)
	return nil
}

// offline judges a message by recorded findings, as far as they tell what this side
// would have found. receivedFrom says whether SPF would be about the client of a
// forwarder.
func (s side) offline(m *message.Message, f verify.Findings) (j judgement, receivedFrom bool, err error) {
	if s.exempts(m) == "" {
		if f.DMARC, err = s.authorsOf(f); err != nil {
			return judgement{}, false, err
		}
		by := verify.Recognize(s.forwarders, m.Envelope.Recipients, &f)
		receivedFrom = by != nil && by.ReceivedFrom
	}
	j = judgement{f, s.verdict(m, f)}
	if j.verdict.Action != policy.Reject && j.verdict.Step != policy.StepExempt {
		if _, refuse := s.rules.Early(m, f.SPF); refuse {
			return judgement{}, false, errEarly
		}
	}
	return j, receivedFrom, nil
}

// authorsOf returns the DMARC result where there may be several authors.
func (s side) authorsOf(f verify.Findings) (dmarc.Evaluation, error) {
	several := len(f.Author.Domains) > 1
	evaluated := s.allAuthors && len(f.Author.Domains) <= verify.MaxAuthors
	switch {
	case several && !evaluated:
		return dmarc.Invalid(f.Author.Err), nil
	case several && f.DMARC.AuthorDomain.IsZero():
		return dmarc.Evaluation{}, errAuthors
	}
	return f.DMARC, nil
}

// ourResults returns the results under our authserv-id that the last of our
// servers wrote: the fields from the topmost one on, up to the Received field
// below it. Further down they would be somebody else's word.
func ourResults(h message.Header, id authres.ID) []authres.Result {
	var results []authres.Result
	found := false
	for _, f := range h {
		switch {
		case f.Is("Received") && found:
			return results
		case claims(f, id):
			field, _ := authres.Parse(f.Value)
			results, found = append(results, field.Results...), true
		}
	}
	return results
}

// claims reports whether a field states results under our authserv-id.
func claims(f message.Field, id authres.ID) bool {
	if !f.Is(authres.FieldName) {
		return false
	}
	field, err := authres.Parse(f.Value)
	return err == nil && authres.NewID(field.AuthservID) == id
}

// word returns the result that the text is, "" for one that is not known.
func word[T ~string](text string, known ...T) T {
	if slices.Contains(known, T(text)) {
		return T(text)
	}
	return ""
}

// property returns the value of a property, "" where there is none.
func property(r authres.Result, ptype, name string) string {
	for _, p := range r.Props {
		if p.Type == ptype && p.Name == name {
			return p.Value
		}
	}
	return ""
}

func recordSPF(f *verify.Findings, r authres.Result) {
	value := word(r.Value, spf.None, spf.Neutral, spf.Pass, spf.Fail, spf.SoftFail, spf.TempError, spf.PermError)
	if value == "" {
		return
	}
	f.SPF.Result, f.SPF.Identity = value, spf.MailFrom
	if mechanism, ok := strings.CutPrefix(r.Comment, "matched "); ok {
		f.SPF.Mechanism = mechanism
	}
	if sender := property(r, "smtp", "mailfrom"); sender != "" {
		f.SPF.Domain, _ = domain.Parse(sender[strings.LastIndexByte(sender, '@')+1:])
		return
	}
	if helo := property(r, "smtp", "helo"); helo != "" {
		f.SPF.Domain, _ = domain.Parse(helo)
		f.SPF.NullSender = true
	}
}

func recordDKIM(f *verify.Findings, r authres.Result) {
	value := word(r.Value, dkim.Pass, dkim.Fail, dkim.Policy, dkim.Neutral, dkim.TempError, dkim.PermError)
	if value == "" {
		return // none, too: there is no signature
	}
	s := dkim.Signature{Result: value}
	s.SDID, _ = domain.Parse(property(r, "header", "d"))
	s.Selector, _ = domain.Parse(property(r, "header", "s"))
	f.DKIM = append(f.DKIM, s)
}

func recordDMARC(f *verify.Findings, r authres.Result) {
	d := dmarc.Evaluation{Result: word(r.Value, dmarc.None, dmarc.Pass, dmarc.Fail, dmarc.TempError, dmarc.PermError)}
	d.AuthorDomain, _ = domain.Parse(property(r, "header", "from"))
	d.OrgDomain, d.PolicyDomain = d.AuthorDomain, d.AuthorDomain
	d.Requested = word(property(r, "policy", "dmarc"), dmarc.PolicyNone, dmarc.PolicyQuarantine, dmarc.PolicyReject)
	f.DMARC = d
}

// recordedChain returns a chain of the given result as the ARC fields have it,
// which are verified no more.
func recordedChain(h message.Header, result arc.Result) arc.Chain {
	chain := arc.Chain{Result: result}
	if result != arc.Pass {
		return chain
	}
	sets := map[int]*arc.Set{}
	at := func(text string) *arc.Set {
		for i := 1; i <= arc.MaxSets; i++ {
			if text == strconv.Itoa(i) {
				if sets[i] == nil {
					sets[i] = &arc.Set{Instance: i}
				}
				return sets[i]
			}
		}
		return &arc.Set{} // of no chain
	}
	for _, f := range h {
		switch {
		case f.Is("ARC-Seal"), f.Is("ARC-Message-Signature"):
			list, _ := tags.Parse(f.Value)
			instance, _ := list.Get("i")
			d, _ := list.Get("d")
			name, _ := domain.Parse(d)
			if f.Is("ARC-Seal") {
				at(instance).Sealer = name
			} else {
				at(instance).Signer = name
			}
		case f.Is("ARC-Authentication-Results"):
			head, payload, _ := strings.Cut(f.Value, ";")
			_, instance, _ := strings.Cut(head, "=")
			at(strings.TrimSpace(instance)).Results, _ = authres.Parse(payload)
		}
	}
	for i := 1; sets[i] != nil; i++ {
		chain.Sets = append(chain.Sets, *sets[i])
	}
	return chain
}
