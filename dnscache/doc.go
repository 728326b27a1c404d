// Package dnscache asks the site's name servers what the methods want to know,
// and keeps the answers. A mail server asks the same few thousand questions all
// day; each is put to a name server once per TTL, before it is needed again where
// it is in use, and a question that many messages ask at the same moment is put
// once. An outage is told apart from "there is no such name": only what a name
// server said counts as evidence. When the servers of a sender fail for a while,
// what they said before still counts, marked as stale.
//
// The name servers are resolvers (Unbound, BIND, those of resolv.conf), best on
// the same machine or network: an answer is as trustworthy as the way to them.
// The one that answers best is asked first, the next one as soon as it is late.
//
// Implements: RFC 1035 §4 (messages), RFC 2181 §8 (TTL), RFC 2308 §2, §5
// (negative answers), RFC 5452 §9 (answers that are ours), RFC 6604 §3 (the
// response code is that of the last name of a chain), RFC 6840 §5.7, §5.8 (AD),
// RFC 6891 (EDNS), RFC 7766 §5, §6.2 (TCP), RFC 7858 §3 (TLS, the certificate
// checked), RFC 7873 §5 (cookies, the client's side), RFC 8020 §2 (nothing below
// a name that does not exist), RFC 8767 §4, §5 (stale answers), RFC 9520 §3
// (failures are kept a little).
//
// Departures:
//   - An answer is kept for at least 5 s, also with TTL 0: the look-ups of one
//     message must see one answer, and a flood must not pass through.
//   - Negative answers are kept for at most 1 h, without SOA record as if their
//     TTL were 0.
//   - RFC 8020 is applied where the SOA record is that of a zone above the name,
//     and the name itself was denied, not the end of its chain of CNAMEs. An
//     answer that is kept for a name below is still used.
//   - RFC 8767 is applied to negative answers too: of a domain without DMARC
//     record, a short outage must not make another.
//   - A name that the DNS cannot carry (empty label, label over 63 octets, name
//     over 253) is absent and is not asked for. Any octet is allowed in a label,
//     as RFC 2181 §11 has it; case is folded for ASCII letters only.
//   - An answer of more than 256 records, or 32 KiB of text, is refused as
//     malformed. Of PTR records the first 256 are taken, because the methods
//     use no more than the first ten.
//   - A time-out is not proof: the question is sent again, to another server
//     where there is one. A server that refuses connections is tried three times,
//     for it may be restarting.
//   - Names are sent in random case where the site wants so. A server that does
//     not repeat it is asked over TCP, and not sent it again if it does not
//     there either.
package dnscache
