package verify_test

import (
	"context"
	"net/netip"
	"strings"
	"testing"
	"time"

	"assay/dnscache/dnstest"
	"assay/verify"
	"assay/verify/dmarc"
	"assay/verify/lookup"
	"assay/verify/message"
	"assay/verify/spf"
)

const zone = `
example.com. IN TXT "v=spf1 ip4:192.0.2.0/24 -all"
_dmarc.example.com. IN TXT "v=DMARC1; p=reject"
`

var (
	connection = message.Connection{Addr: netip.MustParseAddr("192.0.2.7"), Helo: "out.example.com"}
	envelope   = message.Envelope{Sender: "a@example.com"}
	header     = message.Header{{Name: "From", Value: " a@example.com"}}
)

// stuck answers TXT questions about one name not before their context ends.
type stuck struct {
	lookup.Resolver
	name string
}

func (s stuck) TXT(ctx context.Context, name string) (*lookup.TXT, error) {
	if name == s.name {
		<-ctx.Done()
		return s.Resolver.TXT(ctx, "timeout.example")
	}
	return s.Resolver.TXT(ctx, name)
}

func run(t *testing.T, r lookup.Resolver, budget time.Duration) verify.Findings {
	t.Helper()
	v := &verify.Verifier{Resolver: r, Now: time.Now, Budget: budget}
	run := v.Begin(context.Background(), &connection, &envelope)
	run.Headers(header)
	if run.Body([]byte("Hello.\r\n")) {
		t.Error("an unsigned body is wanted")
	}
	return run.Finish()
}

func TestRun(t *testing.T) {
	f := run(t, dnstest.MustParse(t, zone), time.Minute)
	if f.SPF.Result != spf.Pass || f.DMARC.Result != dmarc.Pass || f.Author.Domain.String() != "example.com" || f.Lookups < 3 {
		t.Errorf("got %+v", f)
	}
}

// TestBudget: what has not been answered when the budget is used up is
// temperror, and what has been is not lost.
func TestBudget(t *testing.T) {
	failing := zone + "timeout.example. TIMEOUT\n"
	f := run(t, stuck{dnstest.MustParse(t, failing), "_dmarc.example.com"}, 10*time.Millisecond)
	if f.SPF.Result != spf.Pass || f.DMARC.Result != dmarc.Pass || f.DMARC.Record != nil {
		// An aligned pass wins over any error.
		t.Errorf("policy stuck: spf=%s dmarc=%s", f.SPF.Result, f.DMARC.Result)
	}
	f = run(t, stuck{dnstest.MustParse(t, failing), "example.com"}, 10*time.Millisecond)
	if f.SPF.Result != spf.TempError || f.DMARC.Result != dmarc.TempError {
		t.Errorf("SPF stuck: spf=%s dmarc=%s", f.SPF.Result, f.DMARC.Result)
	}
}

// TestCancel: a message that is given up waits for nothing.
func TestCancel(t *testing.T) {
	v := &verify.Verifier{Resolver: stuck{dnstest.MustParse(t, zone), "example.com"}, Now: time.Now, Budget: time.Hour}
	run := v.Begin(context.Background(), &connection, &envelope)
	run.Headers(header)
	run.Cancel()
	if f := run.Finish(); f.SPF.Result != spf.TempError {
		t.Errorf("got %s", f.SPF.Result)
	}
}

// panicky panics at every question about the client's name.
type panicky struct{ lookup.Resolver }

func (panicky) PTR(context.Context, netip.Addr) ([]string, error) { panic("the resolver broke") }

// TestPanic: a panic in the background is raised where the message can be
// failed for it.
func TestPanic(t *testing.T) {
	defer func() {
		if text, _ := recover().(string); !strings.Contains(text, "the resolver broke") || !strings.Contains(text, "panicky") {
			t.Errorf("recovered %q", text)
		}
	}()
	run(t, panicky{dnstest.MustParse(t, zone)}, time.Minute)
	t.Error("no panic")
}
