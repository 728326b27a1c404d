// Package config reads the one file an operator writes, assay.toml.
//
// Every setting has a default, so an empty file is a working configuration.
// A mistake is never guessed away: an unknown key, a number without a unit or
// a value out of range is a [Problem] with its line, column and a hint, and all
// problems of a file, of the lists that it names and of the policy that it is to
// try are reported at once. A file with a problem gives no
// configuration at all.
//
// The structs in config.go are the only description of the file. Their tags
// name each setting, its limits and the sentence that explains it; reading
// ([Parse]), printing ([Config.Show]) and the reference file ([Describe]) all
// walk over them. The tags are:
//
//	key    the name in the file
//	says   one sentence for the operator
//	range  lowest and highest value, "low..high"
//	oneof  the words allowed, "a|b|c"
//	is     properties, separated by commas:
//	       required  may not be empty, nor missing from a [[table]]
//	       unique    a list that states nothing twice
//	       lone      a list of one may be written without brackets
//	       shown     not commented out in the reference file
//
// Implements: TOML 1.0 as read by go-toml, which also takes the inline tables
// of TOML 1.1 over several lines; RFC 8601 §2.2, §2.5 (authserv-id).
//
// Departures: an authserv-id that needs quotes is refused (RFC 8601 §2.2
// permits it), because other readers of the field fail on it; one with
// U-labels is kept as A-labels, so that it can be written in any message.
// Dates without an offset are UTC, so that every host of a site ends an
// exception at the same moment.
package config
