// Package filter is the milter: it takes each message from the MTA stage by
// stage, has it verified and judged, and answers with edits and a reply.
//
// A Server owns its listeners and connections. Each connection is a session
// with its own go-milter server behind it, which negotiates, keeps the macros and
// hands on commands; conn stands in between and does what the library does not, or
// not as fast: buffered reads and writes, deadlines, a check of every frame, a
// negotiation that asks for nothing that was not offered, header and body without a
// copy, and the answers. Each message of a session is a transaction.
//
// Whatever goes wrong inside, the MTA gets an answer: a panic fails its message
// as configured and nothing else, and is never a permanent refusal.
//
// Implements: the milter protocol, versions 2 to 6; RFC 8601 §4 and §5
// (position and removal of Authentication-Results).
package filter
