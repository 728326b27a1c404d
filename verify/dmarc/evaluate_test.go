package dmarc

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"assay/dnscache/dnstest"
	"assay/verify/dkim"
	"assay/verify/domain"
	"assay/verify/lookup"
	"assay/verify/spf"
)

func passes(names ...string) []dkim.Signature {
	var sigs []dkim.Signature
	for _, n := range names {
		sigs = append(sigs, dkim.Signature{Result: dkim.Pass, SDID: domain.MustParse(n)})
	}
	return sigs
}

func TestErrors(t *testing.T) {
	zone := dnstest.MustParse(t, `
_dmarc.example.com.        TXT "v=DMARC1; p=reject; np=none"
_dmarc.bad.example.com.    TXT "v=DMARC1"
_dmarc.down.example.com.   SERVFAIL
noexist.example.com.       A SERVFAIL
`)
	wrapped := func(author string, s spf.Check, sigs []dkim.Signature, result Result, want error, dns bool) {
		t.Helper()
		e := Verifier{Resolver: zone}.Begin(t.Context(), domain.MustParse(author)).Finish(s, sigs)
		var dnsError *net.DNSError
		if e.Result != result || !errors.Is(e.Err, want) || errors.As(e.Err, &dnsError) != dns {
			t.Errorf("%s: %s with %v; want %s with %v, DNS error %t", author, e.Result, e.Err, result, want, dns)
		}
		if !strings.HasPrefix(e.Err.Error(), "dmarc: ") || strings.Count(e.Err.Error(), "dmarc: ") != 1 {
			t.Errorf("%s: error %q", author, e.Err)
		}
	}
	pending := spf.Check{Identity: spf.MailFrom, Result: spf.TempError, Domain: domain.MustParse("example.com")}
	wrapped("example.com", spf.Check{}, nil, Fail, ErrNotAligned, false)
	wrapped("bad.example.com", spf.Check{}, nil, PermError, ErrUnusable, false)
	wrapped("down.example.com", spf.Check{}, nil, TempError, ErrDiscovery, true)
	wrapped("example.com", spf.Check{}, passes("down.example.com"), TempError, ErrOrganization, true)
	wrapped("example.com", pending, nil, TempError, ErrPending, false)
	wrapped("noexist.example.com", spf.Check{}, nil, TempError, ErrExistence, true)
}

// frugal answers the first left questions.
type frugal struct {
	lookup.Resolver
	left int
}

func (f *frugal) TXT(ctx context.Context, name string) (*lookup.TXT, error) {
	if f.left--; f.left < 0 {
		return nil, lookup.Exhausted(name)
	}
	return f.Resolver.TXT(ctx, name)
}

// TestOrganizationExhausted: where only the policy could be asked for, an identifier that
// might be of the same organization is no outage.
func TestOrganizationExhausted(t *testing.T) {
	zone := dnstest.MustParse(t, `_dmarc.victim.co.example. TXT "v=DMARC1; p=reject"`)
	pending := spf.Check{Identity: spf.MailFrom, Result: spf.TempError, Domain: domain.MustParse("evil.co.example")}
	for _, sigs := range [][]dkim.Signature{passes("evil.co.example"), nil} {
		v := Verifier{Resolver: &frugal{zone, 1}}
		e := v.Begin(t.Context(), domain.MustParse("victim.co.example")).Finish(pending, sigs)
		if e.Result != Fail || e.Requested != PolicyReject {
			t.Errorf("%s, %s (%v)", e.Result, e.Requested, e.Err)
		}
	}
}

func TestZeroAuthor(t *testing.T) {
	zone := dnstest.New()
	e := Verifier{Resolver: zone}.Begin(t.Context(), domain.Name{}).Finish(spf.Check{}, passes("example.com"))
	if e.Result != PermError || !errors.Is(e.Err, ErrNoAuthor) || len(zone.Questions()) != 0 {
		t.Errorf("got %s, %v after %q; want permerror without questions", e.Result, e.Err, zone.Questions())
	}
}

func TestInvalid(t *testing.T) {
	reason := errors.New("two From fields")
	if e := Invalid(reason); e.Result != PermError || e.Err != reason || e.Requested != "" {
		t.Errorf("got %+v", e)
	}
}

// However many signatures pass below the organizational domain, MaxWalks of
// them are walked; one beyond is not aligned, and gives no temporary error.
func TestMaxWalks(t *testing.T) {
	zone := dnstest.MustParse(t, `
_dmarc.example.com.    TXT "v=DMARC1; p=reject"
_dmarc.unit.example.com. TXT "v=DMARC1; p=none; psd=n"
_dmarc.down.example.com. SERVFAIL
`)
	finish := func(last string, others int) Evaluation {
		var names []string
		for i := range others {
			names = append(names, fmt.Sprintf("d%d.unit.example.com", i), fmt.Sprintf("d%d.unit.example.com", i))
		}
		run := Verifier{Resolver: zone}.Begin(t.Context(), domain.MustParse("example.com"))
		return run.Finish(spf.Check{}, passes(append(names, last)...))
	}
	limit := func(last string, others int, want Result) {
		t.Helper()
		if e := finish(last, others); e.Result != want {
			t.Errorf("%s after %d others: %s, want %s", last, others, e.Result, want)
		}
	}
	limit("www.example.com", MaxWalks-1, Pass)
	limit("www.example.com", MaxWalks, Fail)
	limit("example.com", 10*MaxWalks, Pass)
	limit("down.example.com", MaxWalks-1, TempError)
	limit("down.example.com", MaxWalks, Fail)
	// A name that was walked stays decided when the limit is reached.
	var names []string
	for i := range MaxWalks {
		names = append(names, fmt.Sprintf("d%d.example.com", i))
	}
	run := Verifier{Resolver: zone}.Begin(t.Context(), domain.MustParse("example.com"))
	if e := run.Finish(spf.Check{}, passes(append(names, names...)...)); len(e.AlignedDKIM) != 2*MaxWalks {
		t.Errorf("%d aligned, want %d", len(e.AlignedDKIM), 2*MaxWalks)
	}
	// The author's two names, the unit, and the identifiers that are walked.
	if e := finish("www.example.com", 1000); e.Queries != 2+1+MaxWalks {
		t.Errorf("1000 signatures: %d questions, want %d", e.Queries, 2+1+MaxWalks)
	}
}

// What a stranger can make us ask for one message is bounded.
func TestMessageBound(t *testing.T) {
	var names []string
	for i := range 500 {
		names = append(names, fmt.Sprintf("%s.x%d.example.com", labels(90), i))
	}
	zone := dnstest.MustParse(t, `_dmarc.example.com. TXT "v=DMARC1; p=reject; np=none"`)
	author := domain.MustParse(labels(98).String() + ".example.com")
	e := Verifier{Resolver: zone}.Begin(t.Context(), author).Finish(spf.Check{}, passes(names...))
	if most := MaxQueries*(1+MaxWalks) + 1; e.Queries > most || e.Queries != len(zone.Questions()) {
		t.Errorf("%d questions, want at most %d", e.Queries, most)
	}
	if e.Result != Pass {
		t.Errorf("got %s, %v", e.Result, e.Err)
	}
}

// blocked is a resolver whose answers wait for release or the context.
type blocked struct {
	lookup.Resolver
	asked, release chan struct{}
}

func (b blocked) TXT(ctx context.Context, name string) (*lookup.TXT, error) {
	b.asked <- struct{}{}
	select {
	case <-b.release:
	case <-ctx.Done():
	}
	return b.Resolver.TXT(ctx, name)
}

// Discovery runs while the body arrives: before Finish, and not in Begin.
func TestBeginDoesNotWait(t *testing.T) {
	b := blocked{
		Resolver: dnstest.MustParse(t, `_dmarc.example.com. TXT "v=DMARC1; p=reject"`),
		asked:    make(chan struct{}, MaxQueries), release: make(chan struct{}),
	}
	run := Verifier{Resolver: b}.Begin(t.Context(), domain.MustParse("example.com"))
	<-b.asked
	close(b.release)
	if e := run.Finish(spf.Check{}, passes("example.com")); e.Result != Pass || e.Requested != PolicyReject {
		t.Errorf("got %s, requested %s, %v", e.Result, e.Requested, e.Err)
	}
}

// The deadline of the message ends the wait of Finish: a temporary error.
func TestCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	b := blocked{Resolver: dnstest.New(), asked: make(chan struct{}, MaxQueries), release: make(chan struct{})}
	run := Verifier{Resolver: b}.Begin(ctx, domain.MustParse("example.com"))
	<-b.asked
	cancel()
	if e := run.Finish(spf.Check{}, nil); e.Result != TempError || !lookup.Temporary(e.Err) {
		t.Errorf("got %s, %v; want temperror", e.Result, e.Err)
	}
}

// A message may be aborted: a Run that nobody finishes leaves nothing behind.
// The bubble ends only when all its goroutines have.
func TestAbandonedRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		b := blocked{Resolver: dnstest.New(), asked: make(chan struct{}, MaxQueries), release: make(chan struct{})}
		run := Verifier{Resolver: b}.Begin(ctx, domain.MustParse("a.b.c.example.com"))
		synctest.Wait()
		select {
		case <-run.done:
			t.Error("the background work did not wait for its answer")
		default:
		}
		cancel()
		synctest.Wait()
		select {
		case <-run.done:
		default:
			t.Error("the background work goes on after its context has ended")
		}
		if n := len(b.asked); n != 1 {
			t.Errorf("%d questions after the context has ended, want 1", n)
		}
	})
}

// A panic in the background reaches the caller of Finish, with its stack.
func TestPanicIsRaisedInFinish(t *testing.T) {
	run := Verifier{}.Begin(t.Context(), domain.MustParse("example.com")) // nil Resolver
	defer func() {
		text, _ := recover().(string)
		if !strings.Contains(text, "nil pointer") || !strings.Contains(text, "walk.go") {
			t.Errorf("recovered %q, want the panic value and its stack", text)
		}
	}()
	e := run.Finish(spf.Check{}, nil)
	t.Errorf("Finish returned %+v", e)
}

// One Verifier serves all messages.
func TestConcurrentUse(t *testing.T) {
	zone := dnstest.MustParse(t, `_dmarc.example.com. TXT "v=DMARC1; p=reject; sp=none; np=quarantine"`)
	v := Verifier{Resolver: zone}
	var all sync.WaitGroup
	for i := range 50 {
		all.Go(func() {
			author := domain.MustParse(fmt.Sprintf("x%d.example.com", i%5))
			if e := v.Begin(t.Context(), author).Finish(spf.Check{}, nil); e.Result != Fail || e.Tag != TagNP {
				t.Errorf("got %s, tag %s, %v", e.Result, e.Tag, e.Err)
			}
		})
	}
	all.Wait()
}

func BenchmarkEvaluate(b *testing.B) {
	zone := dnstest.MustParse(b, `_dmarc.example.com. TXT "v=DMARC1; p=reject; rua=mailto:a@example.com"`)
	author, sigs := domain.MustParse("example.com"), passes("mail.example.com")
	for b.Loop() {
		if e := (Verifier{Resolver: zone}).Begin(b.Context(), author).Finish(spf.Check{}, sigs); e.Result != Pass {
			b.Fatal(e.Err)
		}
	}
}
