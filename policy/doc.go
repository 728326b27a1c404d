// Package policy decides what this site does with a message, given what was
// found about it: pure functions without clock, network or log.
//
// Implements: RFC 9989 §5.4, §7.2 and §7.4 (what a receiver may do about a
// DMARC failure), RFC 7372 §3.2 (codes of replies).
//
// Departures: none. RFC 9989 §7.4 forbids to refuse mail on p=reject alone, so
// the defaults tag, and refusing is the operator's explicit choice.
package policy
