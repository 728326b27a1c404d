package verify_test

import (
	"context"
	"fmt"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"assay/dnscache"
	"assay/dnscache/dnstest"
	"assay/verify"
	"assay/verify/dkim"
	"assay/verify/dmarc"
	"assay/verify/lookup"
	"assay/verify/message"
	"assay/verify/spf"
)

// worst is the zone of a sender who wants us to ask as much as possible, and a
// message that makes us.
func worst(t *testing.T) (*dnstest.Zone, message.Header) {
	var zone strings.Builder
	add := func(format string, args ...any) { fmt.Fprintf(&zone, format+"\n", args...) }
	terms := ""
	for i := range 10 {
		terms += fmt.Sprintf(" mx:m%d.evil.example", i)
		for j := range 10 {
			add("m%d.evil.example. IN MX 10 h%d-%d.evil.example.", i, i, j)
			add("h%d-%d.evil.example. IN A 198.51.100.1", i, j)
		}
		add("7.2.0.192.in-addr.arpa. IN PTR n%d.evil.example.", i)
		add("n%d.evil.example. IN A 198.51.100.1", i)
	}
	add(`evil.example. IN TXT "v=spf1%s -all"`, terms)
	add(`out.evil.example. IN TXT "v=spf1%s -all"`, terms)
	add(`_dmarc.evil.example. IN TXT "v=DMARC1; p=reject"`)
	h := message.Header{{Name: "From", Value: " a@1.2.3.4.5.6.7.8.9.evil.example"}}
	for i := range 50 {
		h = append(h, message.Field{Name: "DKIM-Signature", Value: fmt.Sprintf(
			" v=1; a=rsa-sha256; d=%d.2.3.4.5.6.7.8.9.evil.example; s=s%d; h=From; bh=eHh4; b=eHh4", i, i)})
	}
	return dnstest.MustParse(t, zone.String()), h
}

// TestShares: one message causes no more questions than it may, and no method
// starves another.
func TestShares(t *testing.T) {
	for _, queries := range []int{0, 16, 36, 64, 128} {
		zone, header := worst(t)
		v := &verify.Verifier{Resolver: zone, Now: time.Now, Budget: time.Minute, Queries: queries}
		c := connection
		c.Helo = "out.evil.example"
		run := v.Begin(context.Background(), &c, &message.Envelope{Sender: "a@evil.example"})
		run.Headers(header)
		f := run.Finish()
		limit := queries
		if limit == 0 {
			limit = verify.DefaultQueries
		}
		if asked := len(zone.Questions()); asked > limit || f.Lookups != asked {
			t.Errorf("%d of %d questions asked, %d counted", asked, limit, f.Lookups)
		}
		// What the sender caused is permerror, not an outage.
		if f.SPF.Result != spf.PermError || f.Helo.Result != spf.PermError || f.IPRev.Result != "permerror" {
			t.Errorf("%d: spf=%s helo=%s iprev=%s", queries, f.SPF.Result, f.Helo.Result, f.IPRev.Result)
		}
		for _, s := range f.DKIM {
			if s.Result != dkim.PermError && s.Result != dkim.Neutral {
				t.Errorf("%d: dkim=%s (%v)", queries, s.Result, s.Err)
			}
		}
		// DMARC still knows its own mind, unless its share is cut below one walk.
		want := dmarc.Fail
		if queries == 16 {
			want = dmarc.PermError
		}
		if f.DMARC.Result != want {
			t.Errorf("%d: dmarc=%s (%v)", queries, f.DMARC.Result, f.DMARC.Err)
		}
	}
}

// TestAllAuthors: a From of several domains is invalid, or evaluated for each,
// and the strictest counts.
func TestAllAuthors(t *testing.T) {
	check := func(all bool, from string, result dmarc.Result, author string) {
		t.Helper()
		v := &verify.Verifier{
			Resolver: dnstest.MustParse(t, zone+`_dmarc.example.org. IN TXT "v=DMARC1; p=quarantine"`+"\n"),
			Now:      time.Now, Budget: time.Minute, EvaluateAllAuthors: all,
		}
		run := v.Begin(context.Background(), &connection, &envelope)
		run.Headers(message.Header{{Name: "From", Value: from}})
		f := run.Finish()
		if f.DMARC.Result != result || f.DMARC.AuthorDomain.String() != author {
			t.Errorf("%v, %s: got %s for %s (%v)", all, from, f.DMARC.Result, f.DMARC.AuthorDomain, f.DMARC.Err)
		}
	}
	check(false, " a@example.com, b@example.org", dmarc.PermError, "")
	check(true, " a@example.com, b@example.org", dmarc.Fail, "example.org")
	check(true, " b@example.org, a@example.com", dmarc.Fail, "example.org")
	check(true, " a@example.com, b@none.example", dmarc.None, "none.example")
	check(true, " a@1.example, b@2.example, c@3.example, d@example.org", dmarc.Fail, "example.org")
	check(true, " a@1.example, b@2.example, c@3.example, d@4.example, e@example.org", dmarc.PermError, "") // above MaxAuthors
	check(true, " a@example.com <x>", dmarc.PermError, "")
	check(true, " a@example.com", dmarc.Pass, "example.com")
}

// tardy answers about one name when the others have been asked about so often that
// left is 0.
type tardy struct {
	lookup.Resolver
	name string
	left atomic.Int64
	over chan struct{}
}

func (r *tardy) TXT(ctx context.Context, name string) (*lookup.TXT, error) {
	if name == r.name {
		<-r.over
	} else if r.left.Add(-1) == 0 {
		close(r.over)
	}
	return r.Resolver.TXT(ctx, name)
}

// TestAuthorsStarved: who uses up the questions of DMARC by authors of his own does
// not get the domain that he forges judged as an outage.
func TestAuthorsStarved(t *testing.T) {
	r := &tardy{Resolver: dnstest.MustParse(t, zone+"_dmarc.down.example. SERVFAIL\n"), name: "_dmarc.mail.example.com", over: make(chan struct{})}
	r.left.Store(15) // of 16: one is about the forged domain
	v := &verify.Verifier{Resolver: r, Now: time.Now, Budget: time.Minute, EvaluateAllAuthors: true}
	run := v.Begin(context.Background(), &message.Connection{}, &message.Envelope{})
	run.Headers(message.Header{{Name: "From", Value: " a@mail.example.com, b@down.example, c@1.2.3.4.5.6.7.8.evil.example, d@1.2.3.4.5.6.7.8.evil.test"}})
	if f := run.Finish(); f.DMARC.Result != dmarc.PermError || f.DMARC.AuthorDomain.String() != "mail.example.com" {
		t.Errorf("got %s for %s (%v)", f.DMARC.Result, f.DMARC.AuthorDomain, f.DMARC.Err)
	}
}

// TestSharesAtServer: the same, counted where the questions arrive.
func TestSharesAtServer(t *testing.T) {
	zone, header := worst(t)
	server := dnscache.Server{Network: dnscache.UDP, Addr: netip.MustParseAddrPort(zone.Serve(t))}
	r := dnscache.New(dnscache.Config{Servers: []dnscache.Server{server}})
	defer r.Close()
	zone.Reset()
	v := &verify.Verifier{Resolver: r, Now: time.Now, Budget: time.Minute, ARC: true, SPFReadAhead: true}
	c := connection
	c.Helo = "out.evil.example"
	run := v.Begin(context.Background(), &c, &message.Envelope{Sender: "a@evil.example"})
	run.Headers(header)
	run.Finish()
	if asked := len(zone.Questions()); asked > verify.DefaultQueries || asked < verify.DefaultQueries/2 {
		t.Errorf("%d questions arrived", asked)
	}
}
