// Package miltertest is a mail server for tests: the MTA's side of the milter
// protocol, without a mail server behind it. A test, a load driver or "assay
// doctor" dials a filter and plays Postfix, Sendmail, an old MTA, or nobody in
// particular.
//
// Three depths of use:
//   - Deliver hands over a whole message and returns what the MTA would do and
//     what it would deliver, the filter's edits applied the way that MTA does;
//   - Connect, Helo, Mail … EOM, Abort and Quit send one command each, in any
//     order, and wait for an answer exactly when one is due;
//   - Send, SendRaw and Read move bytes that no decent MTA would send.
//
// Below the first two the filter is held to the protocol: whatever it may not
// do is returned as a *Violation, even where a real MTA would let it pass.
//
// Implements: the milter protocol, versions 2 to 6, as Sendmail 8.17 and
// Postfix 3.7 speak it; RFC 5321 §4.2 for the replies and RFC 5322 §2.2 for
// the fields that a filter may send.
//
// Departures:
//   - An unexpected answer cannot be told from the next expected one, so it
//     may be reported a command later; Quit finds every one that is left.
//   - Bits that were not offered are a violation with every profile; Postfix
//     ignores them and Sendmail refuses all mail.
//   - The answer to a rejected recipient is checked and then ignored.
//   - 'f' (connection failure) and '4' (shut down) count as unknown replies: no
//     filter of ours has a use for them.
//   - Message files are not changed on their way in: no Date or Message-Id is
//     added and no stray CR or LF is replaced.
package miltertest
