package legacy

import "slices"

// unsaidDefault is a default of an old filter that is not assay's.
type unsaidDefault struct {
	format Format
	name   string
	says   string
}

// defaults is what changes though the files do not speak of it.
var defaults = []unsaidDefault{
	{OpenDKIM, "AlwaysAddARHeader", "unsigned mail gets a result too, dkim=none"},
	{OpenDKIM, "AuthservID", "the name of this host, not the one that the MTA calls itself"},
	{OpenDKIM, "InternalHosts", "all of 127.0.0.0/8 and ::1 is exempt, not 127.0.0.1 alone"},
	{OpenDKIM, "MaximumSignaturesToVerify", "up to 10 signatures are verified, not 3, those near the author domain first"},
	{OpenDKIM, "On-DNSError", `mail whose keys cannot be had is not deferred, unless policy.on_temperror = "defer"`},
	{OpenDKIM, "On-InternalError", `mail that cannot be examined is accepted, not deferred, unless failure.when_unable = "defer"`},
	{OpenDKIM, "On-Security", "mail with suspicious properties is not deferred"},
	{OpenDMARC, "AuthservID", "the name of this host, not the one that the MTA calls itself"},
	{OpenDMARC, "IgnoreAuthenticatedClients", "mail of users that have logged in is exempt; exempt.authenticated = false examines it"},
	{OpenDMARC, "IgnoreHosts", "all of 127.0.0.0/8 and ::1 is exempt, not 127.0.0.1 alone"},
	{OpenDMARC, "SPFSelfValidate", "assay always checks SPF itself and reads no result of others"},
	{PolicydSPF, "Header_Type", "results are in Authentication-Results; there is no Received-SPF"},
}

// finish decides what depends on several settings.
func (im *importer) finish() {
	im.finishExempt()
	im.finishSockets()
	im.finishTimeouts()
	if len(im.sealers) > 0 {
		slices.Sort(im.sealers)
		from := im.draft.settings["arc.trusted_sealers"].from
		im.draft.set("arc.trusted_sealers", list(slices.Compact(im.sealers)), from...)
	} else {
		delete(im.draft.settings, "arc.trusted_sealers")
	}
	im.authorRules()
	im.dkimRules()
	im.spfRules()
	im.finishPolicy()
}

// finishPolicy sets [policy]. assay refuses what does not name an author, and
// tags what DMARC asks to refuse, as soon as it enforces; here it does only what
// the files ask for.
func (im *importer) finishPolicy() {
	w := im.dmarc
	refuses := slices.ContainsFunc(im.draft.rules, func(r rule) bool {
		return slices.ContainsFunc(r.pairs, func(p [2]string) bool { return p[0] == "action" && p[1] != quote("accept") })
	})
	if w.reject == nil && w.hold == nil && im.deferDNS == nil && !(w.several != nil && w.header != nil) && !refuses {
		return
	}
	const notAsked = "no file asks for this"
	choose := func(key, yes, no string, asks *directive) {
		if asks != nil {
			im.draft.set(key, quote(yes), asks.origin())
		} else {
			im.draft.set(key, quote(no), notAsked)
		}
	}
	im.draft.set("policy.mode", quote("enforce"), "something below refuses, holds or defers mail")
	choose("policy.on_reject", "reject", "accept", w.reject)
	choose("policy.on_quarantine", "hold", "accept", w.hold)
	if w.several == nil || w.header == nil {
		choose("policy.on_invalid_author", "", "accept", nil)
	}
	switch {
	case w.reject != nil:
		im.draft.set("policy.on_temperror", quote("defer"), w.reject.origin())
	case im.deferDNS != nil:
		im.draft.set("policy.on_temperror", quote("defer"), im.deferDNS.origin())
	}
}

// authorRules refuses what From is said to lack. Where both faults were refused,
// policy.on_invalid_author does that, by its default.
func (im *importer) authorRules() {
	w := im.dmarc
	if w.several != nil && w.header != nil {
		return
	}
	add := func(d *directive, name, kinds, reason string) {
		if d != nil {
			im.draft.rules = append(im.draft.rules, rule{
				pairs: [][2]string{{"name", quote(name)}, {"author", kinds}, {"action", quote("reject")}, {"reason", quote("imported: " + reason)}},
				from:  []string{d.origin()},
			})
		}
	}
	add(w.several, "several-authors", quote("multiple-domains"), "From names several domains")
	add(w.header, "no-author", list([]string{"missing", "no-address", "multiple-fields", "unparsable", "invalid-domain"}), "From names no domain")
}
