// Package mtatest runs a real Postfix and a real Sendmail for tests, so that what the filter does is seen on the wire
// between an SMTP client and the server that gets the mail, and not only in front of a double of ours.
//
//	Client ──SMTP──► Postfix or Sendmail ──SMTP──► Sink
//	                        │
//	                      milter: the filter under test
//
// Each MTA is one of its own: its configuration, queue and log are in a folder made for it, it listens on a loopback port,
// and it ends with the test. A mail server that the machine may run besides is not touched. The lines that connect it to the
// milter are read from contrib/postfix/main.cf and contrib/sendmail/assay.mc, only the address is replaced, so that what
// operators are told to write is what is tested. Mail for rcpt.test goes to the sink, and none leaves the machine. No DNS
// server is asked.
//
//	sink := mtatest.StartSink(t)
//	m := mtatest.StartPostfix(t, sink, "inet:127.0.0.1:8891")
//	c := mtatest.Dial(t, m)
//	c.XClient("192.0.2.1", "mail.sender.test", "")
//	c.Cmd("EHLO mail.sender.test")
//	c.Cmd("MAIL FROM:<you@sender.test>")
//	c.Cmd("RCPT TO:<me@rcpt.test>")
//	c.Data([]byte("From: you@sender.test\r\n\r\nHello\r\n"))
//	delivered := sink.Wait(t, 1)
//
// Postfix takes about a second to start and one to stop, Sendmail a tenth of that; start them once and share them among
// sub-tests. On Postfix a test plays any client with XCLIENT, on Sendmail clients from 127.0.0.0/8 with DialFrom.
//
// Behind Postfix the sink may be a Dovecot (see [Dovecot]), which files mail by the scripts of contrib/sieve.
//
// It takes Linux and root, an installed Postfix and Dovecot, and a Sendmail whose Debian packages are unpacked in
// .cache/sendmail of the repository or in ASSAY_SENDMAIL_ROOT; "make deps" sees to all of them. Where one is missing the test
// is skipped and says so on stderr; with ASSAY_REQUIRE_MTA=1 it fails.
package mtatest
