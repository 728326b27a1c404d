// Package peers measures assay beside the filters that people run today, in one
// run and in turns: OpenDKIM, OpenDMARC and pyspf-milter in a row, Rspamd with
// its authentication modules, and a milter that does nothing. All get the same
// messages from the same driver and the same answers from one name server on
// loopback. There is nothing in it but benchmarks, see "make bench-peers" and
// "make soak".
//
// It needs Debian's packages (deps.sh), root, and a Postfix.
package peers
