package arc

import (
	"net/netip"
	"testing"

	"assay/verify/authres"
	"assay/verify/domain"
)

// FuzzSets: whatever the header, the result is one of three, what is written of
// it can be read, the questions are bounded, the same comes out however the body
// is cut, and nobody is trusted who is not listed.
func FuzzSets(f *testing.F) {
	zone := newMail(f).seal(station{domain: "a.example"}).seal(station{domain: "b.example"}).zone
	f.Add(newMail(f).text(), 0)
	f.Add(relayed(f, 1).text(), 3)
	f.Add(relayed(f, 3).edit("ARC-Seal", "b=", "b=A").text(), 12)
	f.Add(newMail(f).seal(station{domain: "a.example", canon: "simple/simple", ams: "l=5;"}).seal(station{domain: "b.example", h: " "}).text(), 1)
	f.Add(newMail(f).seal(station{domain: "a.example", cv: "fail", results: " x; dmarc=pass action=none (a;\"b\")"}).text(), 1)
	f.Fuzz(func(t *testing.T, text string, at int) {
		header, body := parseText(text)
		zone.Reset()
		whole := run(zone, header, body)
		if asked := len(zone.Questions()); asked > MaxLookups {
			t.Errorf("%d questions", asked)
		}
		at = max(0, min(at, len(body)))
		parts := run(zone, header, body[:at], body[at:])
		if whole.Result != parts.Result || whole.OldestPass != parts.OldestPass || reason(whole.Err) != reason(parts.Err) || reason(whole.Caveat) != reason(parts.Caveat) {
			t.Errorf("whole: %+v\ncut at %d: %+v", whole, at, parts)
		}
		switch whole.Result {
		case None, Pass:
			if whole.Err != nil {
				t.Errorf("%s with %v", whole.Result, whole.Err)
			}
		case Fail:
			if whole.Err == nil {
				t.Error("fail without a reason")
			}
		default:
			t.Errorf("result %q", whole.Result)
		}
		if set, ok := whole.TrustedFor(domain.MustParse("author.example"), nil); ok {
			t.Errorf("trusted: %+v", set)
		}
		written := authres.Field{AuthservID: "mx.example", Results: []authres.Result{whole.AuthRes(netip.MustParseAddr("2001:db8::1"))}}
		if read, err := authres.Parse(written.Value()); err != nil || len(read.Results) != 1 {
			t.Errorf("%q reads as %v, %v", written.Value(), read, err)
		}
	})
}

func reason(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// FuzzResults: reading result by result never finds more in a payload than there
// are parts, and what a strict reader accepts is read as it does.
func FuzzResults(f *testing.F) {
	f.Add(" mx.example; spf=pass smtp.mailfrom=a@b.example; dmarc=pass (p=none) header.from=b.example")
	f.Add("mx; dmarc=pass action=none header.from=b.example;dkim=pass header.d=b.example header.b=a/b=")
	f.Add(`mx; x; spf=pass smtp.mailfrom="; dmarc=pass ("@c.example; (\);("))`)
	f.Fuzz(func(t *testing.T, payload string) {
		s := Set{Instance: 1}
		s.readResults(payload)
		parts, err := split(payload)
		if n := len(s.Results.Results); err == nil && n+s.Unread >= len(parts) && n > 0 {
			t.Errorf("%d results and %d unread in %d parts", n, s.Unread, len(parts))
		}
		strict, err := authres.Parse(payload)
		if err == nil && (s.Unread > 0 || s.ResultsErr != nil || len(strict.Results) != len(s.Results.Results)) {
			t.Errorf("strict: %v\nread: %+v", strict, s)
		}
		if s.ResultsErr != nil && s.Results.Results != nil {
			t.Errorf("an error and results: %+v", s)
		}
	})
}
