package main

import (
	"context"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"assay/config"
	"assay/filter/miltertest"
	"assay/verify/authres"
)

// What the test message is made of. Its client is a documentation address
// (RFC 5737) and its domain cannot exist (RFC 6761), so that nobody else is
// concerned, and that nothing is known for it or against it.
const (
	probeID     = "assay-doctor"
	probeDomain = "assay-doctor.invalid"
	probeOther  = "other.invalid" // whose results are not ours
	probeTag    = "accept; forged by " + probeID
)

var probeClient = netip.MustParseAddrPort("192.0.2.1:25")

// checkResults hands one message with forged fields to the milter and looks at what
// comes out. It is delivered to nobody.
func (d *doctor) checkResults(ctx context.Context) []finding {
	if d.reached == (config.Address{}) {
		return list(found(skipped, "no milter has answered"))
	}
	// A milter that waits for DNS is not to be given up before an MTA would.
	conn, err := connectMilter(ctx, d.reached, d.config.DNS.MessageBudget+doctorPatience)
	if err != nil {
		return list(unreached(d.reached, err))
	}
	out, err := conn.Deliver(forgery(string(d.config.AuthservID)))
	if err != nil {
		conn.Close()
		return list(found(failing, "the test message was not answered: %v", err).next("look into the log of assay for qid=%s", probeID))
	}
	if err := conn.Quit(); err != nil {
		return list(found(failing, "the connection did not end well after the test message: %v", err).next("look into the log of assay for qid=%s", probeID))
	}
	return list(judgeForgery(d.config.AuthservID, out))
}

// forgery is a message of a stranger that claims to have been examined by us
// already.
func forgery(id string) miltertest.Message {
	return miltertest.Message{
		Client: probeClient, Helo: probeDomain, Rcpts: []string{probeID + "@" + probeDomain},
		Macros: map[string]string{"i": probeID},
		Raw: fmt.Appendf(nil, strings.ReplaceAll(`Authentication-Results: %[1]s; dmarc=pass header.from=%[2]s
Authentication-Results: %[3]s; dmarc=pass header.from=%[2]s
X-Assay-Disposition: %[4]s
authentication-results: %[1]s; spf=pass smtp.mailfrom=%[2]s
From: <%[5]s@%[2]s>
Subject: assay doctor tests this installation

This message is delivered to nobody.
`, "\n", "\r\n"), id, probeDomain, probeOther, probeTag, probeID),
	}
}

// judgeForgery says whether the fields of a message that came through are as they
// have to be.
func judgeForgery(configured config.AuthservID, out miltertest.Outcome) finding {
	id := authres.NewID(string(configured))
	switch out.Action {
	case miltertest.Accept, miltertest.Quarantine:
	default:
		return found(warned, "the test message is answered with %q, so that it does not show what is written", out.SMTP).
			next("the line of the log with qid=%s says why", probeID)
	}
	top, err := authres.Field{}, error(nil)
	if out.Header[0].Name == "Authentication-Results" {
		top, err = authres.Parse(out.Header[0].Value)
	}
	switch {
	case err != nil:
		return found(failing, "the topmost Authentication-Results field cannot be read: %v", err)
	case top.AuthservID == "":
		return found(failing, "the test message came through without results of its own").next("the line of the log with qid=%s says why", probeID)
	case authres.NewID(top.AuthservID) != id:
		return found(failing, "the milter states its results under %s, and the configuration says %s", top.AuthservID, configured).
			next("make it read the configuration again (systemctl reload assay), or name the file that it runs with: assay doctor -c FILE")
	}
	var ours, others int
	for _, value := range out.Fields("Authentication-Results") {
		if id.Claimed(value) {
			ours++
		} else {
			others++
		}
	}
	const restart = "the running milter is not this version of assay: systemctl restart assay"
	switch {
	case ours != 1:
		return found(failing, "%d fields claim to be results of %s: forged ones come through", ours, configured).next(restart)
	case strings.Contains(strings.Join(out.Fields("X-Assay-Disposition"), "\n"), probeTag):
		return found(failing, "a forged X-Assay-Disposition field comes through").next(restart)
	case others != 1:
		return found(failing, "results that others have stated are removed").next(restart)
	}
	return found(good, "forged fields are removed, one field of %s stands on top; took %v", configured, out.Waited.Round(10*time.Microsecond))
}
