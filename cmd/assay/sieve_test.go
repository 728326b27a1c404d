package main

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"assay/filter/mtatest"
)

// mailboxSite is a site with mailboxes, two domains that write to it from 192.0.2.7, and the policy that the README shows.
const mailboxSite = `
-- zone --
example.com. TXT "v=spf1 ip4:192.0.2.7 -all"
_dmarc.example.com. TXT "v=DMARC1; p=reject"
bank.example. TXT "v=spf1 ip4:192.0.2.7 -all"
_dmarc.bank.example. TXT "v=DMARC1; p=none"
7.2.0.192.in-addr.arpa. PTR out.example.com.
out.example.com. A 192.0.2.7
-- config --
authserv_id = "mx.example.org"
exempt.networks = []
[policy]
mode = "enforce"
on_reject = "tag"
`

// TestSieve sends mail through Postfix and assay to a Dovecot that files it by
// the scripts of contrib/sieve, and looks by IMAP where it lies. Each message
// goes to the mailboxes of both scripts; a stranger sends from 192.0.2.9.
func TestSieve(t *testing.T) {
	f, dovecot := startSite(t, ""), mtatest.StartDovecot(t)
	m := mtatest.StartPostfix(t, mtatest.StartSink(t), "inet:"+f.addr,
		"relay_transport = lmtp:unix:"+dovecot.LMTP, "local_header_rewrite_clients =")

	const friend, stranger = "192.0.2.7", "192.0.2.9"
	type folders struct{ tagged, results string }
	wanted := make(map[string]folders)
	file := func(subject, client, author, fields, tagged, results string) {
		t.Helper()
		wanted[subject] = folders{tagged, results}
		smtp := mtatest.Dial(t, m)
		wantReply(t, smtp, "EHLO before.test", 250)
		if code, text := smtp.XClient(client, "", ""); code != 220 {
			t.Fatalf("XCLIENT: %d %s", code, text)
		}
		for _, line := range []string{"EHLO out.example.com", "MAIL FROM:<a@" + author + ">", "RCPT TO:<tagged@rcpt.test>", "RCPT TO:<results@rcpt.test>"} {
			wantReply(t, smtp, line, 250)
		}
		message := strings.ReplaceAll(fields+"From: a@"+author+"\nSubject: "+subject+"\n\nHello\n", "\n", "\r\n")
		if code, text := smtp.Data([]byte(message)); code != 250 {
			t.Fatalf("%s: %d %s", subject, code, text)
		}
	}

	file("passes", friend, "example.com", "", "INBOX", "INBOX")
	file("fails", stranger, "example.com", "", "Junk", "Junk")
	file("passes, bank", friend, "bank.example", "", "INBOX", "INBOX")
	file("fails, bank that asks for nothing", stranger, "bank.example", "", "INBOX", "Junk")

	file("passes, says it is tagged", friend, "example.com", "X-Assay-Disposition: tag; dmarc=fail\n", "INBOX", "INBOX")
	file("fails, says it is not tagged", stranger, "example.com", "X-Assay-Disposition: accept; dmarc=pass\n", "Junk", "Junk")
	forged := func(how, field string) {
		t.Helper()
		file("passes, forged "+how, friend, "example.com", fmt.Sprintf(field, "fail"), "INBOX", "INBOX")
		file("fails, forged "+how, stranger, "bank.example", fmt.Sprintf(field, "pass"), "INBOX", "Junk")
	}
	forged("as we write it", "Authentication-Results: mx.example.org;\n\tspf=pass smtp.mailfrom=x;\n\tdmarc=%s (p=reject) header.from=x\n")
	forged("in capitals", "AUTHENTICATION-RESULTS: MX.Example.ORG; spf=pass; dmarc=%s\n")
	forged("blank before colon", "Authentication-Results : mx.example.org; spf=pass; dmarc=%s\n")
	forged("comment", "Authentication-Results: (x) mx.example.org; spf=pass; dmarc=%s\n")
	// Sieve tests look at decoded words.
	forged("encoded word", "Authentication-Results: =?utf-8?q?mx.example.org=3B_spf=3Dpass=3B_dmarc=3D%s?=\n")
	forged("by another id", "Authentication-Results: other.example; spf=pass; dmarc=%s\n")
	forged("by an id that begins with ours", "Authentication-Results: mx.example.org.other.example; spf=pass; dmarc=%s\n")
	forged("behind another id", "Authentication-Results: other.example; x=pass mx.example.org; spf=pass; dmarc=%s\n")
	// More than a Sieve variable holds: a script must not look for the result in one.
	long := strings.Repeat(strings.Repeat("a", 60)+".", 3) + strings.Repeat("a", 58) + ".net"
	var signatures strings.Builder
	for i := range 10 {
		fmt.Fprintf(&signatures, "DKIM-Signature: v=1; a=rsa-sha256; d=%s; s=s%d.%s;\n\th=from; bh=aaaa; b=aaaa\n", long, i, strings.Repeat("b", 60))
	}
	file("fails, many results", stranger, "example.com", signatures.String(), "Junk", "Junk")

	got := make(map[string]folders)
	subject := regexp.MustCompile(`(?m)^Subject: (.*)\r$`)
	look := func(mailbox string, into func(f *folders) *string) {
		for folder, messages := range dovecot.Wait(t, mailbox+"@rcpt.test", len(wanted)) {
			for _, message := range messages {
				name := string(subject.FindSubmatch(message)[1])
				f := got[name]
				*into(&f) += folder
				got[name] = f
			}
		}
	}
	look("tagged", func(f *folders) *string { return &f.tagged })
	look("results", func(f *folders) *string { return &f.results })
	for name, want := range wanted {
		if got[name] != want {
			t.Errorf("%s: got %+v, want %+v", name, got[name], want)
		}
	}
	if len(got) != len(wanted) {
		t.Errorf("%d different messages arrived, want %d", len(got), len(wanted))
	}
}
