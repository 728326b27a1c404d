package verify_test

import (
	"context"
	"net/netip"
	"reflect"
	"runtime"
	"testing"
	"time"

	"assay/dnscache"
	"assay/dnscache/dnstest"
	"assay/verify"
	"assay/verify/message"
)

// TestKept: a message whose answers are all kept finds the same, counts the same, and
// starts nothing that would have to wait.
func TestKept(t *testing.T) {
	hostile, header := worst(t)
	ordinary := message.Header{
		{Name: "From", Value: " a@example.com"},
		{Name: "DKIM-Signature", Value: " v=1; a=ed25519-sha256; d=example.com; s=s; h=From; bh=eHh4; b=eHh4"},
	}
	for name, one := range map[string]struct {
		zone   *dnstest.Zone
		header message.Header
		sender string
		ahead  bool
	}{
		"ordinary":   {dnstest.MustParse(t, waitZone), ordinary, "a@example.com", false},
		"read ahead": {dnstest.MustParse(t, waitZone), ordinary, "a@example.com", true},
		"hostile":    {hostile, header, "a@evil.example", false},
	} {
		server := dnscache.Server{Network: dnscache.UDP, Addr: netip.MustParseAddrPort(one.zone.Serve(t))}
		resolver := dnscache.New(dnscache.Config{Servers: []dnscache.Server{server}})
		t.Cleanup(resolver.Close)
		v := &verify.Verifier{Resolver: resolver, Now: time.Now, Budget: time.Minute, ARC: true, SPFReadAhead: one.ahead}
		evaluate := func() (f verify.Findings, started int) {
			c := connection
			c.Helo = "out.example.com"
			before := runtime.NumGoroutine()
			run := v.Begin(context.Background(), &c, &message.Envelope{Sender: one.sender})
			run.Headers(one.header)
			started = runtime.NumGoroutine() - before
			return run.Finish(), started
		}
		cold, _ := evaluate()
		questions := len(one.zone.Questions())
		warm, started := evaluate()
		if started > 0 {
			t.Errorf("%s: %d goroutines were started", name, started)
		}
		if n := len(one.zone.Questions()); n != questions {
			t.Errorf("%s: %d questions more", name, n-questions)
		}
		if warm.Lookups != cold.Lookups || warm.Refused != cold.Refused {
			t.Errorf("%s: %d look-ups and %d refused, at first %d and %d", name, warm.Lookups, warm.Refused, cold.Lookups, cold.Refused)
		}
		if w, c := warm.Results(""), cold.Results(""); !reflect.DeepEqual(w, c) {
			t.Errorf("%s: got\n%+v\nat first\n%+v", name, w, c)
		}
	}
}
