package spf

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"assay/dnscache/dnstest"
	"assay/verify/domain"
)

// describe renders a record and what it leads to on one line.
func describe(r *Record) string {
	var words []string
	for _, t := range r.Terms {
		w := t.Text
		if t.Result != "" {
			w += "=" + string(t.Result)
		}
		if t.Lookups > 0 {
			w += fmt.Sprintf("#%d", t.Lookups)
		}
		if t.Unused {
			w += " unused"
		}
		for _, n := range t.Networks {
			w += " " + n.String()
		}
		if t.Next != nil {
			w += " {" + describe(t.Next) + "}"
		}
		if t.Err != nil {
			w += " !" + t.Err.Error()
		}
		words = append(words, w)
	}
	if r.Err != nil {
		words = append(words, "!"+r.Err.Error())
	}
	return r.Domain + ": " + strings.Join(words, "; ")
}

func TestSurvey(t *testing.T) {
	const zone = "h.org. A 192.0.2.3\nh.org. AAAA 2001:db8::3\nm.org. MX 0 h.org.\nm.org. MX 1 gone.org.\n" +
		"i.org. TXT \"v=spf1 ip4:192.0.2.9/24 ?all\"\nbad.org. TXT \"v=spf1 moo\"\ndown.org. SERVFAIL\n" +
		"loop.org. TXT \"v=spf1 include:x.org\"\ntwo.org. TXT \"v=spf1\"\ntwo.org. TXT \"V=SPF1 a\"\ntwo.org. TXT other\n"
	check := func(record, want string, lookups, void int, reason error) {
		t.Helper()
		z := dnstest.MustParse(t, "x.org. TXT \"v=spf1"+record+"\"\n"+zone)
		s := Verifier{Resolver: z}.Survey(t.Context(), domain.MustParse("x.org"))
		if got := describe(s.Record); got != "x.org: "+want {
			t.Errorf("%s:\ngot  %s\nwant x.org: %s", record, got, want)
		}
		if s.Lookups != lookups || s.Void != void || !errors.Is(s.Err, reason) || s.Queries != len(z.Questions()) {
			t.Errorf("%s: %d look-ups, %d void, %d of %d questions, %v; want %d, %d, %v", record, s.Lookups, s.Void,
				s.Queries, len(z.Questions()), s.Err, lookups, void, reason)
		}
	}
	check("", "", 0, 0, nil)
	check(" ~all moo=x exp=%{d}.org a", "~all=softfail; moo=x unused; exp=%{d}.org unused; a unused", 0, 0, nil)
	check(" a:h.org/24//64 -all", "a:h.org/24//64=pass#1 192.0.2.0/24 2001:db8::/64; -all=fail", 1, 0, nil)
	check(" ?mx:m.org", "?mx:m.org=neutral#1 192.0.2.3/32 2001:db8::3/128", 1, 0, nil)
	check(" a mx:h.org exists:no.org", "a=pass#1; mx:h.org=pass#2; exists:no.org=pass#3", 3, 3, ErrTooManyVoid)
	check(" ptr exists:%{i}.%{d} a:%{h}", "ptr=pass#1; exists:%{i}.%{d}=pass#2; a:%{h}=pass#3", 3, 0, nil)
	check(" redirect=i.org a:h.org", "redirect=i.org#2 {i.org: ip4:192.0.2.9/24=pass 192.0.2.0/24; ?all=neutral}; a:h.org=pass#1 192.0.2.3/32 2001:db8::3/128", 2, 0, nil)
	check(" redirect=i.org -all", "redirect=i.org unused; -all=fail", 0, 0, nil)
	check(" include:loop.org", "include:loop.org=pass#1 {loop.org: include:x.org=pass#2 {x.org: !too many DNS look-ups: the record leads back to itself}}", 2, 0, ErrTooManyLookups)
	check(" include:none.%{d}", "include:none.%{d}=pass#1 {none.x.org: !no SPF record}", 1, 0, ErrNoRecord)
	check(" include:a..org", "include:a..org=pass#1 {a..org: !no SPF record}", 1, 0, ErrNoRecord)
	check(" include:two.org", "include:two.org=pass#1 {two.org: !more than one SPF record: 2}", 1, 0, ErrMultipleRecords)
	check(" a:down.org", "a:down.org=pass#1 !DNS failure: look-up of A \"down.org\": lookup down.org: server misbehaving", 1, 0, ErrDNS)
	check(" a:down.org include:bad.org", "a:down.org=pass#1 !DNS failure: look-up of A \"down.org\": lookup down.org: server misbehaving; "+
		"include:bad.org=pass#2 {bad.org: !syntax error in SPF record: \"moo\": unknown mechanism}", 2, 0, ErrSyntax)
}

// TestSurveyLimits: the look-ups of RFC 7208 are counted on beyond the limit,
// and our own questions are bounded.
func TestSurveyLimits(t *testing.T) {
	survey := func(record string, zone *dnstest.Zone) *Survey {
		zone.Add("x.org", "TXT", record)
		return Verifier{Resolver: zone}.Survey(t.Context(), domain.MustParse("x.org"))
	}
	for _, n := range []int{MaxLookups, MaxLookups + 1, 30} {
		zone := dnstest.MustParse(t, "h.org. A 192.0.2.3")
		s := survey("v=spf1"+strings.Repeat(" a:h.org", n), zone)
		if s.Lookups != n || errors.Is(s.Err, ErrTooManyLookups) != (n > MaxLookups) {
			t.Errorf("%d terms: %d look-ups, %v", n, s.Lookups, s.Err)
		}
	}
	// Two records of which each includes a hundred others, each anew.
	zone := dnstest.New()
	zone.Add("*.y.org", "TXT", "v=spf1"+strings.Repeat(" include:%{d1}.z.org include:n%{d}", 40))
	zone.Add("*.z.org", "TXT", "v=spf1 a mx")
	s := survey("v=spf1 include:a.y.org", zone)
	if asked := len(zone.Questions()); asked != MaxSurveyQueries || s.Queries != asked || s.Err == nil {
		t.Errorf("%d questions, %d counted, %v; want %d", asked, s.Queries, s.Err, MaxSurveyQueries)
	}
	mx := dnstest.New()
	for i := range maxMXHosts + 1 {
		mx.Add("m.org", "MX", "0", fmt.Sprintf("h%d.org", i))
	}
	if s := survey("v=spf1 mx:m.org", mx); !errors.Is(s.Err, ErrTooManyMX) {
		t.Errorf("%d hosts: %v", maxMXHosts+1, s.Err)
	}
}
