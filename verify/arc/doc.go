// Package arc validates Authenticated Received Chains: what the stations before
// us say they found when the message reached them, and whether nobody has
// changed their words since.
//
// A mailing list or a forwarder breaks SPF and often DKIM. With ARC it writes
// down what it found (ARC-Authentication-Results, AAR), signs the message as it
// passes it on (ARC-Message-Signature, AMS), and seals both together with the sets
// of the stations before it (ARC-Seal, AS). A chain that passes proves who
// wrote it, not that it is true: anybody can seal anything with a domain of his own.
// It counts only where the operator trusts the sealers by name; see
// [Chain.TrustedFor].
//
// Status: RFC 8617 is an experiment, and on its way to historic (the working
// group's draft-ietf-dmarc-arc-to-historic, 2026). So chains are reported and no
// more, unless trusted sealers are configured; nothing is sealed; and nothing
// but the wiring knows this package.
//
// Implements: RFC 8617 §4 (fields), §5.2 (validation), §7.2 (local override);
// header.oldest-pass and smtp.remote-ip (§10.2); by way of package dkim RFC
// 6376, RFC 8301, RFC 8463 and RFC 8616.
//
// RFC 8617 §5.2.1: every failure is permanent, that of the DNS included; there
// is no temperror.
//
// Departures and choices the RFC leaves open:
//   - a field longer than dkim.MaxFieldBytes fails the chain, and so does an
//     AMS with more than dkim.MaxNames names in h=;
//   - no more than MaxLookups keys are looked up for a message; that is enough
//     for every seal and the newest AMS, and may cut the search for the
//     oldest AMS that passes short;
//   - a key with t=y fails the chain: it gives what an unsigned message gives, and
//     a failed chain is to be treated like none;
//   - x= and t= are judged as in DKIM, in seals too, where x= is not defined;
//   - an AMS whose h= is empty, holds empty names or lacks From is verified as it
//     stands, because such are in use; what it leaves unsigned is told by
//     Chain.Caveat;
//   - §4.1.2 keeps all ARC fields out of an AMS; only one that covers a seal
//     fails, because AMS that cover an AAR are common;
//   - an older AMS with l= counts as broken: each l= would cost another hash of
//     the body;
//   - x, h and v aside, tags that a field does not define are passed over.
package arc
