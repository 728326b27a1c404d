package main

import (
	"context"
	"fmt"
)

// macrosRead are the macros that we read: the queue id, the user that has logged
// in, and that the client speaks TLS.
const macrosRead = "i, {auth_authen} and {tls_version}"

// checkMacros says which macros arrive. We ask for those that we read, and since
// Postfix 2.6 and Sendmail 8.14 that counts more than the lists of the MTA,
// whatever its protocol version.
func (d *doctor) checkMacros(context.Context) []finding {
	if d.postfix == nil {
		return list(found(skipped, "no Postfix was looked at; Sendmail from 8.14 on sends what assay asks for, %s", macrosRead))
	}
	var major, minor int
	version := d.postfix.main["mail_version"]
	if _, err := fmt.Sscanf(version, "%d.%d", &major, &minor); err != nil || major < 2 || major == 2 && minor < 6 {
		return list(found(warned, "Postfix %s does not ask which macros are wanted", version).
			next("have %s in milter_mail_macros and milter_helo_macros, or install Postfix 2.6 or later", macrosRead))
	}
	return list(found(good, "Postfix %s sends what assay asks for, %s; milter_*_macros do not matter", version, macrosRead))
}
