// Package verify runs every method over one message as it streams in: SPF
// from MAIL on, DKIM and DMARC from the end of the header section on, so that the DNS is
// asked while the body still arrives and little is left to wait for at its end.
//
// A Run is one message: Begin, Headers, Body as often as there is something,
// Finish. Results are values with their evidence; nothing is decided here,
// and nothing is decided anywhere by reading a rendering back.
package verify
