package spf

import (
	"context"
	"errors"
	"net/netip"
	"testing"
	"time"

	"assay/dnscache/dnstest"
)

// TestDeadline shows that our own lack of time is a temperror.
func TestDeadline(t *testing.T) {
	past, cancel := context.WithDeadline(context.Background(), time.Unix(0, 0))
	defer cancel()
	cancelled, cancel := context.WithCancel(context.Background())
	cancel()
	for _, ctx := range []context.Context{past, cancelled} {
		c := Verifier{Resolver: dnstest.MustParse(t, zone)}.MailFrom(ctx, client4, "h.org", "a@example.org")
		if c.Result != TempError || !errors.Is(c.Err, ErrDNS) {
			t.Errorf("%v: got %+v, want temperror", ctx.Err(), c)
		}
	}
	// The time ends at the reverse name, where a DNS error would not matter.
	for _, record := range []string{"v=spf1 ptr -all", "v=spf1 exists:%{p}.x.org -all"} {
		for _, last := range []string{"PTR", "A"} {
			ctx, cancel := context.WithCancel(context.Background())
			z := &cancelling{Zone: dnstest.MustParse(t, "x.org. TXT \""+record+"\"\n3.2.0.192.in-addr.arpa. PTR x.org."), at: last, cancel: cancel}
			c := Verifier{Resolver: z}.MailFrom(ctx, client4, "h.org", "a@x.org")
			if c.Result != TempError || !errors.Is(c.Err, ErrDNS) {
				t.Errorf("%s, cancelled at %s: got %+v, want temperror", record, last, c)
			}
		}
	}
}

// cancelling is a Zone whose context ends with the first question of a type.
type cancelling struct {
	*dnstest.Zone
	at     string
	cancel context.CancelFunc
}

func (z *cancelling) PTR(ctx context.Context, addr netip.Addr) ([]string, error) {
	if z.at == "PTR" {
		z.cancel()
	}
	return z.Zone.PTR(ctx, addr)
}

func (z *cancelling) A(ctx context.Context, name string) ([]netip.Addr, error) {
	z.cancel()
	return z.Zone.A(ctx, name)
}
