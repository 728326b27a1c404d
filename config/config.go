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
	Log        Log         `key:"log" says:"one line for each message, on standard error or in the journal"`
	Exempt     Exempt      `key:"exempt" says:"passed through unexamined, except that forged results are removed"`
	DNS        DNS         `key:"dns" says:"how questions are asked and answers kept"`
	Policy     Policy      `key:"policy" says:"what this site does with what was found"`
	SPF        SPF         `key:"policy.spf" says:"what SPF alone does, where DMARC has nothing to say"`
	Shadow     Shadow      `key:"policy.shadow" says:"a policy to try: it judges every message that is examined, by the same findings; differences are logged (shadow_action=), nothing is done"`
	Exceptions []Exception `key:"exception" says:"a rule with an owner and an end; asked before the rules, with the same conditions"`
	Rules      []Rule      `key:"rule" says:"your own decisions; the first whose conditions all hold decides; a list means any of; \"file:PATH\" in a list: one item a line"`
	Forwarders []Forwarder `key:"forwarder" says:"a relay trusted to pass mail on for some recipients: its SPF failures are expected, and it speaks for indirect mail"`
	DMARC      DMARC       `key:"dmarc" says:"how the author is evaluated (RFC 9989)"`
	ARC        ARC         `key:"arc" says:"results that forwarders and mailing lists vouch for (RFC 8617)"`
	Limits     Limits      `key:"limits" says:"what MTAs and senders can make us keep; beyond a limit a message is deferred (451 4.3.2), or what failure.when_unable says"`
	Failure    Failure     `key:"failure" says:"our own fault, never the sender's"`

	// IDStated tells whether AuthservID is in the file, and not this host's name.
	IDStated bool

	// Next is what Shadow.File says; nil where there is none, or it was not read.
	Next *Config

	sources map[string]string // lists with files in them as they were written, by key
}

// Listen says where the MTA finds us.
type Listen struct {
	Milter []Address     `key:"milter" is:"required,unique,lone,shown" says:"or \"unix:/run/assay/milter.sock\", \"inet:8891@127.0.0.1\", or a list of them"`
	Status StatusAddress `key:"status" says:"such as \"127.0.0.1:8892\" or \"unix:/run/assay/status.sock\": metrics, health and \"assay status\", for whoever gets there; default: off"`
	Pprof  bool          `key:"pprof" says:"there, /debug/pprof too: profiles of the running program"`
	Drain  time.Duration `key:"drain" range:"0s..1h" says:"how long a stop waits for messages in flight"`
}

// Log says what is logged, and how.
type Log struct {
	Format       Word             `key:"format" oneof:"text|json|journald" says:"text and json go to standard error; journald: one journal field for each key"`
	Privacy      Word             `key:"privacy" oneof:"full|domains|networks" says:"domains: mailboxes without their local part; networks: and clients by their /24 or /48"`
	DebugClients []netip.Prefix   `key:"debug_clients" says:"SIGUSR1 logs details of messages from these clients for 1h, or stops that; default: any"`
	DebugAuthors []domain.Pattern `key:"debug_authors" says:"and of these author domains; default: any"`
}

// Exempt says which mail is passed through unexamined.
type Exempt struct {
	Networks      []netip.Prefix `key:"networks" says:"your own relays; [] exempts nobody"`
	Authenticated bool           `key:"authenticated" says:"submission users ({auth_authen} is set)"`
}

// DNS says how questions are asked and how long answers are kept.
type DNS struct {
	Servers        []Server      `key:"servers" says:"such as [\"192.0.2.53\", \"tcp://[2001:db8::53]:5353\", \"tls://dns.example.net@192.0.2.54\"]; default: those of /etc/resolv.conf"`
	SPFReadahead   bool          `key:"spf_readahead" says:"what an SPF record may need is looked up at once, not term by term: less waiting, more questions"`
	ZoneFile       Path          `key:"zone_file" says:"a master file (RFC 1035) that answers in the place of servers, for demonstrations and tests"`
	Timeout        time.Duration `key:"timeout" range:"10ms..1m" says:"one query"`
	RetryAfter     time.Duration `key:"retry_after" range:"10ms..10s" says:"then the next server is asked too, or the same again"`
	MessageBudget  time.Duration `key:"message_budget" range:"1s..10m" says:"all look-ups of one message; keep below the MTA's milter timeouts"`
	MessageQueries int           `key:"message_queries" range:"36..1000" says:"questions that one message may cause"`
	InFlight       int           `key:"in_flight" range:"16..10000" says:"queries out at the same time over all messages; more wait"`
	MixCase        bool          `key:"mix_case" says:"names are sent in random case, so that an answer is harder to forge (UDP)"`
	RequireAD      bool          `key:"require_ad" says:"the servers check DNSSEC and the way to them is safe: their AD bit is noted as evidence for keys"`
	CacheEntries   int           `key:"cache_entries" range:"100..10000000" says:"answers kept in memory, in 64 MiB at most"`
	MinTTL         time.Duration `key:"min_ttl" range:"1s..1m" says:"every answer is kept as long as this"`
	MaxTTL         time.Duration `key:"max_ttl" range:"1m..7d" says:"no answer is kept longer"`
	FailureTTL     time.Duration `key:"failure_ttl" range:"1s..1m" says:"a failure is kept as long as this; doubled while it goes on, up to 1m"`
	Stale          time.Duration `key:"stale" range:"0s..7d" says:"how long past its time an answer is used when servers fail (RFC 8767)"`
}

// Policy says what this site does with what was found.
type Policy struct {
	Mode            Mode   `key:"mode" is:"shown" oneof:"observe|enforce" says:"whether findings are only stated or also acted on"`
	OnReject        Action `key:"on_reject" oneof:"careful|reject|hold|tag|accept" says:"what enforcing does where the author domain asks for reject; careful: reject, but tag what may be list or forwarded mail"`
	OnQuarantine    Action `key:"on_quarantine" oneof:"reject|hold|tag|accept" says:"the same for quarantine"`
	OnInvalidAuthor Action `key:"on_invalid_author" oneof:"reject|hold|tag|accept" says:"the same where From does not name one author domain; accept: exceptions and rules decide"`
	OnTemperror     Action `key:"on_temperror" oneof:"accept|defer" says:"the same where DNS failed, so that nobody knows"`
	EnforcePercent  int    `key:"enforce_percent" range:"0..100" says:"per cent of author domains for which enforcing is done; the others are observed"`
	MaxRejectShare  int    `key:"max_reject_share" range:"1..100" says:"per cent of messages of the last 10m; when more are refused, tag instead until a reload; 100 is off"`
}

// SPF says what SPF alone does.
type SPF struct {
	OnFail     Action `key:"on_fail" oneof:"reject|hold|tag|accept" says:"at the end of the message, unless DMARC passes or has decided"`
	OnSoftfail Action `key:"on_softfail" oneof:"hold|tag|accept" says:"the same for softfail"`
	Early      bool   `key:"early" says:"refuse at MAIL where the record ends in -all and no DMARC policy covers the sender; forwarded mail is lost"`
}

// Shadow names a policy to try.
type Shadow struct {
	File Path `key:"file" says:"such as \"next.toml\", beside this file; its exempt, policy (but for spf.early), exception, rule and trusted_sealers count; default: none"`
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

// Limits says what MTAs and senders can make us keep.
type Limits struct {
	Sessions        int           `key:"sessions" range:"1..100000" says:"connections of MTAs, one for each SMTP session; beyond twice as many they are closed"`
	SessionsPerHost int           `key:"sessions_per_host" range:"1..100000" says:"of these, those of one MTA host; all over unix sockets are of one"`
	Messages        int           `key:"messages" range:"1..100000" says:"messages in flight"`
	HeaderFields    int           `key:"header_fields" range:"100..100000" says:"fields of one message; more is always deferred, lest a sender decide what is examined"`
	HeaderBytes     int           `key:"header_bytes" range:"65536..16777216" says:"their octets; the same"`
	FrameBytes      int           `key:"frame_bytes" range:"73728..1048576" says:"one packet of the MTA; a longer one ends the connection, and the MTA does what it does without us"`
	Stage           time.Duration `key:"stage" range:"1s..10m" says:"the rest of a packet that has begun, or the MTA taking an answer; later the connection ends"`
	Idle            time.Duration `key:"idle" range:"1m..1d" says:"an MTA that says nothing; as long as an SMTP session may last"`
}

// Failure says what happens to mail when assay itself fails.
type Failure struct {
	WhenUnable Action `key:"when_unable" oneof:"accept|defer" says:"what a message gets that could not be examined"`
}

// The forms of the log.
const (
	LogText     Word = "text"
	LogJSON     Word = "json"
	LogJournald Word = "journald"
)

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

// Careful is a choice for on_reject: refuse where nothing speaks for indirect
// mail, and tag otherwise.
const Careful Action = "careful"

// Default is the configuration of an empty file on the host of that name.
// Whether the name can be an authserv-id is checked by [Parse].
func Default(hostname string) Config {
	return Config{
		AuthservID: defaultID(hostname),
		Listen: Listen{
			Milter: []Address{{Network: "tcp4", Addr: "127.0.0.1:8891"}},
			Drain:  30 * time.Second,
		},
		Log: Log{Format: LogText, Privacy: "full"},
		Exempt: Exempt{
			Networks:      []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")},
			Authenticated: true,
		},
		DNS: DNS{
			Timeout:        3 * time.Second,
			RetryAfter:     400 * time.Millisecond,
			MessageBudget:  20 * time.Second,
			MessageQueries: 64,
			InFlight:       512,
			MixCase:        true,
			CacheEntries:   50000,
			MinTTL:         5 * time.Second,
			MaxTTL:         24 * time.Hour,
			FailureTTL:     5 * time.Second,
			Stale:          time.Hour,
		},
		Policy: Policy{Mode: Observe, OnReject: Tag, OnQuarantine: Tag, OnInvalidAuthor: Reject, OnTemperror: Accept, EnforcePercent: 100, MaxRejectShare: 100},
		SPF:    SPF{OnFail: Accept, OnSoftfail: Accept},
		ARC:    ARC{Enable: true},
		Limits: Limits{
			Sessions:        5000,
			SessionsPerHost: 5000,
			Messages:        2000,
			HeaderFields:    2000,
			HeaderBytes:     1 << 20,
			FrameBytes:      1 << 20,
			Stage:           time.Minute,
			Idle:            2*time.Hour + 10*time.Second,
		},
		Failure: Failure{WhenUnable: Accept},
	}
}
