package legacy

import (
	"strings"
	"time"
)

// spfWishes is what policyd-spf was told to do about mail.
type spfWishes struct {
	mailFrom             directive // Mail_From_reject, or its absence
	refuses              []string  // results for which mail is refused
	permError, tempError *directive
	notPass              *directive // Reject_Not_Pass_Domains
	notPassDomains       []string
	noMail, off          bool
}

const noClass = "assay knows no restriction classes of Postfix"

// policydTable is the settings of policyd-spf.conf(5), of the policy server and
// of the milter.
var policydTable = table{
	"authserv_id":                {take: authservID},
	"debuglevel":                 {Missing, bySyslog, nil},
	"defaultseedonly":            {take: testOnly},
	"domain_whitelist":           {Missing, "a client cannot be told by other domains' SPF records; name its networks in a [[rule]]", nil},
	"domain_whitelist_ptr":       {take: ptrDomains},
	"header_type":                {take: headerType},
	"helo_pass_restriction":      {Missing, noClass, nil},
	"helo_reject":                {take: heloReject},
	"helo_whitelist":             {take: heloNames},
	"hide_receiver":              {Equivalent, "assay never writes recipients into results", nil},
	"internalhosts":              {take: hostList},
	"inthosts":                   {Missing, "exempt.networks says it", nil},
	"lookup_time":                {take: timeout("dns.message_budget", time.Second, 10*time.Minute, "dns.message_budget: for all look-ups of a message, not for each SPF check")},
	"macrolist":                  {Missing, "who is a user of ours is told by exempt.networks and, as logged in, by exempt.authenticated", nil},
	"macrolistverify":            {Missing, "what is examined does not depend on macros; exempt.networks says what is not", nil},
	"mail_from_pass_restriction": {Missing, noClass, nil},
	"mail_from_reject":           {Equivalent, "", func(*importer, directive) {}}, // finishSPF
	"mock":                       {Missing, "the milter sees every field; no second service is needed", nil},
	"no_mail":                    {take: noMail},
	"per_user":                   {Missing, "[[rule]] with recipient says it for some recipients; a message to several gets the mildest action", nil},
	"permerror_reject":           {take: spfWish(func(w *spfWishes) **directive { return &w.permError }, "[[rule]] spf-permerror, unless DMARC passes")},
	"pidfile":                    {Missing, bySystem, nil},
	"prospective":                {Missing, "assay judges what arrives; assay lookup spf NAME --ip shows what a record says of an address", nil},
	"queueid":                    {Equivalent, "the queue id is in every log line", nil},
	"reason_message":             {Missing, "the rules below have a reply, which may be changed", nil},
	"reject_not_pass_domains":    {take: notPassDomains},
	"skip_addresses":             {take: hostList},
	"socket":                     {take: socket},
	"spf_enhanced_status_codes":  {Changed, "the codes of RFC 7372 are used; a [[rule]] may have others", nil},
	"temperror_defer":            {take: spfWish(func(w *spfWishes) **directive { return &w.tempError }, "[[rule]] spf-temperror, unless DMARC passes")},
	"testonly":                   {take: testOnly},
	"umask":                      {Missing, "the group of the socket's folder and the unit file decide who may connect", nil},
	"userid":                     {Missing, bySystem, nil},
	"void_limit":                 {take: voidLimit},
	"whitelist":                  {take: whitelist},
	"whitelist_lookup_time":      {Missing, "dns.message_budget is for all look-ups of a message", nil},
}

func (d directive) is(word string) bool { return strings.EqualFold(d.value, word) }

// testOnly: 0 means that nothing is refused, whatever the name suggests.
func testOnly(im *importer, d directive) {
	if d.value == "0" {
		im.spf.off = true
		im.note(d, Equivalent, "nothing is refused for SPF")
	} else {
		im.note(d, Equivalent, "what SPF refuses is refused, by the rules below")
	}
}

// refusesNothing reports whether TestOnly, or its old name, is 0.
func (im *importer) refusesNothing() bool {
	return im.given["testonly"].value == "0" || im.given["defaultseedonly"].value == "0"
}

func noMail(im *importer, d directive) {
	if !d.is("True") {
		im.note(d, Equivalent, "every record that fails counts")
		return
	}
	im.spf.noMail = true
	im.note(d, Missing, `whether a record is "v=spf1 -all" and nothing else is no condition; SPF refuses nothing. Such domains mostly ask for p=reject`)
}

func heloReject(im *importer, d directive) {
	switch {
	case d.is("False") || d.is("No_Check") || im.refusesNothing():
		im.note(d, Equivalent, "nothing is refused for HELO")
	case d.is("Null"):
		im.note(d, Equivalent, "the result of mail without envelope sender is that of HELO, and the rules below apply to it")
	default:
		im.note(d, Changed, "HELO is checked, and counts for mail without envelope sender; otherwise nothing is refused for it")
	}
}

func headerType(im *importer, d directive) {
	if d.is("AR") {
		im.note(d, Equivalent, "Authentication-Results")
	} else {
		im.note(d, Changed, "results are in Authentication-Results, always; there is no Received-SPF")
	}
}

func voidLimit(im *importer, d directive) {
	if d.value == "2" {
		im.note(d, Equivalent, "two void look-ups (RFC 7208 §4.6.4)")
	} else {
		im.note(d, Missing, fixed+"two void look-ups (RFC 7208 §4.6.4)")
	}
}

func spfWish(pick func(*spfWishes) **directive, says string) func(*importer, directive) {
	return func(im *importer, d directive) {
		if !d.is("True") || im.refusesNothing() {
			im.note(d, Equivalent, "nothing is refused for it")
			return
		}
		*pick(&im.spf) = &d
		im.note(d, Changed, says)
	}
}

func notPassDomains(im *importer, d directive) {
	if im.refusesNothing() {
		im.note(d, Equivalent, "nothing is refused for it")
		return
	}
	if im.spf.notPassDomains = im.domains(d, im.itemsOf(d, "csl:"+d.value)); len(im.spf.notPassDomains) > 0 {
		im.spf.notPass = &d
		im.note(d, Changed, "[[rule]] spf-not-pass, unless DMARC passes")
	}
}

// whitelist carries clients over that SPF does not apply to.
func whitelist(im *importer, d directive) {
	h := im.hosts(d, im.itemsOf(d, "csl:"+d.value))
	for _, item := range append(h.unread, h.names...) {
		im.note(d, Missing, shown(item)+" is no network")
	}
	if len(h.networks) > 0 {
		im.acceptRule(d, "networks", list(texts(h.networks)), "SPF did not apply to these clients")
		im.note(d, Changed, "[[rule]] accepts what these clients send, whatever DMARC says; where they forward for some domains of yours, [[forwarder]] is narrower")
	}
}

func heloNames(im *importer, d directive) {
	clientNames(im, d, false, "[[rule]] accepts clients whose verified name is in the list; what they say in HELO is not believed")
}

func ptrDomains(im *importer, d directive) {
	clientNames(im, d, true, "[[rule]] accepts clients whose verified name is in the list, whatever DMARC says")
}

// clientNames accepts clients by their names and, with below, by those below.
func clientNames(im *importer, d directive, below bool, says string) {
	names := im.domains(d, im.itemsOf(d, "csl:"+d.value))
	if len(names) == 0 {
		return
	}
	if below {
		var under []string
		for _, name := range names {
			if !strings.HasPrefix(name, ".") {
				under = append(under, "."+name)
			}
		}
		under, err := im.counted(under)
		if err != nil {
			im.note(d, Missing, unread(err))
			return
		}
		names = append(names, under...)
	}
	im.acceptRule(d, "client_name", list(names), "SPF did not apply to these clients")
	im.note(d, Changed, says)
}

// finishSPF reads Mail_From_reject, whose default is to refuse.
func (im *importer) finishSPF(path string) {
	w := &im.spf
	d, given := im.given["mail_from_reject"]
	if !given {
		d = directive{file: path, name: "Mail_From_reject", value: "Fail"}
	}
	w.mailFrom = d
	if _, given := im.given["helo_reject"]; !given && !im.refusesNothing() {
		im.note(directive{file: path, name: "HELO_reject"}, Changed, "HELO is checked, and counts for mail without envelope sender; otherwise nothing is refused for it")
	}
	const says = "[[rule]] spf-fail refuses, unless DMARC passes, and after the message has been seen; "
	switch {
	case d.is("False") || d.is("No_Check") || im.refusesNothing():
		w.off = true
		im.note(d, Equivalent, "nothing is refused for the envelope sender")
		return
	case d.is("SPF_Not_Pass"):
		w.refuses = []string{"fail", "softfail", "neutral", "permerror"}
		im.note(d, Changed, says+"RFC 7208 §8 speaks against it for all but fail")
	case d.is("Softfail"):
		w.refuses = []string{"fail", "softfail"}
		im.note(d, Changed, says+"RFC 7208 §8.5 speaks against it for softfail")
	case d.is("Fail"):
		w.refuses = []string{"fail"}
		im.note(d, Changed, says+"policy.spf.on_fail is the simpler way")
	default:
		im.note(d, Unknown, "no value that we know; nothing is refused for SPF")
	}
}

// unlessDMARC is the DMARC results with which SPF alone may refuse: a pass says
// that a signature vouches for the author (RFC 9989 §7.1), and an outage that
// one may.
const unlessDMARC = `["none", "fail", "permerror"]`

// spfRules refuses what policyd-spf refused.
func (im *importer) spfRules() {
	w := &im.spf
	if w.noMail || w.off {
		return
	}
	add := func(d *directive, name, spf, extra, action, reply string) {
		if d == nil {
			return
		}
		r := rule{from: []string{d.origin()}}
		r.pairs = append(r.pairs, [2]string{"name", quote(name)}, [2]string{"spf", spf}, [2]string{"dmarc", unlessDMARC})
		if extra != "" {
			r.pairs = append(r.pairs, [2]string{"envelope_sender", extra})
		}
		r.pairs = append(r.pairs, [2]string{"action", quote(action)}, [2]string{"reply", quote(reply)},
			[2]string{"reason", quote("imported: refused for SPF before")})
		im.draft.rules = append(im.draft.rules, r)
	}
	// RFC 7372 §3.2: 5.7.23 is a failure of SPF, 5.7.24 an error.
	const refusal = "550 5.7.23 Message refused: SPF does not allow this client for the sender"
	if len(w.refuses) > 0 {
		add(&w.mailFrom, "spf-fail", list(w.refuses), "", "reject", refusal)
	}
	add(w.notPass, "spf-not-pass", list([]string{"softfail", "neutral"}), list(w.notPassDomains), "reject", refusal)
	add(w.permError, "spf-permerror", quote("permerror"), "", "reject", "550 5.7.24 Message refused: the sender's SPF record cannot be evaluated")
	add(w.tempError, "spf-temperror", quote("temperror"), "", "defer", "451 4.7.24 The sender's SPF record cannot be had, try again later")
}
