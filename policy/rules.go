package policy

import (
	"net/netip"
	"slices"
	"time"

	"assay/verify/domain"
	"assay/verify/message"
)

// Action is what is done with a message towards the MTA.
type Action string

// The actions.
const (
	Accept Action = "accept" // deliver it
	Tag    Action = "tag"    // deliver it, marked as failing
	Hold   Action = "hold"   // quarantine it in the MTA's queue
	Reject Action = "reject" // refuse it for good
	Defer  Action = "defer"  // ask the sender to try later
)

// Rules is a site's policy. It is not changed once in use and may be shared.
type Rules struct {
	Enforce         bool   // act on findings; otherwise they are only stated
	OnReject        Action // where the author domain asks for reject
	OnQuarantine    Action // where it asks for quarantine
	OnInvalidAuthor Action // where From does not name one author domain
	OnTempError     Action // where DNS failed, so that nobody knows: Accept or Defer

	ExemptNetworks      []netip.Prefix
	ExemptAuthenticated bool

	// TrustedSealers are the domains whose passing ARC chains may override a
	// DMARC failure.
	TrustedSealers []domain.Name

	Exceptions []Exception
}

// Exception is a site's own decision about one author domain.
type Exception struct {
	AuthorDomain domain.Name
	Action       Action
	Reason       string
	Until        time.Time // when it stops to hold; the zero Time is never
}

// Exempt returns why a message is passed through unexamined, "" when it is
// not. A client whose address is unknown is never exempt by its network.
func (r *Rules) Exempt(c *message.Connection, e *message.Envelope) string {
	if r.ExemptAuthenticated && e.Authenticated != "" {
		return "authenticated"
	}
	inside := func(p netip.Prefix) bool { return p.Contains(c.Addr) }
	if c.Addr.IsValid() && slices.ContainsFunc(r.ExemptNetworks, inside) {
		return "exempt network"
	}
	return ""
}

// exception returns the first exception that holds for the author at the given time.
func (r *Rules) exception(author domain.Name, at time.Time) (Exception, bool) {
	for _, e := range r.Exceptions {
		if e.AuthorDomain == author && !author.IsZero() && (e.Until.IsZero() || at.Before(e.Until)) {
			return e, true
		}
	}
	return Exception{}, false
}
