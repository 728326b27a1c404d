package legacy

import (
	"slices"
	"strings"
	"time"
)

// dmarcWishes is what OpenDMARC was told to do about mail; nil where it was
// not.
type dmarcWishes struct {
	reject, hold, several, header *directive
}

func wish(pick func(*dmarcWishes) **directive, no, yes string) func(*importer, directive) {
	return func(im *importer, d directive) {
		if !d.yes() {
			im.note(d, Equivalent, no)
			return
		}
		*pick(&im.dmarc) = &d
		im.note(d, Changed, yes)
	}
}

// opendmarcTable is the settings of opendmarc.conf(5).
var opendmarcTable = table{
	"authservid":                 {take: authservID},
	"authservidwithjobid":        {Missing, "the queue id is in the log, not in the field, so that the authserv-id can be compared", nil},
	"autorestart":                {Missing, bySystem, nil},
	"autorestartcount":           {Missing, bySystem, nil},
	"autorestartrate":            {Missing, bySystem, nil},
	"background":                 {Missing, "assay stays in the foreground; " + bySystem, nil},
	"basedirectory":              {Missing, "relative names are meant from where assay.toml is", nil},
	"changerootdirectory":        {Missing, bySystem, nil},
	"copyfailuresto":             {Missing, "assay adds no recipients; file by X-Assay-Disposition, or look into the log", nil},
	"domainwhitelist":            {take: sealers},
	"domainwhitelistfile":        {take: sealerFile},
	"domainwhitelistsize":        {Equivalent, "lists may have any length", nil},
	"dnstimeout":                 {take: timeout("dns.timeout", 10*time.Millisecond, time.Minute, "dns.timeout: for one query; dns.message_budget limits all of a message")},
	"enablecoredumps":            {Missing, bySystem, nil},
	"failurereports":             {Missing, noReports, nil},
	"failurereportsbcc":          {Missing, noReports, nil},
	"failurereportsonnone":       {Missing, noReports, nil},
	"failurereportssentby":       {Missing, noReports, nil},
	"historyfile":                {Missing, noHistory, nil},
	"holdquarantinedmessages":    {take: wish(func(w *dmarcWishes) **directive { return &w.hold }, "on_quarantine = \"accept\", or mode = \"observe\"", "policy.on_quarantine = \"hold\"; pct= is not obeyed, RFC 9989 has none")},
	"ignoreauthenticatedclients": {take: authenticated},
	"ignorehosts":                {take: ignoreHosts},
	"ignoremailfrom":             {take: fromDomains},
	"ignoremailto":               {Missing, "it is about the history; " + noHistory, nil},
	"milterdebug":                {Missing, bySyslog, nil},
	"pidfile":                    {Missing, bySystem, nil},
	"publicsuffixlist":           {Changed, "organizational domains are found by the tree walk of RFC 9989, in the DNS; no list is needed", nil},
	"recordallmessages":          {Missing, noHistory, nil},
	"rejectfailures":             {take: wish(func(w *dmarcWishes) **directive { return &w.reject }, "mode = \"observe\", or on_reject = \"accept\"", "policy.on_reject = \"reject\", policy.on_temperror = \"defer\"; pct= is not obeyed, RFC 9989 has none, and its §7.4 forbids to refuse on p=reject alone: consider \"careful\"")},
	"rejectmultivaluefrom":       {take: wish(func(w *dmarcWishes) **directive { return &w.several }, "[policy] on_invalid_author = \"accept\"", "a From of several domains is refused; dmarc.evaluate_all_authors is the other way")},
	"rejectstring":               {Missing, "the reply names the author domain in words that do not change; a [[rule]] may have a reply of its own", nil},
	"reportcommand":              {Missing, noReports, nil},
	"requiredheaders":            {take: wish(func(w *dmarcWishes) **directive { return &w.header }, "header fields other than From are not counted", "a From without one author domain is refused; other header fields are not counted")},
	"socket":                     {take: socket},
	"softwareheader":             {Missing, "assay does not name itself in messages", nil},
	"spfignoreresults":           {take: ownSPF},
	"spfselfvalidate":            {take: ownSPF},
	"syslog":                     {Changed, bySyslog, nil},
	"syslogfacility":             {Missing, bySyslog, nil},
	"trustedauthservids":         {Missing, "assay finds SPF and DKIM results itself and believes nobody's", nil},
	"umask":                      {Missing, "the group of the socket's folder and the unit file decide who may connect", nil},
	"userid":                     {Missing, bySystem, nil},
}

// ownSPF is about where SPF results come from.
func ownSPF(im *importer, d directive) {
	if d.yes() {
		im.note(d, Equivalent, "assay always checks SPF itself")
	} else {
		im.note(d, Changed, "assay always checks SPF itself and reads no result of others")
	}
}

// authenticated is about users that have logged in.
func authenticated(im *importer, d directive) {
	yes := d.yes()
	im.draft.set("exempt.authenticated", when(yes, "true", "false"), d.origin())
	im.note(d, Equivalent, "exempt.authenticated = "+when(yes, "true", "false")+when(yes, "", "; true is the default of assay, and spares your own users"))
}

// ignoreHosts is hostList for the name of a file.
func ignoreHosts(im *importer, d directive) {
	if !strings.HasPrefix(d.value, "file:") {
		d.value = "file:" + d.value
	}
	hostList(im, d)
}

// sealers carries the domains over whose ARC chains are trusted.
func sealers(im *importer, d directive) {
	names := slices.DeleteFunc(im.domains(d, im.itemsOf(d, d.value)), func(name string) bool {
		below := strings.HasPrefix(name, ".")
		if below {
			im.note(d, Missing, name+" stands for many sealers; name each")
		}
		return below
	})
	if len(names) == 0 {
		return
	}
	im.sealers = append(im.sealers, names...)
	before := im.draft.settings["arc.trusted_sealers"].from
	im.draft.set("arc.trusted_sealers", "", append(before, d.origin())...)
	im.note(d, Changed, "arc.trusted_sealers: only an unchanged chain that says the author passed overrides a failure, and every sealer since must be listed")
}

func sealerFile(im *importer, d directive) {
	d.value = "file:" + strings.TrimPrefix(d.value, "file:")
	sealers(im, d)
}
