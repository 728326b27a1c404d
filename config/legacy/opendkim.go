package legacy

import (
	"net/netip"
	"strings"
	"time"
)

const (
	signing    = "assay does not sign; keep OpenDKIM for that, with Mode s"
	always     = "assay always does"
	fixed      = "assay has a limit of its own that is not set: "
	noScripts  = "assay runs no scripts; conditions are [[rule]]s"
	noLDAP     = `assay reads lists from files only: "file:PATH"`
	noVBR      = "assay knows no Vouch By Reference"
	noDebug    = "assay check --explain shows how each result came about; nothing is written to files"
	rfc6376bad = "a signature that fails is no worse than none (RFC 6376 §6.1): DMARC decides, or a [[rule]] with dkim = \"fail\", which looks at each signature alone"
	noRedirect = "assay does not change recipients; hold keeps a message in the MTA's queue"
	structure  = "assay looks at From alone, and never refuses for other fields"
)

// opendkimTable is the settings of opendkim.conf(5), and some that older
// versions had.
var opendkimTable = table{
	"adspaction":                   {Missing, "ADSP is historic; DMARC took its place", nil},
	"adspnosuchdomain":             {Missing, "ADSP is historic; DMARC took its place", nil},
	"allowsha1only":                {Missing, "SHA-1 is not accepted (RFC 8301)", nil},
	"alwaysaddarheader":            {Equivalent, always, nil},
	"anonymousstatistics":          {Missing, noHistory, nil},
	"authservid":                   {take: authservID},
	"authservidwithjobid":          {Missing, "the queue id is in the log, not in the field, so that the authserv-id can be compared", nil},
	"autorestart":                  {Missing, bySystem, nil},
	"autorestartcount":             {Missing, bySystem, nil},
	"autorestartrate":              {Missing, bySystem, nil},
	"background":                   {Missing, "assay stays in the foreground; " + bySystem, nil},
	"basedirectory":                {Missing, "relative names are meant from where assay.toml is", nil},
	"bodylengthdb":                 {Missing, signing, nil},
	"boguskey":                     {Missing, "assay does not check DNSSEC itself; ask a server that does, which answers for a bogus key with a failure", nil},
	"captureunknownerrors":         {Missing, "failure.when_unable is accept or defer: our own fault never holds mail", nil},
	"canonicalization":             {Missing, signing, nil},
	"changerootdirectory":          {Missing, bySystem, nil},
	"clockdrift":                   {Missing, fixed + "five minutes", nil},
	"diagnostics":                  {Missing, signing, nil},
	"diagnosticdirectory":          {Missing, noDebug, nil},
	"disablecryptoinit":            {Missing, "assay has its own cryptography", nil},
	"dnsconnect":                   {take: dnsConnect},
	"dnstimeout":                   {take: timeout("dns.timeout", 10*time.Millisecond, time.Minute, "dns.timeout: for one query; dns.message_budget limits all of a message")},
	"domain":                       {take: signer},
	"domainkeyscompat":             {Missing, "DomainKeys is historic", nil},
	"dontsignmailto":               {Missing, signing, nil},
	"enablecoredumps":              {Missing, bySystem, nil},
	"exemptdomains":                {take: fromDomains},
	"externalignorelist":           {Missing, "it is about warnings of the signer; " + signing, nil},
	"finalpolicyscript":            {Missing, noScripts, nil},
	"fixcrlf":                      {Changed, "a bare CR or LF in a body is an ordinary octet, as it arrived", nil},
	"identityheader":               {Missing, signing, nil},
	"identityheaderremove":         {Missing, signing, nil},
	"ignoremalformedmail":          {Missing, structure, nil},
	"include":                      {Equivalent, "read as part of this file", nil}, // elsewhere
	"internalhosts":                {take: hostList},
	"keepauthresults":              {take: keepResults},
	"keeptemporaryfiles":           {Missing, noDebug, nil},
	"keyfile":                      {take: signer},
	"keytable":                     {take: signer},
	"ldapauthmechanism":            {Missing, noLDAP, nil},
	"ldapauthname":                 {Missing, noLDAP, nil},
	"ldapauthrealm":                {Missing, noLDAP, nil},
	"ldapauthuser":                 {Missing, noLDAP, nil},
	"ldapbindpassword":             {Missing, noLDAP, nil},
	"ldapbinduser":                 {Missing, noLDAP, nil},
	"ldapdisablecache":             {Missing, noLDAP, nil},
	"ldapkeepaliveidle":            {Missing, noLDAP, nil},
	"ldapkeepaliveinterval":        {Missing, noLDAP, nil},
	"ldapkeepaliveprobes":          {Missing, noLDAP, nil},
	"ldaptimeout":                  {Missing, noLDAP, nil},
	"ldapusetls":                   {Missing, noLDAP, nil},
	"localadsp":                    {Missing, "ADSP is historic; DMARC took its place", nil},
	"logresults":                   {Equivalent, "the results are in the log line of each message", nil},
	"logwhy":                       {Missing, noDebug, nil},
	"macrolist":                    {Missing, "who is a user of ours is told by exempt.networks and, as logged in, by exempt.authenticated", nil},
	"maximumheaders":               {Missing, "the milter protocol and the MTA limit the header", nil},
	"maximumsignaturestoverify":    {Missing, fixed + "10, those near the author domain first", nil},
	"maximumsignedbytes":           {Missing, signing, nil},
	"milterdebug":                  {Missing, bySyslog, nil},
	"minimum":                      {Changed, "a body that is longer than l= says gives dkim=policy, never pass", nil},
	"minimumkeybits":               {take: keyBits},
	"mode":                         {take: mode},
	"mta":                          {Missing, signing, nil},
	"mtacommand":                   {Missing, noReports, nil},
	"multiplesignatures":           {Missing, signing, nil},
	"mustbesigned":                 {Changed, "From must be signed; a second Subject, Date, To, … that is not signed gives dkim=policy; there is no list", nil},
	"nameservers":                  {take: nameservers},
	"noheaderb":                    {Missing, "header.b is always written: it tells signatures apart (RFC 6008)", nil},
	"nosuchdomain":                 {Missing, "DMARC's np= is about author domains that do not exist", nil},
	"omitheaders":                  {Missing, signing, nil},
	"on-badsignature":              {take: badSignature(rfc6376bad)},
	"on-default":                   {take: onDefault},
	"on-dnserror":                  {take: onDNSError},
	"on-internalerror":             {take: onInternalError},
	"on-keynotfound":               {take: badSignature("without a key there is no signature (RFC 6376 §6.1.2): DMARC decides")},
	"on-nosignature":               {take: onNoSignature},
	"on-policyerror":               {Missing, "ADSP is historic; DMARC took its place", nil},
	"on-security":                  {take: badSignature("what is suspicious about a signature gives dkim=policy or permerror: DMARC decides")},
	"on-signatureerror":            {Missing, signing, nil},
	"oversignheaders":              {Missing, signing, nil},
	"peerlist":                     {take: hostList},
	"pidfile":                      {Missing, bySystem, nil},
	"popdbfile":                    {Missing, "POP before SMTP is historic; exempt.authenticated is about users that log in", nil},
	"quarantine":                   {take: badSignature(rfc6376bad)},
	"querycache":                   {Equivalent, "assay always caches answers", nil},
	"redirectfailuresto":           {Missing, noRedirect, nil},
	"removearall":                  {Changed, "every Authentication-Results field that claims our authserv-id is removed, whatever is in it", nil},
	"removearfrom":                 {Changed, "fields that claim our authserv-id are removed, and no others", nil},
	"removeoldsignatures":          {Missing, signing, nil},
	"replaceheaders":               {Missing, signing, nil},
	"replacerules":                 {Missing, signing, nil},
	"reportaddress":                {Missing, noReports, nil},
	"reportbccaddress":             {Missing, noReports, nil},
	"requestreports":               {Missing, signing, nil},
	"requiredheaders":              {Missing, structure, nil},
	"requiresafekeys":              {Missing, signing, nil},
	"resignall":                    {Missing, signing, nil},
	"resignmailto":                 {Missing, signing, nil},
	"resolverconfiguration":        {Missing, "assay has its own resolver; dns.servers says whom it asks", nil},
	"resolvertracing":              {Missing, "assay dns NAME TYPE shows an answer and where it is from", nil},
	"screenpolicyscript":           {Missing, noScripts, nil},
	"selectcanonicalizationheader": {Missing, signing, nil},
	"selector":                     {take: signer},
	"senderheaders":                {Changed, "the author is From, and nothing stands in for it (RFC 9989 §4.2)", nil},
	"sendermacro":                  {Missing, signing, nil},
	"sendreports":                  {Missing, noReports, nil},
	"setuppolicyscript":            {Missing, noScripts, nil},
	"signaturealgorithm":           {Missing, signing, nil},
	"signaturettl":                 {Missing, signing, nil},
	"signheaders":                  {Missing, signing, nil},
	"signingtable":                 {take: signer},
	"smtpuri":                      {Missing, noReports, nil},
	"socket":                       {take: socket},
	"softstart":                    {Missing, noLDAP, nil},
	"softwareheader":               {Missing, "assay does not name itself in messages", nil},
	"statistics":                   {Missing, noHistory, nil},
	"statisticsname":               {Missing, noHistory, nil},
	"statisticspolicyscript":       {Missing, noHistory, nil},
	"statisticsprefix":             {Missing, noHistory, nil},
	"strictheaders":                {Missing, structure, nil},
	"stricttestmode":               {Missing, noDebug, nil},
	"subdomains":                   {Missing, signing, nil},
	"syslog":                       {Changed, bySyslog, nil},
	"syslogfacility":               {Missing, bySyslog, nil},
	"syslogname":                   {Missing, bySyslog, nil},
	"syslogsuccess":                {Equivalent, "there is a line for every message, whatever its results", nil},
	"temporarydirectory":           {Missing, "assay writes no files", nil},
	"testdnsdata":                  {Missing, "dns.zone_file is a master file that answers in tests", nil},
	"testpublickeys":               {Missing, "dns.zone_file is a master file that answers in tests", nil},
	"trustanchorfile":              {Missing, "assay does not check DNSSEC itself; dns.require_ad notes what a server says that does", nil},
	"trustsignaturesfrom":          {Missing, "whether a signature counts is DMARC's question; other domains do not align", nil},
	"umask":                        {Missing, "the group of the socket's folder and the unit file decide who may connect", nil},
	"unprotectedkey":               {Missing, "assay does not check DNSSEC itself; dns.require_ad notes what a server says that does", nil},
	"userid":                       {Missing, bySystem, nil},
	"vbr-certifiers":               {Missing, noVBR, nil},
	"vbr-purgefields":              {Missing, noVBR, nil},
	"vbr-trustedcertifiers":        {Missing, noVBR, nil},
	"vbr-trustedcertifiersonly":    {Missing, noVBR, nil},
	"vbr-type":                     {Missing, noVBR, nil},
	"weaksyntaxchecks":             {Equivalent, "signatures are verified whatever From is", nil},
}

// mode says whether OpenDKIM verifies at all.
func mode(im *importer, d directive) {
	switch strings.ToLower(d.value) {
	case "v":
		im.note(d, Equivalent, "assay verifies; OpenDKIM is needed no more")
	case "s":
		im.note(d, Missing, "this OpenDKIM only signs: keep it; what is carried over from its file may not be what you want")
	default:
		im.note(d, Changed, "assay verifies; keep OpenDKIM for signing, with Mode s")
	}
}

func signer(im *importer, d directive) {
	im.note(d, Missing, signing)
}

func keepResults(im *importer, d directive) {
	if d.yes() {
		im.note(d, Missing, "fields that claim our authserv-id are forged or stale, and always removed (RFC 8601 §5)")
	} else {
		im.note(d, Equivalent, "fields that claim our authserv-id are always removed")
	}
}

func keyBits(im *importer, d directive) {
	if d.value == "1024" {
		im.note(d, Equivalent, "RSA keys have 1024 bits at least (RFC 8301)")
	} else {
		im.note(d, Missing, fixed+"RSA keys of 1024 to 8192 bits (RFC 8301)")
	}
}

// nameservers carries the addresses of DNS servers over.
func nameservers(im *importer, d directive) {
	items := im.itemsOf(d, "csl:"+d.value)
	var servers []string
	for _, item := range items {
		addr, err := netip.ParseAddr(item)
		if err != nil || addr.Zone() != "" {
			im.note(d, Missing, shown(item)+" is no IP address")
			continue
		}
		text := addr.String()
		if connect, ok := im.given["dnsconnect"]; ok && connect.yes() {
			if addr.Is6() {
				text = "[" + text + "]:53"
			}
			text = "tcp://" + text
		}
		servers = append(servers, text)
	}
	if len(servers) > 0 {
		im.draft.set("dns.servers", list(servers), d.origin())
		im.note(d, Equivalent, "dns.servers")
	}
}

func dnsConnect(im *importer, d directive) {
	if _, ok := im.given["nameservers"]; ok || !d.yes() {
		im.note(d, Equivalent, `dns.servers: "tcp://…" asks over TCP`)
		return
	}
	im.note(d, Missing, `only servers that are named can be asked over TCP: dns.servers = ["tcp://…"]`)
}

// action is the word of the On- settings in ours.
func (d directive) action() string {
	value := strings.ToLower(d.value)
	for word, ours := range map[string]string{"accept": "accept", "discard": "reject", "quarantine": "hold", "reject": "reject", "tempfail": "defer"} {
		if value == word || value == word[:1] {
			return ours
		}
	}
	return ""
}

// badSignature is an On- setting whose case is DMARC's in assay.
func badSignature(says string) func(*importer, directive) {
	return func(im *importer, d directive) {
		if d.action() == "accept" || strings.EqualFold(d.name, "Quarantine") && !d.yes() {
			im.note(d, Equivalent, "nothing is refused for it")
			return
		}
		im.note(d, Missing, says)
	}
}

func onDefault(im *importer, d directive) {
	for _, follows := range []func(*importer, directive){onDNSError, onInternalError} {
		follows(im, d)
	}
	im.note(d, Changed, "it is not carried over to signatures that are missing or fail")
}

func onDNSError(im *importer, d directive) {
	if _, given := im.given["on-dnserror"]; given && !strings.EqualFold(d.name, "On-DNSError") {
		return
	}
	if action := d.action(); action == "accept" || action == "" {
		im.note(d, Equivalent, `policy.on_temperror = "accept"`)
		return
	}
	im.deferDNS = &d
	im.note(d, Changed, `policy.on_temperror = "defer": only where DMARC needs the key; an outage refuses nothing`)
}

func onInternalError(im *importer, d directive) {
	if _, given := im.given["on-internalerror"]; given && !strings.EqualFold(d.name, "On-InternalError") {
		return
	}
	if action := d.action(); action == "accept" || action == "" {
		im.note(d, Equivalent, `failure.when_unable = "accept"`)
		return
	}
	im.draft.set("failure.when_unable", quote("defer"), d.origin())
	im.note(d, when(d.action() == "defer", Equivalent, Changed), `failure.when_unable = "defer": our own fault refuses nothing`)
}

func onNoSignature(im *importer, d directive) {
	switch d.action() {
	case "accept", "":
		im.note(d, Equivalent, "nothing is refused for it")
		return
	case "reject":
		if strings.HasPrefix(strings.ToLower(d.value), "d") {
			im.note(d, Changed, "[[rule]] unsigned refuses it: assay never drops mail in silence")
			break
		}
		im.note(d, Equivalent, "[[rule]] unsigned")
	default:
		im.note(d, Equivalent, "[[rule]] unsigned")
	}
	im.unsigned = &d
}

// dkimRules refuses unsigned mail where OpenDKIM did.
func (im *importer) dkimRules() {
	if im.unsigned == nil {
		return
	}
	pairs := [][2]string{{"name", quote("unsigned")}, {"dkim", quote("none")}, {"action", quote(im.unsigned.action())}}
	if im.unsigned.action() == "reject" {
		// RFC 7372 §3.1: 5.7.20 says that no signature passed.
		pairs = append(pairs, [2]string{"reply", quote("550 5.7.20 Message refused: it has no DKIM signature")})
	}
	pairs = append(pairs, [2]string{"reason", quote("imported: unsigned mail was not accepted")})
	im.draft.rules = append(im.draft.rules, rule{pairs, []string{im.unsigned.origin()}})
}
