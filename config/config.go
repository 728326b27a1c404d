package config

import (
	"net/netip"
	"time"

	"assay/verify/domain"
)

// Config is everything an operator can set, grouped as in the file. Make one
// with [Default], [Load] or [Parse]; the zero Config is not usable. It is not
// changed after that and may be shared by any number of goroutines, which must
// not write to its lists.
type Config struct {
	AuthservID AuthservID  `key:"authserv_id" says:"the name our results are stated under (RFC 8601 §2.5); default: this host's name"`
	Listen     Listen      `key:"listen" says:"where the MTA finds us"`
	Exempt     Exempt      `key:"exempt" says:"passed through unexamined, except that forged results are removed"`
	DNS        DNS         `key:"dns" says:"how questions are asked and answers kept"`
	Policy     Policy      `key:"policy" says:"what this site does with what was found"`
	Exceptions []Exception `key:"exception" says:"for one author domain; the first match wins; shown in result, log and report"`
	DMARC      DMARC       `key:"dmarc" says:"how the author is evaluated (RFC 9989)"`
	ARC        ARC         `key:"arc" says:"results that forwarders and mailing lists vouch for (RFC 8617)"`
	Failure    Failure     `key:"failure" says:"our own fault, never the sender's"`
}

// Listen says where the MTA finds us.
type Listen struct {
	Milter []Address     `key:"milter" is:"required,unique,lone,shown" says:"or \"unix:/run/assay/milter.sock\", \"inet:8891@127.0.0.1\", or a list of them"`
	Drain  time.Duration `key:"drain" range:"0s..1h" says:"how long a stop waits for messages in flight"`
}

// Exempt says which mail is passed through unexamined.
type Exempt struct {
	Networks      []netip.Prefix `key:"networks" says:"your own relays; [] exempts nobody"`
	Authenticated bool           `key:"authenticated" says:"submission users ({auth_authen} is set)"`
}

// DNS says how questions are asked and how long answers are kept.
type DNS struct {
	Servers        []netip.AddrPort `key:"servers" says:"such as [\"192.0.2.53\", \"[2001:db8::53]:5353\"]; default: those of /etc/resolv.conf"`
	Timeout        time.Duration    `key:"timeout" range:"10ms..1m" says:"one query"`
	MessageBudget  time.Duration    `key:"message_budget" range:"1s..10m" says:"all look-ups of one message; keep below the MTA's milter timeouts"`
	MessageQueries int              `key:"message_queries" range:"16..1000" says:"questions that one message may cause"`
	CacheEntries   int              `key:"cache_entries" range:"100..10000000" says:"answers kept in memory"`
	MaxTTL         time.Duration    `key:"max_ttl" range:"1m..7d" says:"no answer is kept longer; failures are kept for 5s"`
}

// Policy says what this site does with what was found.
type Policy struct {
	Mode            Mode   `key:"mode" is:"shown" oneof:"observe|enforce" says:"whether findings are only stated or also acted on"`
	OnReject        Action `key:"on_reject" oneof:"reject|hold|tag|accept" says:"what enforcing does where the author domain asks for reject"`
	OnQuarantine    Action `key:"on_quarantine" oneof:"reject|hold|tag|accept" says:"the same for quarantine"`
	OnInvalidAuthor Action `key:"on_invalid_author" oneof:"reject|hold|tag|accept" says:"the same where From does not name one author domain"`
	OnTemperror     Action `key:"on_temperror" oneof:"accept|defer" says:"the same where DNS failed, so that nobody knows"`
}

// Exception is a site's own decision about one author domain.
type Exception struct {
	AuthorDomain domain.Name `key:"author_domain" is:"required" says:"the domain of the From field (header.from)"`
	Action       Action      `key:"action" is:"required" oneof:"accept|tag|hold|reject|defer" says:"what is done instead"`
	Reason       string      `key:"reason" is:"required" says:"why, for those who come after you"`
	Owner        string      `key:"owner" says:"whom to ask; may be left out"`
	// Until is the first moment at which the exception no longer holds; the
	// zero Time means that it always holds.
	Until time.Time `key:"until" says:"the first day (UTC) it no longer holds, or a date and time; may be left out"`
}

// DMARC says how the author is evaluated.
type DMARC struct {
	EvaluateAllAuthors bool `key:"evaluate_all_authors" says:"a From of up to 4 domains is evaluated for each, and the strictest result counts; otherwise it is invalid"`
}

// ARC says which sealers are believed.
type ARC struct {
	Enable         bool          `key:"enable" says:"validate ARC chains"`
	TrustedSealers []domain.Name `key:"trusted_sealers" says:"such as [\"lists.example.net\"]; their passing chains may override a failure"`
}

// Failure says what happens to mail when assay itself fails.
type Failure struct {
	WhenUnable Action `key:"when_unable" oneof:"accept|defer" says:"what a message gets that could not be examined"`
}

// Mode says whether findings have consequences.
type Mode string

// The modes of a site.
const (
	Observe Mode = "observe" // state results only
	Enforce Mode = "enforce" // act on them
)

// Action is what is done with a message. Which of them a setting accepts is
// said by its oneof tag.
type Action string

// The actions towards the MTA.
const (
	Accept Action = "accept" // deliver it
	Tag    Action = "tag"    // deliver it, marked as failing
	Hold   Action = "hold"   // quarantine it in the MTA's queue
	Reject Action = "reject" // refuse it for good
	Defer  Action = "defer"  // ask the sender to try later
)

// Default is the configuration of an empty file on the host of that name.
// Whether the name can be an authserv-id is checked by [Parse].
func Default(hostname string) Config {
	return Config{
		AuthservID: defaultID(hostname),
		Listen: Listen{
			Milter: []Address{{Network: "tcp4", Addr: "127.0.0.1:8891"}},
			Drain:  30 * time.Second,
		},
		Exempt: Exempt{
			Networks:      []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")},
			Authenticated: true,
		},
		DNS: DNS{
			Timeout:        3 * time.Second,
			MessageBudget:  20 * time.Second,
			MessageQueries: 64,
			CacheEntries:   50000,
			MaxTTL:         24 * time.Hour,
		},
		Policy:  Policy{Mode: Observe, OnReject: Tag, OnQuarantine: Tag, OnInvalidAuthor: Reject, OnTemperror: Accept},
		ARC:     ARC{Enable: true},
		Failure: Failure{WhenUnable: Accept},
	}
}
