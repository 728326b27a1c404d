// Package dmarc finds out what the owner of the domain in the From field asks
// receivers to do with mail that is not provably theirs, and whether the
// message at hand is: it fetches the owner's record from the DNS, decides which
// names belong to one organization, and compares the author's domain with the
// domains that SPF and DKIM have proven. What is then done with the message is
// the site's own decision and lives elsewhere.
//
// Implements:
//   - RFC 9989 §4.5, §4.7, §4.8: location and grammar of the record
//   - RFC 9989 §4.10, §4.10.1, §4.10.2: tree walk, policy discovery,
//     organizational domain
//   - RFC 9989 §3.2.10, §4.4: alignment
//   - RFC 9989 §3.2.13, RFC 8020: non-existent author domains (np)
//   - RFC 9989 §5.3, §5.3.6: the receiver's procedure and its errors
//   - RFC 9989 §9.1, §9.2 with RFC 8601 §2.7: the Authentication-Results entry
//
// Departures, and choices where the RFC leaves one:
//   - A name of a single label is never the organizational domain of the names
//     below it: its record is read as if it said psd=y (MinOrgLabels). RFC 9989
//     §11.8 describes the danger; without this, one forgotten tag at a
//     top-level domain lets every name below it speak for every other.
//   - Tag names and enumerated values are matched without regard to case, as
//     the ABNF has it; only DMARC1 is exact.
//   - A known tag that occurs twice is an invalid tag: no occurrence counts.
//   - White space before the v tag is outside the grammar: such a text is not a
//     DMARC record. Evaluation.Steps shows it.
//   - A record without a usable policy and without a valid rua (§4.10.1) gives
//     permerror: the owner made an effort that failed, and none would hide it.
//   - An aligned pass wins over every error, even one that hides the record when
//     the authenticated name is the author domain itself, which is aligned in
//     either mode. Short of one, what an outage hides is neither pass nor fail:
//     the result is temperror.
//   - The author domain is walked even when its own record was found, unless
//     both modes are strict, because the answers arrive while the body does.
//   - An author domain that is an alias (CNAME) of a name that does not exist
//     counts as non-existent, because NXDOMAIN is what the DNS answers.
//   - Identifiers outside the author's organizational domain cannot align and
//     are not walked: an organizational domain is the name itself or above it.
package dmarc
