package dkim_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"assay/verify/dkim"
	"assay/verify/domain"
	"assay/verify/lookup"
	"assay/verify/message"
)

// asking is a resolver that answers TXT questions with a function.
type asking struct {
	lookup.Resolver
	txt func(ctx context.Context, name string) (*lookup.TXT, error)
}

func (a asking) TXT(ctx context.Context, name string) (*lookup.TXT, error) { return a.txt(ctx, name) }

// stuck waits until its question is withdrawn.
func stuck(ctx context.Context, name string) (*lookup.TXT, error) {
	<-ctx.Done()
	return nil, &net.DNSError{Err: ctx.Err().Error(), Name: name, IsTemporary: true}
}

// three returns a message with three signatures of three selectors.
func three(t *testing.T, s *signer) message.Header {
	t.Helper()
	var header message.Header
	for i := range 3 {
		header = append(header, seal(t, s.key, letter, []byte(letterBody), strings.Replace(plain, "s=s0", fmt.Sprintf("s=s%d", i), 1))[0])
	}
	return append(header, letter...)
}

// TestTogether: all keys are asked for at once, when Begin returns, and a key
// that two signatures share is asked for once.
func TestTogether(t *testing.T) {
	s := newSigner(t, 1024)
	signed := three(t, s)
	header := append(message.Header{signed[0]}, signed...) // the first one twice
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		asked := make(chan string, 10)
		v := dkim.Verifier{Now: clock, Resolver: asking{s.zone, func(ctx context.Context, name string) (*lookup.TXT, error) {
			asked <- name
			<-release
			return s.zone.TXT(ctx, name)
		}}}
		var bodies dkim.Bodies
		run := v.Begin(context.Background(), header, domain.Name{}, &bodies)
		synctest.Wait()
		if len(asked) != 3 {
			t.Errorf("%d questions under way after Begin, want 3", len(asked))
		}
		close(release)
		bodies.Write([]byte(letterBody))
		bodies.Close()
		for i, got := range run.Finish() {
			if got.Result != dkim.Pass {
				t.Errorf("signature %d: %s (%v)", i, got.Result, got.Err)
			}
		}
		if len(asked) != 3 {
			t.Errorf("%d questions, want 3", len(asked))
		}
	})
}

// TestCancelled: a context that ends makes temperror of what is not known yet.
func TestCancelled(t *testing.T) {
	s := newSigner(t, 1024)
	header := three(t, s)
	synctest.Test(t, func(t *testing.T) {
		v := dkim.Verifier{Now: clock, Resolver: asking{s.zone, func(ctx context.Context, name string) (*lookup.TXT, error) {
			if strings.HasPrefix(name, "s1.") {
				return s.zone.TXT(context.Background(), name)
			}
			return stuck(ctx, name)
		}}}
		ctx, cancel := context.WithCancel(context.Background())
		var bodies dkim.Bodies
		run := v.Begin(ctx, header, domain.Name{}, &bodies)
		bodies.Write([]byte(letterBody))
		bodies.Close()
		cancel()
		for i, got := range run.Finish() {
			want := dkim.TempError
			if i == 1 {
				want = dkim.Pass
			}
			if got.Result != want || want == dkim.TempError && !errors.Is(got.Err, dkim.ErrLookup) {
				t.Errorf("signature %d: %s (%v), want %s", i, got.Result, got.Err, want)
			}
		}
	})
}

// TestAborted: a message that ends early leaves nothing behind once its context
// ends; synctest fails when a goroutine stays.
func TestAborted(t *testing.T) {
	s := newSigner(t, 1024)
	header := three(t, s)
	synctest.Test(t, func(t *testing.T) {
		before := runtime.NumGoroutine()
		v := dkim.Verifier{Now: clock, Resolver: asking{s.zone, stuck}}
		ctx, cancel := context.WithCancel(context.Background())
		for range 100 {
			var bodies dkim.Bodies
			v.Begin(ctx, header, domain.Name{}, &bodies)
		}
		synctest.Wait()
		if n := runtime.NumGoroutine(); n < before+300 {
			t.Errorf("%d goroutines, want 300 more than the %d at the start", n, before)
		}
		cancel()
	})
}

// TestPanic: a panic while a key is looked up comes out of Finish, where the
// caller can recover from it, and not out of a goroutine, where nobody can.
func TestPanic(t *testing.T) {
	s := newSigner(t, 1024)
	v := dkim.Verifier{Now: clock, Resolver: asking{s.zone, func(context.Context, string) (*lookup.TXT, error) { panic("resolver") }}}
	var bodies dkim.Bodies
	run := v.Begin(context.Background(), three(t, s), domain.Name{}, &bodies)
	bodies.Close()
	defer func() {
		if got := recover(); got != "resolver" {
			t.Errorf("recovered %v, want the panic of the resolver", got)
		}
	}()
	run.Finish()
	t.Error("Finish returned")
}

// TestFailures: every way in which DNS fails is temperror, never an opinion on
// the signature.
func TestFailures(t *testing.T) {
	s := newSigner(t, 1024)
	header := three(t, s)
	for what, err := range map[string]error{
		"SERVFAIL": &net.DNSError{IsTemporary: true}, "time-out": &net.DNSError{IsTimeout: true, IsTemporary: true},
		"no flag": &net.DNSError{}, "another error": errors.New("x"), "wrapped": fmt.Errorf("x: %w", context.DeadlineExceeded),
	} {
		v := dkim.Verifier{Now: clock, Resolver: asking{s.zone, func(context.Context, string) (*lookup.TXT, error) { return nil, err }}}
		for _, body := range []string{letterBody, "altered"} {
			for i, got := range verify(v, header, []byte(body)) {
				if got.Result != dkim.TempError || !errors.Is(got.Err, dkim.ErrLookup) {
					t.Errorf("%s: signature %d: %s (%v), want temperror", what, i, got.Result, got.Err)
				}
			}
		}
	}
}

// TestJudgeHeader: whether the header is what was signed, although the body is
// not, is looked at only when it is asked for.
func TestJudgeHeader(t *testing.T) {
	s := newSigner(t, 2048)
	raw := s.sign(t, []byte(benchHeader+"Hello.\r\n"), 1, dkim.Relaxed)
	check := func(name string, raw []byte, judge, intact bool, want error) {
		t.Helper()
		header, body := split(raw)
		v := dkim.Verifier{Resolver: s.zone, Now: time.Now, JudgeHeader: judge}
		sig := verify(v, header, body)[0]
		if sig.HeaderIntact != intact || !errors.Is(sig.Err, want) || (sig.Result == dkim.Pass) != (want == nil) {
			t.Errorf("%s, judge %v: %s (%v), header intact %v", name, judge, sig.Result, sig.Err, sig.HeaderIntact)
		}
	}
	body := append(bytes.Clone(raw), "-- footer\r\n"...)
	both := bytes.Replace(body, []byte("Subject: The"), []byte("Subject: [list] The"), 1)
	for _, judge := range []bool{false, true} {
		check("as signed", raw, judge, true, nil)
		check("other body", body, judge, judge, dkim.ErrBodyHash)
		check("other body and subject", both, judge, false, dkim.ErrBodyHash)
	}
}

// secured marks every TXT answer as authenticated by DNSSEC.
type secured struct{ lookup.Resolver }

func (s secured) TXT(ctx context.Context, name string) (*lookup.TXT, error) {
	txt, err := s.Resolver.TXT(ctx, name)
	if err != nil {
		return nil, err
	}
	return &lookup.TXT{Records: txt.Records, Authenticated: true}, nil
}

// TestKeySecure: what the resolver vouches for is kept as evidence, and is
// nothing that an answer without it inherits.
func TestKeySecure(t *testing.T) {
	s := newSigner(t, 2048)
	header, body := split(s.sign(t, []byte(benchHeader+"Hello.\r\n"), 1, dkim.Relaxed))
	for _, secure := range []bool{true, false} {
		var r lookup.Resolver = s.zone
		if secure {
			r = secured{s.zone}
		}
		sig := verify(dkim.Verifier{Resolver: r, Now: time.Now}, header, body)[0]
		if sig.Result != dkim.Pass || sig.KeySecure != secure {
			t.Errorf("secure %v: %s (%v), key secure %v", secure, sig.Result, sig.Err, sig.KeySecure)
		}
	}
}
