package dmarc

import (
	"errors"
	"strings"
	"testing"

	"assay/dnscache/dnstest"
	"assay/verify/authres"
	"assay/verify/domain"
	"assay/verify/spf"
)

func TestAuthRes(t *testing.T) {
	zone := dnstest.MustParse(t, `
_dmarc.example.com.       TXT "v=DMARC1; p=reject; sp=none"
_dmarc.all.example.       TXT "v=DMARC1; p=none; sp=quarantine; np=reject; t=y"
_dmarc.down.example.      SERVFAIL
_dmarc.bad.example.       TXT "v=DMARC1"
_dmarc.own.down.example.  TXT "v=DMARC1; p=reject"
`)
	check := func(author, pass, disposition, want string) {
		t.Helper()
		run := Verifier{Resolver: zone}.Begin(t.Context(), domain.MustParse(author))
		s := spf.Check{Identity: spf.MailFrom, Result: spf.Pass, Domain: domain.MustParse(pass)}
		if got := write(run.Finish(s, nil).AuthRes(disposition)); got != want {
			t.Errorf("%s, pass for %s:\n got %s\nwant %s", author, pass, got, want)
		}
	}
	check("example.com", "example.net", "quarantine",
		"dmarc=fail (p=reject sp=none dis=quarantine) header.from=example.com policy.dmarc=reject")
	check("example.com", "example.com", "",
		"dmarc=pass (p=reject sp=none) header.from=example.com policy.dmarc=reject")
	check("www.example.com", "example.net", "none",
		"dmarc=fail (p=reject sp=none dis=none) header.from=www.example.com policy.dmarc=none")
	check("all.example", "example.net", "",
		"dmarc=fail (p=none sp=quarantine np=reject t=y) header.from=all.example policy.dmarc=none")
	check("ghost.all.example", "example.net", "",
		"dmarc=fail (p=none sp=quarantine np=reject t=y) header.from=ghost.all.example policy.dmarc=quarantine")
	check("example.org", "example.org", "none",
		"dmarc=none header.from=example.org")
	check("down.example", "example.net", "none",
		"dmarc=temperror (dis=none) header.from=down.example")
	check("down.example", "down.example", "",
		"dmarc=pass header.from=down.example")
	check("own.down.example", "www.own.down.example", "",
		"dmarc=temperror (p=reject) header.from=own.down.example")
	check("bad.example", "bad.example", "none",
		"dmarc=permerror (record of bad.example: DMARC record without usable policy: no p and no valid rua, dis=none) header.from=bad.example")

	if got, want := write(Invalid(errors.New("two From fields")).AuthRes("reject")),
		"dmarc=permerror (two From fields, dis=reject)"; got != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
}

// write renders r plainly; a property without value is not written.
func write(r authres.Result) string {
	words := []string{r.Method + "=" + r.Value}
	if r.Comment != "" {
		words = append(words, "("+r.Comment+")")
	}
	for _, p := range r.Props {
		if p.Value != "" {
			words = append(words, p.Type+"."+p.Name+"="+p.Value)
		}
	}
	return strings.Join(words, " ")
}
