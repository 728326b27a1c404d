package legacy

import (
	"cmp"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"assay/config"
	"assay/verify/domain"
)

// What several formats have in common: the service, sockets, names and hosts.

const (
	bySystem  = "the service manager sees to it; see the unit file"
	bySyslog  = "assay writes one line for each message to stderr, which the service manager keeps"
	noReports = "assay sends no failure reports"
	noHistory = "assay keeps no history file; its log has a line for each message"
)

// authservID carries an authserv-id over.
func authservID(im *importer, d directive) {
	if strings.EqualFold(d.value, "HOSTNAME") {
		im.note(d, Equivalent, "the name of this host is the default")
		return
	}
	id, err := config.ParseAuthservID(d.value)
	if err != nil {
		im.note(d, Missing, "not an authserv-id that can be written: "+err.Error())
		return
	}
	if im.id != nil && im.draft.settings["authserv_id"].value != quote(string(id)) {
		im.note(*im.id, Changed, "authserv_id: another file says otherwise, and counts")
	}
	im.id = &d
	im.draft.set("authserv_id", quote(string(id)), d.origin())
	im.note(d, Equivalent, "authserv_id; forged fields under this name are removed")
}

// socket carries the address over. That of the program which comes last in
// Import stays: the MTA asks one filter now.
func socket(im *importer, d directive) {
	text := d.value
	if strings.HasPrefix(text, "/") {
		text = "unix:" + text
	}
	if family, port, _ := strings.Cut(text, ":"); (family == "inet" || family == "inet6") && !strings.ContainsAny(port, "@:") {
		// Without a host it is every address of the family.
		text += map[string]string{"inet": "@0.0.0.0", "inet6": "@::"}[family]
	}
	a, err := config.ParseAddress(text)
	if err != nil {
		im.note(d, Missing, err.Error())
		return
	}
	im.draft.set("listen.milter", quote(a.String()), d.origin())
	im.sockets = append(im.sockets, d)
}

// finishSockets says which address stays.
func (im *importer) finishSockets() {
	for i, d := range im.sockets {
		switch {
		case i < len(im.sockets)-1:
			im.note(d, Changed, "assay is one filter, and listens on "+im.draft.settings["listen.milter"].value+": take this address out of the MTA, unless OpenDKIM goes on signing there")
		default:
			im.note(d, Changed, "listen.milter: stop what listens there now; for a unix socket, assay needs to write into its folder")
		}
	}
}

// timeout carries a limit in seconds over to a duration; of several files the
// longest counts.
func timeout(key string, low, high time.Duration, says string) func(*importer, directive) {
	return func(im *importer, d directive) {
		seconds, err := strconv.Atoi(d.value)
		limit := time.Duration(seconds) * time.Second
		if err != nil || seconds < 0 || seconds > 86400 || limit < low || limit > high {
			im.note(d, Missing, fmt.Sprintf("%s is from %s to %s", key, low, high))
			return
		}
		if _, stated := im.draft.settings[key]; stated && im.draft.seconds(key) > seconds {
			im.note(d, Changed, key+": another file says more, and counts")
			return
		}
		im.draft.set(key, quote(strconv.Itoa(seconds)+"s"), d.origin())
		im.note(d, Changed, says)
	}
}

// hostList carries clients over that are not examined.
func hostList(im *importer, d directive) {
	items, err := im.dataset(d.value)
	if err != nil {
		im.note(d, Missing, unread(err))
		return
	}
	h := im.hosts(d, items)
	for _, item := range h.unread {
		im.note(d, Missing, shown(item)+" is no network or host name that can be carried over")
	}
	if len(h.names) > 0 {
		im.acceptRule(d, "client_name", list(h.names), "accepted without a look at the results")
		im.note(d, Changed, "host names cannot be exempt: [[rule]] accepts mail of clients whose name is verified, after it is examined")
	}
	if len(h.networks) == 0 && (h.tooMany || len(h.unread)+len(h.names) > 0) {
		return
	}
	im.exempt.list = append(im.exempt.list, h.networks...)
	im.exempt.from = append(im.exempt.from, d.origin())
	im.note(d, Changed, "exempt.networks: nothing is examined from there, whatever the method; loopback is exempt too")
}

// hosts is parseHosts with a note of what is too much.
func (im *importer) hosts(d directive, items []string) hosts {
	h := parseHosts(items)
	if h.tooMany {
		im.note(d, Missing, fmt.Sprintf("more than %d exceptions are not carried over, nor what they are from", maxLeft))
	}
	return h
}

// finishExempt joins the networks of all files with the default.
func (im *importer) finishExempt() {
	if len(im.exempt.list) == 0 {
		return
	}
	all := append(config.Default("").Exempt.Networks, im.exempt.list...)
	im.draft.set("exempt.networks", list(texts[netip.Prefix](apart(all))), im.exempt.from...)
}

// domains returns the items of a list that are domains, and notes the others.
func (im *importer) domains(d directive, items []string) []string {
	var names []string
	for _, item := range items {
		p, err := domain.ParsePattern(item)
		if err != nil {
			im.note(d, Missing, shown(item)+" is no domain")
			continue
		}
		names = append(names, p.String())
	}
	return names
}

// acceptRule writes a rule that accepts; those come before the ones that
// refuse.
func (im *importer) acceptRule(d directive, key, value, reason string) {
	im.draft.rules = append(im.draft.rules, rule{
		pairs: [][2]string{{key, value}, {"action", quote("accept")}, {"reason", quote("imported: " + reason)}},
		from:  []string{d.origin()},
	})
}

// itemsOf returns the items of a list that stands in the value or, where files
// may be named, in one. It notes a list that is empty or cannot be read.
func (im *importer) itemsOf(d directive, value string) []string {
	items, err := im.dataset(value)
	if err != nil {
		im.note(d, Missing, unread(err))
	} else if len(items) == 0 {
		im.note(d, Equivalent, "it names nobody")
	}
	return items
}

// fromDomains carries author domains over whose mail was ignored.
func fromDomains(im *importer, d directive) {
	items := im.itemsOf(d, d.value)
	if names := im.domains(d, items); len(names) > 0 {
		im.acceptRule(d, "author_domain", list(names), "mail from here was ignored")
		im.note(d, Changed, "[[rule]] accepts it; it is examined all the same, whoever sends it in this name is accepted too")
	}
}

// finishTimeouts: one query must fit into what a message may take.
func (im *importer) finishTimeouts() {
	if timeout := im.draft.settings["dns.timeout"]; im.draft.seconds("dns.message_budget") < im.draft.seconds("dns.timeout") {
		from := append(im.draft.settings["dns.message_budget"].from, timeout.from...)
		im.draft.set("dns.message_budget", cmp.Or(timeout.value, im.draft.defaults["dns.timeout"]), from...)
	}
}

func when[T any](yes bool, a, b T) T {
	if yes {
		return a
	}
	return b
}
