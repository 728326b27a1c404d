// Package policy decides what this site does with a message, given what was
// found about it: pure functions without clock, network or log.
//
// A message goes through a chain of steps until one decides: exempt, invalid
// author, exceptions, rules, DMARC, SPF, accept. The verdict names the step and the
// rule. Exceptions and rules may look at recipients; a message gets one
// answer, so the mildest of those that its recipients' rules give.
//
// Policies can be tried out: on a share of the author domains, or on none. Who
// is in a share is told by a keyed hash of the author domain, so that a sender is
// either in or out, and stays in as the share grows.
//
// Implements: RFC 9989 §5.4, §7.2 and §7.4 (what a receiver may do about a
// DMARC failure), §11.5 (invalid authors); RFC 8617 §7.2 (trusted sealers); RFC
// 7372 §3 (codes of replies); RFC 9990 §3.1 (words for what was done).
//
// Departures: none. RFC 9989 §7.4 forbids to refuse mail on p=reject alone, so
// the defaults tag, Careful asks what speaks for indirect mail before it
// refuses, and plain refusing is the operator's explicit choice.
package policy
