// Package dnscache asks the site's name servers what the methods want to know,
// and keeps the answers. A mail server asks the same few thousand questions all
// day; each is put to a name server once per TTL, and a question that many
// messages ask at the same moment is put once. An outage is told apart from
// "there is no such name": only what a name server said counts as evidence.
//
// The name servers are resolvers (Unbound, BIND, those of resolv.conf), best on
// the same machine or network: an answer is as trustworthy as the way to them.
//
// Implements: RFC 1035 §4 (messages), RFC 2181 §8 (TTL), RFC 2308 §2, §5
// (negative answers), RFC 5452 §9 (answers that are ours), RFC 6604 §3 (the
// response code is that of the last name of a chain), RFC 6891 (EDNS), RFC 7766
// §5 (TCP after truncation), RFC 9520 §3 (failures are kept a little).
//
// Departures:
//   - An answer is kept for at least 5 s, also with TTL 0: the look-ups of one
//     message must see one answer, and a flood must not pass through.
//   - Negative answers are kept for at most 1 h, without SOA record for 5 s.
//   - A name that the DNS cannot carry (empty label, label over 63 octets, name
//     over 253) is absent and is not asked for. Any octet is allowed in a label,
//     as RFC 2181 §11 has it; case is folded for ASCII letters only.
//   - An answer of more than 256 records, or 32 KiB of text, is refused as
//     malformed. Of PTR records the first 256 are taken, because the methods
//     use no more than the first ten.
//   - A time-out is not proof: the question is sent once more within the time
//     that a server has.
package dnscache
