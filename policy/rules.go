package policy

import (
	"assay/verify/domain"
	"assay/verify/message"
	"assay/verify/network"
)

// Action is what is done with a message towards the MTA.
type Action string

// The actions, from the mildest to the strictest.
const (
	Accept Action = "accept" // deliver it
	Tag    Action = "tag"    // deliver it, marked as failing
	Hold   Action = "hold"   // quarantine it in the MTA's queue
	Defer  Action = "defer"  // ask the sender to try later
	Reject Action = "reject" // refuse it for good
)

// Careful is a choice for Rules.OnReject: Reject where nothing speaks for
// indirect mail, Tag otherwise (RFC 9989 §7.4).
const Careful Action = "careful"

// milderThan reports whether a does less to a message than b.
func (a Action) milderThan(b Action) bool { return severity[a] < severity[b] }

var severity = map[Action]int{Accept: 0, Tag: 1, Hold: 2, Defer: 3, Reject: 4}

// Rules is a site's policy. It is not changed once in use and may be shared.
type Rules struct {
	Enforce         bool   // act on findings; otherwise they are only stated
	OnReject        Action // where the author domain asks for reject; may be Careful
	OnQuarantine    Action // where it asks for quarantine
	OnInvalidAuthor Action // where From does not name one author domain; Accept lets the later steps decide
	OnTempError     Action // where DNS failed, so that nobody knows: Accept or Defer

	ExemptNetworks      network.Set
	ExemptAuthenticated bool

	// TrustedSealers are the domains whose passing ARC chains may override a
	// DMARC failure.
	TrustedSealers []domain.Name

	Exceptions []Rule // each with an owner and an end; asked before Rules
	Rules      []Rule // the site's own, in order: the first match decides

	OnSPFFail     Action // where SPF fails and DMARC has nothing to say; "" is Accept
	OnSPFSoftFail Action // the same for softfail
	SPFEarly      bool   // refuse an SPF fail at MAIL; see Early

	// Spared is how many per cent of the author domains are observed though
	// Enforce is set. Which ones they are depends on Key and the domain only.
	Spared int
	// Key makes shares of author domains differ from site to site.
	Key string
}

// Exempt returns why a message is passed through unexamined, "" when it is
// not. A client whose address is unknown is never exempt by its network.
func (r *Rules) Exempt(c *message.Connection, e *message.Envelope) string {
	if r.ExemptAuthenticated && e.Authenticated != "" {
		return "authenticated"
	}
	if r.ExemptNetworks.Has(c.Addr) {
		return "network"
	}
	return ""
}

// Headers returns the names of the fields that rules add. Received ones are
// to be removed: whoever files by them must not be fooled.
func (r *Rules) Headers() []string {
	var names []string
	for _, list := range [][]Rule{r.Exceptions, r.Rules} {
		for _, rule := range list {
			if rule.Header.Name != "" {
				names = append(names, rule.Header.Name)
			}
		}
	}
	return names
}
