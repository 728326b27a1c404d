package arc

import (
	"strings"
	"testing"

	"assay/verify/domain"
)

// trust tests TrustedFor author.example: 0 for no, otherwise the instance of the
// set that vouches.
func trust(t *testing.T, what string, m *mail, sealers string, want int) {
	t.Helper()
	var listed []domain.Name
	for _, s := range strings.Fields(sealers) {
		listed = append(listed, domain.MustParse(s))
	}
	c := m.validate()
	set, ok := c.TrustedFor(domain.MustParse("author.example"), listed)
	if ok != (want > 0) || set.Instance != want {
		t.Errorf("%s, trusting %q: got set %d, %v (chain %s, %v, caveat %v); want set %d", what, sealers, set.Instance, ok, c.Result, c.Err, c.Caveat, want)
	}
}

func TestTrustedSealers(t *testing.T) {
	const failed = " x; dmarc=fail header.from=author.example"
	const silent = " x; spf=pass smtp.mailfrom=author.example"
	sealed := func(stations ...station) *mail {
		m := newMail(t)
		for _, s := range stations {
			m.seal(s)
		}
		return m
	}
	a, b := station{domain: "a.example"}, station{domain: "b.example"}
	trust(t, "one sealer", sealed(a), "x.example a.example", 1)
	trust(t, "none listed", sealed(a), "", 0)
	trust(t, "another listed", sealed(a), "b.example", 0)
	trust(t, "parent listed", sealed(station{domain: "mx.a.example"}), "a.example", 0)
	trust(t, "subdomain listed", sealed(a), "mx.a.example", 0)
	trust(t, "both vouch", sealed(a, b), "a.example b.example", 2)
	trust(t, "the newest is enough", sealed(a, b), "b.example", 2)
	trust(t, "an older one is not", sealed(a, b), "a.example", 0)
	trust(t, "newest saw it broken", sealed(a, station{domain: "b.example", results: failed}), "a.example b.example", 1)
	trust(t, "newest says nothing", sealed(a, station{domain: "b.example", results: silent}), "a.example b.example", 1)
	trust(t, "claim of an unlisted one", sealed(a, station{domain: "b.example", results: silent}), "b.example", 0)
	trust(t, "unlisted one between", sealed(a, b, station{domain: "c.example", results: silent}), "a.example c.example", 0)
	trust(t, "nobody vouches", sealed(station{domain: "a.example", results: silent}), "a.example", 0)
	trust(t, "message signed by another", sealed(station{domain: "a.example", signer: "evil.example"}), "a.example", 0)
	trust(t, "message signed by another one listed", sealed(station{domain: "a.example", signer: "b.example"}), "a.example b.example", 1)
}

func TestTrustNeedsChain(t *testing.T) {
	a := station{domain: "a.example"}
	trust(t, "intact", newMail(t).seal(a), "a.example", 1)
	trust(t, "no chain", newMail(t), "a.example", 0)
	trust(t, "body changed", func() *mail { m := newMail(t).seal(a); m.body += "x\r\n"; return m }(), "a.example", 0)
	trust(t, "cv=fail", newMail(t).seal(station{domain: "a.example", cv: "fail"}), "a.example", 0)
	trust(t, "second From", newMail(t).seal(a).top("From", " eve@evil.example"), "a.example", 0)
	trust(t, "second Subject", newMail(t).seal(a).top("Subject", " other"), "a.example", 0)
	trust(t, "second Subject, oversigned", newMail(t).seal(station{domain: "a.example", h: "from:subject:subject"}).top("Subject", " other"), "a.example", 0)
	trust(t, "From not signed", newMail(t).seal(station{domain: "a.example", h: "subject"}), "a.example", 0)
	trust(t, "h= empty", newMail(t).seal(station{domain: "a.example", h: " "}), "a.example", 0)
	trust(t, "part of the body", newMail(t).seal(station{domain: "a.example", ams: "l=2;"}), "a.example", 0)
	if _, ok := (Chain{}).TrustedFor(domain.MustParse("author.example"), nil); ok {
		t.Error("a chain that was not evaluated is trusted")
	}
	c := newMail(t).seal(station{domain: "a.example", results: " x; dmarc=pass header.from=."}).validate()
	if _, ok := c.TrustedFor(domain.Name{}, []domain.Name{domain.MustParse("a.example")}); ok {
		t.Error("trusted for no author")
	}
}

// TestVouching: which results of a listed sealer vouch for the author.
func TestVouching(t *testing.T) {
	test := func(results string, want bool) {
		t.Helper()
		m := newMail(t).seal(station{domain: "a.example", results: " mx.a.example; " + results})
		trust(t, results, m, "a.example", map[bool]int{true: 1}[want])
	}
	test("dmarc=pass header.from=author.example", true)
	test("dmarc=pass (p=reject dis=none) header.from=AUTHOR.example.", true)
	test("dmarc=pass action=none header.from=author.example", true)
	test("dkim=pass header.d=author.example", true)
	test("dkim=fail header.d=author.example; dkim=pass header.d=author.example", true)
	test("dkim=pass header.i=@author.example header.s=s header.b=a/b; dmarc=pass header.from=author.example", true)
	test("dmarc=none header.from=author.example; dkim=pass header.d=author.example", true)
	test("spf=pass smtp.mailfrom=<>; dmarc=pass header.from=author.example", true)

	test("none", false)
	test("dmarc=pass", false)
	test("dmarc=pass header.from=other.example", false)
	test("dmarc=pass header.from=sub.author.example", false)
	test("dmarc=pass header.from=example", false)
	test("dmarc=pass smtp.from=author.example", false)
	test("dmarc=pass header.d=author.example", false)
	test("dmarc=pass header.from=x@author.example", false)
	test("dmarc=bestguesspass header.from=author.example", false)
	test("dmarc=fail header.from=author.example", false)
	test("dmarc=fail header.from=other.example; dmarc=pass header.from=author.example", false)
	test("dmarc=pass header.from=author.example; dmarc=fail header.from=author.example", false)
	test("dmarc=fail action=oreject header.from=author.example; dkim=pass header.d=author.example", false)
	test("dmarc=fail ?? header.from=author.example; dkim=pass header.d=author.example", false)
	test("dmarc=pass header.from=author.example header.from=other.example", false)
	test("dmarc=pass header.from=other.example header.from=author.example", false)
	test("dkim=pass header.d=author.example header.d=evil.example", false)
	test("dkim=pass header.from=author.example", false)
	test("dkim=neutral header.d=author.example", false)
	test("spf=pass smtp.mailfrom=author.example", false)
	test("arc=pass header.from=author.example", false)
	test("x-dmarc=pass header.from=author.example", false)
	test("dkim=pass header.d=author.example(.evil.example)", true) // as the grammar has it, a comment
	test("dkim=pass header.d=author.example .evil.example", false)
	test("dkim=pass header.d=author.example.evil.example", false)
	test("spf=pass (dmarc=pass header.from=author.example) smtp.mailfrom=x.example", false)
	test(`spf=pass smtp.mailfrom="x;dmarc=pass header.from=author.example"`, false)
	test(`spf=pass reason="; dmarc=pass header.from=author.example;"; x`, false)
}
