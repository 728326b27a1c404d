package verify_test

import (
	"context"
	"net"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"assay/dnscache/dnstest"
	"assay/verify"
	"assay/verify/dkim"
	"assay/verify/dmarc"
	"assay/verify/lookup"
	"assay/verify/message"
	"assay/verify/spf"
)

// slow is a resolver whose every answer takes one round trip.
type slow struct {
	lookup.Resolver
	trip time.Duration
}

func (s slow) TXT(ctx context.Context, name string) (*lookup.TXT, error) {
	time.Sleep(s.trip)
	return s.Resolver.TXT(ctx, name)
}

func (s slow) A(ctx context.Context, name string) ([]netip.Addr, error) {
	time.Sleep(s.trip)
	return s.Resolver.A(ctx, name)
}

func (s slow) PTR(ctx context.Context, addr netip.Addr) ([]string, error) {
	time.Sleep(s.trip)
	return s.Resolver.PTR(ctx, addr)
}

func (s slow) MX(ctx context.Context, name string) ([]*net.MX, error) {
	time.Sleep(s.trip)
	return s.Resolver.MX(ctx, name)
}

// waitZone is an ordinary sender: SPF with three includes, a signature, a
// policy, and a name for his host.
const waitZone = `
example.com. TXT "v=spf1 include:a.example.net include:b.example.net include:c.example.net -all"
a.example.net. TXT "v=spf1 ip4:198.51.100.0/24 ~all"
b.example.net. TXT "v=spf1 ip4:203.0.113.0/24 ~all"
c.example.net. TXT "v=spf1 ip4:192.0.2.0/24 ~all"
s._domainkey.example.com. TXT "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
_dmarc.example.com. TXT "v=DMARC1; p=reject"
7.2.0.192.in-addr.arpa. PTR out.example.com.
out.example.com. A 192.0.2.7
`

// TestWait: a cold message waits for the slowest single chain of questions and
// not for the sum of all, and what can be asked while the body arrives is
// not waited for at its end. Time is counted in round trips of 50 ms, on a
// clock that the test owns.
func TestWait(t *testing.T) {
	const trip = 50 * time.Millisecond
	header := message.Header{
		{Name: "DKIM-Signature", Value: " v=1; a=ed25519-sha256; d=example.com; s=s; h=From; bh=eHh4; b=eHh4"},
		{Name: "From", Value: " a@example.com"},
	}
	check := func(name string, ahead bool, arriving time.Duration, most int) {
		t.Helper()
		synctest.Test(t, func(t *testing.T) {
			v := &verify.Verifier{
				Resolver: slow{dnstest.MustParse(t, waitZone), trip}, Now: time.Now, Budget: time.Minute, ARC: true, SPFReadAhead: ahead,
			}
			run := v.Begin(t.Context(), &connection, &envelope)
			run.Headers(header)
			run.Body([]byte(strings.Repeat("Hello.\r\n", 100)))
			time.Sleep(arriving)
			end := time.Now()
			f := run.Finish()
			if waited := time.Since(end); waited > time.Duration(most)*trip {
				t.Errorf("%s: waited %v at the end of the message, %d round trips are enough", name, waited, most)
			}
			if f.SPF.Result != spf.Pass || f.DKIM[0].Result != dkim.Fail || f.DMARC.Result != dmarc.Pass || f.IPRev.Result != "pass" {
				t.Errorf("%s: spf=%s dkim=%s dmarc=%s iprev=%s", name, f.SPF.Result, f.DKIM[0].Result, f.DMARC.Result, f.IPRev.Result)
			}
		})
	}
	check("everything at once", false, 0, 4)
	check("the body takes 300 ms", false, 300*time.Millisecond, 0)
	check("everything at once, reading ahead", true, 0, 2)
}
