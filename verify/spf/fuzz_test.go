package spf

import (
	"context"
	"errors"
	"strings"
	"testing"

	"assay/dnscache/dnstest"
	"assay/verify/domain"
)

// FuzzRecord compares the parser with the ABNF, and runs what was read: a
// record with a syntax error is a permerror before any question; one without
// is never refused by the library.
func FuzzRecord(f *testing.F) {
	for _, terms := range []string{
		"", "-all", "a mx/24//64 ptr:x.org ~exists:%{l1r-}.%{D}.org redirect=x.%{o} exp=y.org",
		"ip4:192.0.2.0/24 ip6:2001:db8::/32 ?all moo=%{c}", "include:%{p}.%{h}.org%%%_%-", "a:x.org/33 moo",
	} {
		f.Add(terms, "a.b-c", "h.org")
	}
	f.Fuzz(func(t *testing.T, terms, local, helo string) {
		text := "v=spf1 " + terms
		if len(text) > MaxRecordBytes || len(strings.Fields(text)) > MaxTerms {
			return
		}
		_, syntax := parseRecord(text)
		if (syntax == nil) != abnfRecord(text) {
			t.Fatalf("%q: the parser says %v, the ABNF %v", text, syntax, abnfRecord(text))
		}
		zone := dnstest.New()
		zone.Add("x.org", "TXT", text)
		zone.Add("x.org", "A", "192.0.2.9")
		zone.Add("*.x.org", "TXT", text)
		zone.Add("*.x.org", "A", "192.0.2.3")
		zone.Add("3.2.0.192.in-addr.arpa", "PTR", "h.x.org")
		sender := mailbox{local, domain.MustParse("x.org")}
		c := Verifier{Resolver: zone}.evaluate(context.Background(), client4, helo, sender)
		checkReason(t, c)
		if errors.Is(c.Err, ErrSyntax) != (syntax != nil) {
			t.Fatalf("%q: the parser says %v, the evaluation %v", text, syntax, c.Err)
		}
		if fault := (*SyntaxError)(nil); errors.As(syntax, &fault) && (fault.At < 0 || fault.At > len(text)) {
			t.Fatalf("%q: %v at %d", text, syntax, fault.At)
		}
		if asked := zone.Questions(); syntax != nil && (c.Result != PermError || len(asked) != 1) {
			t.Fatalf("%q: %s after %q in spite of %v", text, c.Result, asked, syntax)
		}
		survey := Verifier{Resolver: zone}.Survey(context.Background(), sender.domain)
		if survey.Queries > MaxSurveyQueries || (survey.Record.Err != nil) != (syntax != nil) {
			t.Fatalf("%q: the parser says %v, the survey %v after %d questions", text, syntax, survey.Record.Err, survey.Queries)
		}
		for _, question := range zone.Questions() {
			_, name, _ := strings.Cut(question, " ")
			if got, ok := queryName(name); !ok || got != name {
				t.Fatalf("%q: asked %q", text, question)
			}
		}
	})
}

// FuzzEnvelopeSender checks that what is accepted has one domain, and is read
// in the same way when it is written anew.
func FuzzEnvelopeSender(f *testing.F) {
	for _, sender := range []string{
		"a@example.org", "@example.org", `"a\"@b"@example.org`, "(any@legit.com", "@a,@b:c@d.org", "j\u00f6rg@b\u00fccher.example", "a@[192.0.2.1]",
	} {
		f.Add(sender)
	}
	quoted := strings.NewReplacer(`\`, `\\`, `"`, `\"`)
	f.Fuzz(func(t *testing.T, text string) {
		m, err := parseMailbox(text)
		if err != nil {
			if !m.domain.IsZero() || !errors.Is(err, ErrMailbox) && !errors.Is(err, ErrNoDomain) {
				t.Fatalf("%q: got %+v, %v", text, m, err)
			}
			return
		}
		if name, err := domain.Parse(m.domain.String()); err != nil || name != m.domain || name.Labels() < 2 {
			t.Fatalf("%q: domain %q", text, m.domain)
		}
		// The domain is what follows the last "@".
		if name, err := domain.Parse(text[strings.LastIndexByte(text, '@')+1:]); err != nil || name != m.domain {
			t.Fatalf("%q: domain %q, but %q follows the last @", text, m.domain, name)
		}
		again, err := parseMailbox(`"` + quoted.Replace(m.local) + `"@` + m.domain.String())
		if err != nil && len(text) < MaxSenderBytes/2-domain.MaxName || err == nil && again != m {
			t.Fatalf("%q: got %+v, and written anew %+v, %v", text, m, again, err)
		}
	})
}
