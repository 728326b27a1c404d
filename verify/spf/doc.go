// Package spf asks whether the domain of the envelope sender, or the HELO
// name, lets this client send mail in its name (Sender Policy Framework).
//
// A TXT record "v=spf1 …" of the domain lists its senders. The evaluation is
// done by blitiri.com.ar/go/spf, which walks the terms, nests includes, counts
// look-ups and compares addresses. What it must never see, and what it must
// not decide, is kept from it by this package, in three steps:
//
//   - every record is checked whole, syntax and size, before a term of it is
//     evaluated;
//   - the library receives a rewritten record in which each domain-spec is a
//     reference ("exists:#7"), so that no text of a stranger reaches it, and
//     it comes back with the reference when it wants an answer;
//   - macros, the choice between A and AAAA, and reverse names are therefore
//     settled here, at the moment the term is reached.
//
// Implements: RFC 7208 §2.3, §2.4 (identities), §4 (check_host), §5
// (mechanisms), §6 (modifiers), §7 (macros), §12 (grammar); RFC 8616 §4
// (internationalized mail); RFC 5321 §4.1.2 and RFC 6531 §3.3 (mailboxes);
// RFC 8601 §2.7.2 (results).
//
// Departures:
//   - Explanations (exp=, RFC 7208 §6.2) are checked for syntax and never
//     looked up: the text is the stranger's, and nobody is shown it.
//   - A reverse-path that is not a mailbox by RFC 5321 gives none and no DNS
//     query, instead of a guess at its domain.
//   - Records over MaxRecordBytes or MaxTerms give permerror; RFC 7208 sets no
//     such limit.
//   - A term whose expanded name the DNS cannot carry does not match and asks
//     nothing, which RFC 7208 §4.8 leaves open; in include and redirect such a
//     name is a domain without record, thus permerror. Names with a backslash
//     or outside printable ASCII count among them. The term still counts
//     towards the ten of §4.6.4.
//   - A void PTR look-up that only %{p} caused does not count as void, nor
//     do void address look-ups of mail exchangers and reverse names.
package spf
