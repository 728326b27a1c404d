package main

import (
	"fmt"
	"slices"
	"strconv"
	"time"

	"assay/config"
	"assay/filter"
)

// use is how one service of Postfix uses the milter.
type use struct {
	*doctor
	service  *smtpd
	entry    milterEntry
	findings []finding
}

func (u *use) say(f finding) { u.findings = append(u.findings, f) }

// judge says what is wrong, or that nothing is.
func (u *use) judge() []finding {
	u.action()
	u.protocol()
	u.times()
	u.submission()
	u.socket()
	if maps := u.postfix.value(u.service, "smtpd_milter_maps"); maps != "" {
		u.say(found(warned, "smtpd_milter_maps = %s gives some clients other milters, which are not looked at", maps))
	}
	if len(u.findings) == 0 {
		u.say(found(good, "mail goes to %s; default action %s, timeouts %s, %s and %s", u.entry.address,
			u.value("default_action"), u.value("connect_timeout"), u.value("command_timeout"), u.value("content_timeout")))
	}
	return u.findings
}

// value is what a parameter is, named without "milter_".
func (u *use) value(name string) string {
	if own, ok := u.entry.own[name]; ok {
		return own
	}
	return u.postfix.value(u.service, "milter_"+name)
}

// wants says what a parameter should be: what is, why that is not right, and
// how to put it right.
func (u *use) wants(s state, name, value, why string) {
	parameter := "milter_" + name
	f := found(s, "%s = %s: %s", parameter, u.value(name), why)
	if _, own := u.entry.own[name]; own {
		u.say(f.next("write %s=%s into the braces of %s in smtpd_milters", name, value, u.entry.address))
		return
	}
	u.say(f.next("%s", u.setting(u.service, parameter, value)))
}

// action is what Postfix does without us.
func (u *use) action() {
	switch u.value("default_action") {
	case "tempfail", "shutdown":
	case "accept":
		u.wants(failing, "default_action", "tempfail", "while assay is away mail comes in unexamined, forged results and all")
	case "quarantine":
		u.wants(warned, "default_action", "tempfail", "while assay is away all mail is put on hold, until somebody releases it")
	default:
		u.wants(failing, "default_action", "tempfail", "while assay is away mail is refused for good")
	}
}

func (u *use) protocol() {
	n, err := strconv.Atoi(u.value("protocol"))
	switch {
	case err != nil || n < 2:
		u.wants(failing, "protocol", "6", "assay speaks versions 2 to 6")
	case n < 6:
		u.wants(warned, "protocol", "6", "assay does not see the blanks before header values, and some DKIM signatures fail")
	}
}

// shortWait is the least that Postfix should wait for an answer that comes at once:
// a host may be busy.
const shortWait = 5 * time.Second

// times are what Postfix waits for an answer: to the connection, to a command,
// and to a part of the message or its end.
func (u *use) times() {
	const busy = "a busy host may take longer"
	u.longer("connect_timeout", warned, shortWait, busy)
	if u.config.SPF.Early {
		u.longer("command_timeout", failing, filter.MaxMailWait, fmt.Sprintf("with policy.spf.early the answer to MAIL may take %v", filter.MaxMailWait))
	} else {
		u.longer("command_timeout", warned, shortWait, busy)
	}
	budget := u.config.DNS.MessageBudget
	u.longer("content_timeout", failing, budget, fmt.Sprintf("the end of a message may take dns.message_budget, which is %v", budget))
}

// longer wants a time-out that is longer than a limit. Twice as long is good
// advice, and never less than what Postfix has by default.
func (u *use) longer(name string, s state, limit time.Duration, why string) {
	if d, ok := parseMTATime(u.value(name)); !ok || d <= limit {
		u.wants(s, name, fmt.Sprintf("%.0fs", max(2*limit, 30*time.Second).Seconds()), why)
	}
}

// submission: what users send is not for us, see exempt.authenticated.
func (u *use) submission() {
	name, _ := cutLast(u.service.name)
	login := u.postfix.value(u.service, "smtpd_sasl_auth_enable") == "yes"
	known := slices.Contains([]string{"submission", "submissions", "smtps", "587", "465"}, name)
	if u.config.Exempt.Authenticated || !login && !known {
		return
	}
	f := found(warned, "users may log in here, and exempt.authenticated = false: their mail is examined as that of strangers")
	if u.service.public() {
		u.say(f.next("set exempt.authenticated = true"))
		return
	}
	u.say(f.next("set exempt.authenticated = true, or take the milter out: \"-o smtpd_milters=\" below %s in master.cf", name))
}

// socket: smtpd connects as another user than the one that runs us.
func (u *use) socket() {
	owner := u.postfix.main["mail_owner"]
	a, _ := postfixAddress(u.entry.address, u.postfix.main["queue_directory"], u.service.chrooted)
	if a.Network != "unix" || u.reached == (config.Address{}) {
		return
	}
	if obstacle := barred(a.Addr, owner); obstacle != "" {
		u.say(found(failing, "its user %s may not pass %s on the way to %s", owner, obstacle, u.entry.address).
			next("chmod o+x the folders and o+rw the socket, or put %s into the group that owns them", owner))
	}
}
