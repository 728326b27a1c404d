// Package authres writes the Authentication-Results field, reads it where a
// stranger may have written it, and tells which received fields must go because
// they claim to be ours. It is also the one sanitizer for foreign text that
// ends in a header field.
//
// The field is how this filter tells the mail store and the mail programs
// behind it what it found. They believe it for the name in front, the
// authserv-id; so a field that came from outside under our name is a forgery,
// and a text of the sender's that breaks out of its place in our own field
// would be one too.
//
// Implements:
//   - RFC 8601 §2.2: the grammar, both ways, with comments, folding and
//     quoted-strings wherever RFC 5322 §3.2 permits them
//   - RFC 8601 §2.3, §2.5: version and authserv-id; §5: which fields to remove
//   - RFC 6532 §3.2: UTF-8 in what is read
//
// Departures in writing, all of them sanitizing. Readers exist that know
// neither comments nor quoted-strings and simply cut at ";" and at blanks;
// nothing that a stranger supplied may mean more to them than to us:
//   - only ASCII is written; an authserv-id with U-labels is written in A-labels
//   - see [Comment] for comments and reasons, and [Prop] for the values that
//     are left out rather than altered
//   - a result that is not made of keywords is left out, and so is one that
//     would make the field longer than [MaxFieldBytes]
//
// Departures in reading:
//   - the obsolete forms of RFC 5322 §4 are refused: control characters in
//     comments and quoted-strings, CFWS around the dots of a local-part; only a
//     fold that holds nothing but blanks is accepted
//   - a line may end in LF alone, as it does between an MTA and its filter
//   - a method of another version than 1 is skipped, because nobody can say
//     what its result means
//
// In [ID.Claimed] doubt counts as a claim: a field whose authserv-id cannot be
// read with certainty is reported as ours and so removed. That costs a foreign
// field that breaks the grammar, such as those that begin with "spf=pass"
// instead of a name.
package authres
