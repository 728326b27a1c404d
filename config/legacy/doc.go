// Package legacy reads the configuration of the filters that assay takes the
// place of, OpenDKIM, OpenDMARC and policyd-spf (or pyspf-milter), and says in
// assay's words what can be said in them. Of everything else it says what
// changes, or why there is no counterpart.
//
// Three rules decide where the two do not agree. No kind of mail is refused that
// was not refused before; what was told explicitly is carried over, a default is
// not, except that policyd-spf refuses without being told; and nothing is left
// out without a [Note].
//
// Each known setting stands in the table of its format (opendkim.go,
// opendmarc.go, policydspf.go) with a sentence or with the function that
// carries it over.
//
// Implements: the files as their own manuals describe them, of OpenDKIM 2.11,
// OpenDMARC 1.4 and spf-engine 3.0.
//
// Departures: data sets in data bases, LDAP, Lua or memcached are named, not
// read.
package legacy
