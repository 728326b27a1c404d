// Package dkim verifies DKIM signatures in one pass over the message: which
// domains vouch for it, and whether what they signed is what arrived.
//
// Header fields are parsed once, the keys are looked up while the body still
// arrives, and the body is canonicalized and hashed as it streams by; nothing of it
// is kept. The pieces are shared with ARC, whose message signatures are DKIM's.
//
// Implements: RFC 6376 (verification), RFC 8301 (no SHA-1, key sizes), RFC 8463
// (Ed25519), RFC 8616 §5 (internationalized names), RFC 6008 (header.b), RFC
// 6376 erratum 3017 (both forms of RSA keys).
//
// Departures and choices the RFCs leave open:
//   - no more than MaxSignatures are evaluated, the ones near the author domain
//     first; the rest is neutral;
//   - a body longer than l= gives policy, not pass: what was appended is
//     unsigned;
//   - a second Subject, Date, To, … that the signature does not cover gives
//     policy;
//   - a key with t=y gives neutral, whether the signature verifies or not would
//     verify;
//   - x= and t= are judged with five minutes of tolerance;
//   - a bare LF or CR in the body is an ordinary octet;
//   - a signature field is at most MaxFieldBytes long and names at most
//     MaxNames fields.
package dkim
