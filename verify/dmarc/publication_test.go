package dmarc

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"assay/dnscache/dnstest"
	"assay/verify/dkim"
	"assay/verify/domain"
	"assay/verify/spf"
)

func (a Application) describe() string {
	text := fmt.Sprintf("%s %s %s", a.PolicyDomain, a.Tag, a.Requested)
	if a.Lowered {
		text += " lowered"
	}
	if a.Err != nil {
		text += " error"
	}
	return strings.Join(strings.Fields(text), " ")
}

func TestLookup(t *testing.T) {
	zone := dnstest.MustParse(t, `
_dmarc.example.com.        TXT "v=DMARC1; p=reject; sp=quarantine; np=none; adkim=s; aspf=s"
_dmarc.own.example.com.    TXT "v=DMARC1; p=none; sp=reject"
_dmarc.test.example.com.   TXT "v=DMARC1; p=reject; psd=n; t=y"
_dmarc.bad.example.com.    TXT "v=DMARC1; p=maybe"
_dmarc.down.example.com.   SERVFAIL
here.example.com.          A 192.0.2.1
there.example.com.         A SERVFAIL
_dmarc.suffix.example.     TXT "v=DMARC1; psd=y; p=quarantine; np=reject"
_dmarc.c.d.e.f.g.h.i.test. TXT "v=DMARC1; p=reject; psd=n"
_dmarc.b.c.d.e.f.g.h.i.test. TXT "v=DMARC1; p=quarantine; psd=n"
`)
	check := func(name, org, own, below, absent string, asked ...string) {
		t.Helper()
		p := Verifier{Resolver: zone}.Lookup(t.Context(), domain.MustParse(name))
		got := []string{p.OrgDomain.String(), p.Own.describe(), p.Below.describe(), p.BelowAbsent.describe()}
		if want := []string{org, own, below, absent}; !slices.Equal(got, want) {
			t.Errorf("%s:\ngot  %q\nwant %q\n(%v)", name, got, want, p)
		}
		var steps []string
		for _, s := range p.Steps {
			steps = append(steps, s.Name.String())
		}
		if !slices.Equal(steps, asked) || (p.OrgErr != nil) != (org == "") {
			t.Errorf("%s: asked %q, want %q; %v", name, steps, asked, p.OrgErr)
		}
	}
	// RFC 9989 §4.10.1: sp and np of the organizational domain hold below it.
	check("example.com", "example.com", "example.com p reject", "example.com sp quarantine", "example.com np none", "example.com", "com")
	check("here.example.com", "example.com", "example.com sp quarantine", "example.com sp quarantine", "example.com np none",
		"here.example.com", "example.com", "com")
	check("gone.example.com", "example.com", "example.com np none", "example.com sp quarantine", "example.com np none",
		"gone.example.com", "example.com", "com")
	check("there.example.com", "example.com", "example.com error", "example.com sp quarantine", "example.com np none",
		"there.example.com", "example.com", "com")
	// A record in between does not count below it, unless it says psd=n.
	check("own.example.com", "example.com", "own.example.com p none", "example.com sp quarantine", "example.com np none",
		"own.example.com", "example.com", "com")
	check("test.example.com", "test.example.com", "test.example.com p quarantine lowered", "test.example.com p quarantine lowered",
		"test.example.com p quarantine lowered", "test.example.com")
	check("bad.example.com", "example.com", "bad.example.com error", "example.com sp quarantine", "example.com np none",
		"bad.example.com", "example.com", "com")
	check("down.example.com", "", "error", "error", "error", "down.example.com")
	check("x.suffix.example", "x.suffix.example", "suffix.example np reject", "suffix.example p quarantine", "suffix.example np reject",
		"x.suffix.example", "suffix.example")
	check("none.test", "none.test", "", "", "", "none.test", "test")
	// RFC 9989 §4.10 step 5: a name below one of eight labels does not see it.
	check("b.c.d.e.f.g.h.i.test", "b.c.d.e.f.g.h.i.test", "b.c.d.e.f.g.h.i.test p quarantine", "", "", "b.c.d.e.f.g.h.i.test",
		"d.e.f.g.h.i.test", "e.f.g.h.i.test", "f.g.h.i.test", "g.h.i.test", "h.i.test", "i.test", "test")
}

func TestComparisons(t *testing.T) {
	zone := dnstest.MustParse(t, `
_dmarc.example.com.     TXT "v=DMARC1; p=reject"
_dmarc.sub.example.com. TXT "v=DMARC1; p=reject; psd=n"
_dmarc.strict.net.      TXT "v=DMARC1; p=reject; adkim=s; aspf=s"
_dmarc.down.example.com. SERVFAIL
`)
	check := func(author, name string, mode Mode, want Outcome, org string) {
		t.Helper()
		s := spf.Check{Identity: spf.MailFrom, Result: spf.Pass, Domain: domain.MustParse(name)}
		failed := dkim.Signature{Result: dkim.Fail, SDID: s.Domain}
		e := Verifier{Resolver: zone}.Begin(t.Context(), domain.MustParse(author)).
			Finish(s, []dkim.Signature{failed, {Result: dkim.Pass, SDID: s.Domain}})
		if len(e.Comparisons) != 2 {
			t.Fatalf("%s: %d comparisons", author, len(e.Comparisons))
		}
		for i, c := range e.Comparisons {
			if c.Signature != 2*i-1 || c.Name != s.Domain || c.Mode != mode || c.Outcome != want || c.OrgDomain.String() != org ||
				(c.Err != nil) != (want == Undecided) || c.Aligned() != (e.Result == Pass) {
				t.Errorf("%s beside %s: got %+v, want %s, %s by %q", name, author, c, mode, want, org)
			}
		}
	}
	check("example.com", "example.com", Relaxed, SameName, "")
	check("a.example.com", "b.example.com", Relaxed, SameOrganization, "example.com")
	check("example.com", "example.net", Relaxed, OrgsDiffer, "")
	check("example.com", "x.sub.example.com", Relaxed, OrgsDiffer, "sub.example.com")
	check("strict.net", "x.strict.net", Strict, NamesDiffer, "")
	check("example.com", "down.example.com", Relaxed, Undecided, "")
}

// TestPlaces: a caret under that octet shows what is meant.
func TestPlaces(t *testing.T) {
	check := func(text, want string, sentinel error) {
		t.Helper()
		before, after, _ := strings.Cut(text, "^")
		r, err := ParseRecord(before + after)
		var fault *SyntaxError
		if err != nil && (!errors.As(err, &fault) || !errors.Is(err, sentinel) || err.Error() != fault.Err.Error()) {
			t.Fatalf("%s: %v, want %v", text, err, sentinel)
		}
		got := []Warning{{-1, fmt.Sprint(err)}}
		if fault != nil {
			got[0].At = fault.At
		}
		for _, w := range append(got, r.Warnings...) {
			if w.At == len(before) && w.String() == want {
				return
			}
		}
		t.Errorf("%s:\n got %+v\nwant %s at %d", text, append(got, r.Warnings...), want, len(before))
	}
	check("^ v=DMARC1; p=none", "not a DMARC record: white space before the v tag", ErrNotDMARC)
	check("^p=none; v=DMARC1", "not a DMARC record: the first tag is not v", ErrNotDMARC)
	check("v = ^DMARC2; p=none", "not a DMARC record: the value of v is not DMARC1", ErrNotDMARC)
	check("v=DMARC1; ^", "DMARC record without usable policy: no p and no valid rua", ErrUnusable)
	check("v=DMARC1; p=\t^maybe", "DMARC record without usable policy: invalid p and no valid rua", ErrUnusable)
	check("v=DMARC1; p=none; sp=^x;", "DMARC record without usable policy: invalid sp and no valid rua", ErrUnusable)
	check("v=DMARC1; p=none; np=^x;", "DMARC record without usable policy: invalid np and no valid rua", ErrUnusable)
	check("v=DMARC1; p=none; sp=^x; rua=mailto:a@x.org", "invalid sp: the record is read as p=none", nil)
	check("v=DMARC1; rua=mailto:a@x.org^", "no p: the record is read as p=none", nil)
	check("v=DMARC1;p=none;; ^moo ;", `not a tag: "moo"`, nil)
	check("v=DMARC1; p=none; ^pct = 10", "historic tag pct ignored", nil)
	check("v=DMARC1; p=none; ^v=DMARC1", "v tag ignored: it stands only at the beginning", nil)
	check("v=DMARC1; p=none; ^x=y", `unknown tag "x" ignored`, nil)
	check("v=DMARC1; p=none; t=y; ^t=n", "t occurs 2 times", nil)
	check("v=DMARC1; p=none; adkim = ^q", `invalid value of adkim: "q"`, nil)
	check("v=DMARC1; p=none; rua=mailto:a@x.org, ^x, mailto:b@x.org", `invalid URI in rua: " x": not a URI`, nil)
	check("v=DMARC1; p=none; ruf=mailto:a@x.org; fo= ^2", `invalid value of fo: "2"`, nil)
	check("v=DMARC1; p=none; ^fo=1", "fo ignored without a valid ruf", nil)
}
