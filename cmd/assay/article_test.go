package main

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"

	"assay/filter/mtatest"
)

// article is the site of the conversations that follow: yourcompany.com with
// its mail server, and the host of a mailing list that is allowed to send in the list's
// name, not in theirs.
const article = `
-- session --
connect 192.0.2.7 mail.yourcompany.com
-- zone --
yourcompany.com. TXT "v=spf1 a:mail.yourcompany.com -all"
mail.yourcompany.com. A 192.0.2.7
7.2.0.192.in-addr.arpa. PTR mail.yourcompany.com.
_dmarc.yourcompany.com. TXT "v=DMARC1; p=reject"
one._domainkey.yourcompany.com. TXT "v=DKIM1; {{rsa}}"
lists.example.org. TXT "v=spf1 ip4:192.0.2.8 -all"
`

// mailFromLists is the message of the list's host.
const mailFromLists = `
-- session --
connect 192.0.2.8 lists.example.org
-- message --
From: You <you@yourcompany.com>
To: Tom <tom@rcpt.test>
Subject: Lunch on Friday

Shall we meet at noon?
`

func parseArticle(t *testing.T, text string) *testCase {
	t.Helper()
	c, err := parseCase("article", txtar.Parse([]byte(text)))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestArticle is the conversation that every introduction to SMTP shows, to the
// letter: HELO instead of EHLO, blanks after the colons, no angle brackets, three
// recipients, a SUBJECT that shouts, no Date; and then one more on the same connection.
func TestArticle(t *testing.T) {
	eachMTA(t, func(t *testing.T, s *stage) {
		c := parseArticle(t, article)
		s.use(c.settings(t, s.place, c.zone(t, s.place).Serve(t)))
		client := s.dial(t, c)
		wantReply(t, client, "HELO mail.yourcompany.com", 250)
		for i := range 2 {
			text := fmt.Sprintf("SUBJECT: Lunch on Friday %d\r\nFROM: you@yourcompany.com\r\n"+
				"TO: tom@rcpt.test, alice@rcpt.test, mike@rcpt.test\r\n\r\nShall we meet at noon?\r\n\r\nYou\r\n", i+1)
			wantReply(t, client, "MAIL FROM: you@yourcompany.com", 250)
			for _, rcpt := range []string{"tom", "alice", "mike"} {
				wantReply(t, client, "RCPT TO: "+rcpt+"@rcpt.test", 250)
			}
			if code, reply := client.Data([]byte(text)); code != 250 {
				t.Fatalf("DATA: %d %s", code, reply)
			}
			c.message = []byte(text)
			s.wantArticle(t, c, s.sink.Wait(t, 1)[0])
		}
		wantReply(t, client, "QUIT", 221)
		if lines := strings.Count(s.log.String(), "msg=message"); lines != 2 {
			t.Errorf("%d messages logged, want 2:\n%s", lines, s.log)
		}
	})
}

func (s *stage) wantArticle(t *testing.T, c *testCase, got mtatest.Delivery) {
	t.Helper()
	slices.Sort(got.Rcpts)
	if got.From != "you@yourcompany.com" || fmt.Sprint(got.Rcpts) != "[alice@rcpt.test mike@rcpt.test tom@rcpt.test]" {
		t.Errorf("envelope: got %q to %q", got.From, got.Rcpts)
	}
	d := parseDelivered(got.Data)
	d.intact(t, c, s.rewrites...)
	var o outcome
	o.read(d, c.message)
	wantResults(t, o.field, s.place, "spf=pass (matched a) smtp.mailfrom=yourcompany.com", "dkim=none",
		"dmarc=pass (p=reject) header.from=yourcompany.com policy.dmarc=reject",
		"iprev=pass (mail.yourcompany.com) policy.iprev=192.0.2.7")
}

// TestArticleMailingList is the same site's trouble with lists: the envelope
// sender is the list's and passes SPF, the author is not the list.
func TestArticleMailingList(t *testing.T) {
	eachMTA(t, func(t *testing.T, s *stage) {
		check := func(sign string, wanted ...string) {
			t.Helper()
			site := parseArticle(t, article)
			c := parseArticle(t, mailFromLists+"-- zone --\n"+site.section("zone")+"-- sign --\n"+sign)
			s.use(c.settings(t, s.place, c.zone(t, s.place).Serve(t)))
			client := s.dial(t, c)
			wantReply(t, client, "HELO lists.example.org", 250)
			wantReply(t, client, "MAIL FROM: mailman-bounces@lists.example.org", 250)
			wantReply(t, client, "RCPT TO: tom@rcpt.test", 250)
			if code, reply := client.Data(c.message); code != 250 {
				t.Fatalf("DATA: %d %s", code, reply)
			}
			d := parseDelivered(s.sink.Wait(t, 1)[0].Data)
			d.intact(t, c, s.rewrites...)
			var o outcome
			o.read(d, c.message)
			wantResults(t, o.field, s.place, wanted...)
		}
		check("", "spf=pass (matched ip4) smtp.mailfrom=lists.example.org", "dkim=none",
			"dmarc=fail (p=reject dis=none) header.from=yourcompany.com policy.dmarc=reject")
		check("d=yourcompany.com", "spf=pass (matched ip4) smtp.mailfrom=lists.example.org",
			"dkim=pass (2048-bit key) header.d=yourcompany.com header.s=one header.a=rsa-sha256 header.b=*",
			"dmarc=pass (p=reject) header.from=yourcompany.com policy.dmarc=reject")
	})
}

// wantResults wants each of the results to be a line of the field.
func wantResults(t *testing.T, field string, at place, wanted ...string) {
	t.Helper()
	lines := strings.Split(strings.TrimSuffix(field, "\n"), "\n")
	for i, line := range lines {
		lines[i] = strings.TrimSuffix(line, ";")
	}
	if lines[0] != testID {
		t.Errorf("field of %q, want %q", lines[0], testID)
	}
	for _, w := range wanted {
		if !slices.Contains(lines, at(w)) {
			t.Errorf("got\n%s\nwant in it %s", field, at(w))
		}
	}
}
