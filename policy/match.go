package policy

import (
	"net/netip"
	"slices"
	"strings"

	"assay/verify"
	"assay/verify/arc"
	"assay/verify/dkim"
	"assay/verify/dmarc"
	"assay/verify/domain"
	"assay/verify/iprev"
	"assay/verify/message"
	"assay/verify/network"
	"assay/verify/spf"
)

// Match is the conditions of a rule. All that are stated must hold; a nil one
// is not stated. A list means any of its items, so that an empty one holds for
// nobody. What is unknown or cannot be read is in no list.
type Match struct {
	Networks        *network.Set // the client's address
	ClientNames     *domain.Set  // its name, if iprev has verified it
	Helo            *domain.Set
	EnvelopeSenders *domain.Set // domain of MAIL FROM; the null sender has none
	AuthorDomains   *domain.Set
	Recipients      *Recipients
	SDIDs           *domain.Set // signing domains that passed

	SPF       []spf.Result
	DKIM      []dkim.Result // of any signature; none where there is no signature
	ARC       []arc.Result
	DMARC     []dmarc.Result
	Requested []dmarc.Policy
	Authors   []message.AuthorKind

	TLS           *bool
	Authenticated *bool
}

// subject is a message about to be judged, with what several rules ask about
// it read once.
type subject struct {
	message  *message.Message
	findings *verify.Findings
	helo     domain.Name
	sender   domain.Name
	client   domain.Name
}

func newSubject(m *message.Message, f *verify.Findings) *subject {
	s := &subject{message: m, findings: f}
	s.helo, _ = domain.Parse(m.Connection.Helo)
	if !f.SPF.NullSender {
		s.sender = f.SPF.Domain // the one strict reading of the envelope sender
	}
	if f.IPRev.Result == iprev.Pass {
		s.client = f.IPRev.Name
	}
	return s
}

// key is by what a sender is in or out of a share: the author domain or, where
// there is none, the first recipient.
func (s *subject) key() string {
	switch {
	case !s.findings.Author.Domain.IsZero():
		return s.findings.Author.Domain.String()
	case !s.findings.DMARC.AuthorDomain.IsZero():
		return s.findings.DMARC.AuthorDomain.String()
	case len(s.message.Envelope.Recipients) > 0:
		return strings.ToLower(s.message.Envelope.Recipients[0])
	}
	return ""
}

// matches reports whether all conditions hold but that on recipients.
func (m *Match) matches(s *subject) bool {
	return m.matchesSession(s) && m.matchesFindings(s.findings)
}

// matchesSession looks at what is known when MAIL is answered.
func (m *Match) matchesSession(s *subject) bool {
	return among(m.Networks, s.message.Connection.Addr) &&
		named(m.ClientNames, s.client) && named(m.Helo, s.helo) && named(m.EnvelopeSenders, s.sender) &&
		oneOf(m.SPF, s.findings.SPF.Result) &&
		is(m.TLS, s.message.Connection.TLS) &&
		is(m.Authenticated, s.message.Envelope.Authenticated != "")
}

func (m *Match) matchesFindings(f *verify.Findings) bool {
	return named(m.AuthorDomains, f.Author.Domain) && oneOf(m.Authors, f.Author.Kind) &&
		oneOf(m.ARC, f.ARC.Result) && oneOf(m.DMARC, f.DMARC.Result) && oneOf(m.Requested, f.DMARC.Requested) &&
		m.matchesSignatures(f.DKIM)
}

func (m *Match) matchesSignatures(signatures []dkim.Signature) bool {
	result := m.DKIM == nil || len(signatures) == 0 && slices.Contains(m.DKIM, dkim.None)
	passed := m.SDIDs == nil
	for _, s := range signatures {
		result = result || slices.Contains(m.DKIM, s.Result)
		passed = passed || s.Result == dkim.Pass && m.SDIDs.Has(s.SDID)
	}
	return result && passed
}

func among(networks *network.Set, a netip.Addr) bool { return networks == nil || networks.Has(a) }

func named(names *domain.Set, n domain.Name) bool { return names == nil || names.Has(n) }

func oneOf[T comparable](list []T, value T) bool { return list == nil || slices.Contains(list, value) }

func is(wanted *bool, value bool) bool { return wanted == nil || *wanted == value }

// Recipients is a set of mailboxes and domains of recipients.
type Recipients struct {
	mailboxes map[string]struct{}
	domains   domain.Set
}

// NewRecipients returns the set of the given mailboxes, in any case of
// letters, and of all mailboxes in the domains.
func NewRecipients(mailboxes []string, domains domain.Set) *Recipients {
	r := &Recipients{mailboxes: make(map[string]struct{}), domains: domains}
	for _, m := range mailboxes {
		if key, _, ok := readMailbox(m); ok {
			r.mailboxes[key] = struct{}{}
		}
	}
	return r
}

// matches reports whether the recipient is in the set. All are in nil: there is
// no condition then.
func (r *Recipients) matches(recipient string) bool {
	if r == nil {
		return true
	}
	key, host, ok := readMailbox(recipient)
	if !ok {
		return false
	}
	_, listed := r.mailboxes[key]
	return listed || r.domains.Has(host)
}

// readMailbox returns a mailbox in the form in which two of them are compared.
// What the MTA takes for the same one must not escape a rule: quotes that are
// not needed (RFC 5321 §4.1.2), and a source route, which is ignored (§4.1.1.3).
func readMailbox(text string) (key string, host domain.Name, ok bool) {
	if route, rest, found := strings.Cut(text, ":"); found && strings.HasPrefix(route, "@") {
		text = rest
	}
	at := strings.LastIndexByte(text, '@')
	if at <= 0 {
		return "", domain.Name{}, false
	}
	host, err := domain.Parse(text[at+1:])
	return strings.ToLower(unquoted(text[:at])) + "@" + host.String(), host, err == nil
}

// unquoted returns what a local part stands for.
func unquoted(local string) string {
	if len(local) < 2 || local[0] != '"' || local[len(local)-1] != '"' {
		return local
	}
	var plain strings.Builder
	for i := 1; i < len(local)-1; i++ {
		if local[i] == '\\' && i+1 < len(local)-1 {
			i++
		}
		plain.WriteByte(local[i])
	}
	return plain.String()
}
