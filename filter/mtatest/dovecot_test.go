package mtatest

import (
	"bytes"
	"testing"
)

// TestDovecot delivers a message for each folder, without a milter, and finds them there.
func TestDovecot(t *testing.T) {
	dovecot := StartDovecot(t)
	m := StartPostfix(t, StartSink(t), "", "relay_transport = lmtp:unix:"+dovecot.LMTP)
	c := Dial(t, m)
	wantReply(t, c, "EHLO client.test", 250)
	send := func(mailbox, message string) {
		t.Helper()
		wantReply(t, c, "MAIL FROM:<you@sender.test>", 250)
		wantReply(t, c, "RCPT TO:<"+mailbox+"@rcpt.test>", 250)
		wantData(t, c, message, 250)
	}
	send("nobody", "X-Assay-Disposition: tag; dmarc=fail\r\n\r\nOne\r\n")
	send("tagged", "X-Assay-Disposition: tag; dmarc=fail\r\n\r\nTwo\r\n")
	send("tagged", "X-Assay-Disposition: hold; dmarc=fail\r\n\r\nThree\r\n")
	test := func(mailbox string, total int, folder, want string) {
		t.Helper()
		got := dovecot.Wait(t, mailbox+"@rcpt.test", total)
		if len(got[folder]) != 1 || !bytes.HasSuffix(got[folder][0], []byte("\r\n\r\n"+want+"\r\n")) {
			t.Errorf("%s of %s: got %q, want one message that says %s", folder, mailbox, got[folder], want)
		}
	}
	test("nobody", 1, "INBOX", "One")
	test("tagged", 2, "Junk", "Two")
	test("tagged", 2, "INBOX", "Three")
}
