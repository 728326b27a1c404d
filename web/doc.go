// Package web tells how the service is: numbers for Prometheus, health for
// whoever restarts or balances it, and a status with warnings for people. It
// is read-only but for one thing: details may be logged for a while.
//
// A Monitor is the filter's Recorder; what else it tells it reads when it is
// asked. Mail never waits for it: Record counts in memory, and those who ask are
// few, are answered within bounds, and wait for nothing that mail needs.
//
// Whoever reaches the address may read it all: which domains failed, and how
// busy this host is. There is no password; the address is for loopback, a unix
// socket, or a network of the operator's own.
//
// Names of metrics and their labels are stable, and none is chosen by a sender:
// docs/metrics.md lists them all.
package web
