package policy

import (
	"errors"
	"slices"
	"strings"

	"assay/verify/arc"
	"assay/verify/dkim"
	"assay/verify/dmarc"
	"assay/verify/domain"
	"assay/verify/message"
	"assay/verify/spf"
)

// Signal is a kind of evidence for indirect mail: mail that a mailing list or a
// forwarder has passed on, so that DMARC fails without a forgery. All of it can
// be made by a sender who takes the trouble; so it speaks against refusing,
// and never for accepting.
type Signal string

// The signals.
const (
	// A DKIM signature passes for a domain that names itself in List-Id or
	// List-Post.
	SignalListSignature Signal = "list-signature"
	// The newest ARC signature does, in a chain that passes.
	SignalListChain Signal = "list-chain"
	// A chain passes whose newest sealer is listed, whatever it says.
	SignalSealer Signal = "listed-sealer"
	// SPF passes for an envelope sender that SRS has rewritten.
	SignalSRS Signal = "srs"
	// SPF passes for an envelope sender that holds the recipient (VERP).
	SignalVERP Signal = "verp"
	// The client is a listed forwarder.
	SignalForwarder Signal = "forwarder"
	// A signature of the author's fails by its body hash only, in a message
	// that bears the marks of a list.
	SignalListEdit Signal = "list-edit"
	// What would be one of the above could not be checked, because the DNS did
	// not answer: an outage is no evidence against a sender.
	SignalUnchecked Signal = "unchecked"
)

// Evidence is one thing that speaks for indirect mail.
type Evidence struct {
	Signal Signal
	Domain domain.Name // who gives it; zero for a forwarder without a name
}

// String is the evidence as it is logged.
func (e Evidence) String() string {
	if e.Domain.IsZero() {
		return string(e.Signal)
	}
	return string(e.Signal) + ":" + e.Domain.String()
}

// evidence returns what speaks for indirect mail, each only once.
func evidence(s *subject, sealers []domain.Name) []Evidence {
	var all []Evidence
	add := func(signal Signal, d domain.Name) {
		if e := (Evidence{signal, d}); !slices.Contains(all, e) {
			all = append(all, e)
		}
	}
	lists := listDomains(s.message.Header)
	for _, sig := range s.findings.DKIM {
		switch {
		case sig.Result == dkim.Pass && anyWithin(lists, sig.SDID):
			add(SignalListSignature, sig.SDID)
		case sig.Result == dkim.TempError && anyWithin(lists, sig.SDID):
			add(SignalUnchecked, sig.SDID)
		case edited(sig, s.findings.DMARC) && (len(lists) > 0 || prefixed(s.message.Header)):
			add(SignalListEdit, sig.SDID)
		}
	}
	if chain := s.findings.ARC; len(chain.Sets) > 0 {
		newest := chain.Sets[len(chain.Sets)-1]
		if signal := vouched(chain, SignalListChain); signal != "" && anyWithin(lists, newest.Signer) {
			add(signal, newest.Signer)
		}
		if signal := vouched(chain, SignalSealer); signal != "" && slices.Contains(sealers, newest.Sealer) {
			add(signal, newest.Sealer)
		}
	}
	switch forwarded := s.findings.Forwarded; {
	case forwarded.Name != "":
		add(SignalForwarder, s.client)
	case forwarded.Unsure():
		add(SignalUnchecked, domain.Name{})
	}
	if signal := rewritten(s); signal != "" {
		add(signal, s.sender)
	}
	return all
}

// vouched returns the given signal where a chain passes, SignalUnchecked where it
// might, and "" otherwise. With a Caveat anybody may have changed the message
// since, so that it is not the one that was sealed.
func vouched(chain arc.Chain, signal Signal) Signal {
	switch {
	case chain.Result == arc.Pass && chain.Caveat == nil:
		return signal
	case chain.Result == arc.Fail && errors.Is(chain.Err, arc.ErrUnavailable):
		return SignalUnchecked
	}
	return ""
}

// edited reports whether a signature of the author's organization fails by its
// body hash only: it is a genuine one, of this header.
func edited(sig dkim.Signature, d dmarc.Evaluation) bool {
	ours := sig.SDID == d.AuthorDomain || sig.SDID.Within(d.OrgDomain)
	return errors.Is(sig.Err, dkim.ErrBodyHash) && sig.HeaderIntact && ours && !sig.SDID.IsZero()
}

// prefixed reports whether the subject begins as lists like it: "[name] …".
func prefixed(h message.Header) bool {
	for _, f := range h.All("Subject") {
		subject := strings.TrimSpace(f.Unfolded())
		for rest, ok := cutFold(subject, "re:"); ok; rest, ok = cutFold(subject, "re:") {
			subject = strings.TrimSpace(rest)
		}
		if end := strings.IndexByte(subject, ']'); strings.HasPrefix(subject, "[") && end > 1 {
			return true
		}
	}
	return false
}

// maxListFields bounds the fields that are read; a list writes one of each.
const maxListFields = 4

// listDomains returns the domains that List-Id (RFC 2919 §2) and List-Post
// (RFC 2369 §3.4) name: what stands between the last angle brackets.
func listDomains(h message.Header) []domain.Name {
	var all []domain.Name
	for _, name := range []string{"List-Id", "List-Post"} {
		fields := h.All(name)
		for _, f := range fields[:min(len(fields), maxListFields)] {
			value := f.Unfolded()
			inner, _, ok := strings.Cut(value[strings.LastIndexByte(value, '<')+1:], ">")
			if !ok {
				continue
			}
			if rest, isMail := cutFold(inner, "mailto:"); isMail {
				inner, _, _ = strings.Cut(rest, "?")
				inner = inner[strings.LastIndexByte(inner, '@')+1:]
			}
			if d, err := domain.Parse(strings.TrimSpace(inner)); err == nil {
				all = append(all, d)
			}
		}
	}
	return all
}

func cutFold(text, prefix string) (rest string, ok bool) {
	if len(text) < len(prefix) || !strings.EqualFold(text[:len(prefix)], prefix) {
		return "", false
	}
	return text[len(prefix):], true
}

// anyWithin reports whether one of names is parent or below it.
func anyWithin(names []domain.Name, parent domain.Name) bool {
	return slices.ContainsFunc(names, func(n domain.Name) bool { return n.Within(parent) })
}

// rewritten returns the signal of an envelope sender that a forwarder or list
// has made, whose host passes SPF; "" where it is neither.
func rewritten(s *subject) Signal {
	at := strings.LastIndexByte(s.message.Envelope.Sender, '@')
	if s.sender.IsZero() || at < 0 {
		return ""
	}
	signal := Signal("")
	switch local := s.message.Envelope.Sender[:at]; {
	case isSRS(local):
		signal = SignalSRS
	case slices.ContainsFunc(s.message.Envelope.Recipients, func(r string) bool { return isVERP(local, r) }):
		signal = SignalVERP
	}
	switch {
	case signal != "" && s.findings.SPF.Result == spf.TempError:
		return SignalUnchecked
	case s.findings.SPF.Result != spf.Pass:
		return ""
	}
	return signal
}

// isSRS reports whether a local part is SRS0=hash=time=host=user or
// SRS1=hash=host==…; "+" and "-" may stand behind the tag.
func isSRS(local string) bool {
	tag, rest := "", ""
	if len(local) > len("SRS0=") {
		tag, rest = strings.ToUpper(local[:len("SRS0")]), local[len("SRS0"):]
	}
	if rest == "" || !strings.ContainsRune("=+-", rune(rest[0])) {
		return false
	}
	parts := strings.Split(rest[1:], "=")
	host := 0
	switch {
	case tag == "SRS0" && len(parts) >= 4:
		host = 2
	case tag == "SRS1" && len(parts) >= 3:
		host = 1
	default:
		return false
	}
	d, err := domain.Parse(parts[host])
	return err == nil && d.Labels() > 1 && parts[0] != ""
}

// isVERP reports whether a local part ends in the recipient, as in
// list-return-17-user=rcpt.example.
func isVERP(local, recipient string) bool {
	at := strings.LastIndexByte(recipient, '@')
	if at <= 0 {
		return false
	}
	encoded := strings.ToLower(recipient[:at] + "=" + recipient[at+1:])
	rest, ok := strings.CutSuffix(strings.ToLower(local), encoded)
	return ok && len(rest) > 1 && strings.ContainsRune("-+", rune(rest[len(rest)-1]))
}
