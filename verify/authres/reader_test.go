package authres

import (
	"strings"
	"testing"

	second "github.com/emersion/go-msgauth/authres"
)

// What we write must mean the same to a reader that knows no comments and no
// quoted-strings and just cuts at ";" and at blanks.
func TestSecondReader(t *testing.T) {
	for _, foreign := range []string{
		"", "p=reject dis=quarantine", "body hash mismatch", "; dkim=pass header.d=bank.example", "a) header.d=bank.example (b",
		"x header.d=bank.example header.i=@bank.example header.from=bank.example smtp.mailfrom=bank.example smtp.helo=bank.example y",
	} {
		f := Field{"mx.example.net", []Result{
			{"spf", "pass", "", foreign, []Prop{{"smtp", "mailfrom", "list.example.org"}}},
			{"spf", "softfail", foreign, "", []Prop{{"smtp", "helo", "out.example.org"}}},
			{"dkim", "fail", "", foreign, []Prop{{"header", "d", "example.com"}, {"header", "i", "@mail.example.com"}, {"header", "b", "Ab3/dEfG"}}},
			{"dkim", "neutral", "", foreign, []Prop{{"header", "i", foreign}, {"header", "d", "example.com"}}},
			{"dmarc", "fail", foreign, foreign, []Prop{{"header", "from", "example.com"}, {"policy", "dmarc", "reject"}}},
			{"dmarc", "none", "", foreign, nil},
		}}
		readAlike(t, f)
	}
	readAlike(t, Field{AuthservID: "mx.example.net"})
}

// readAlike checks that the second reader sees in f.Value() what Parse sees.
func readAlike(t *testing.T, f Field) {
	t.Helper()
	value := f.Value()
	ours := wellFormed(t, f)
	id, theirs, err := second.Parse(value)
	if err != nil || id != ours.AuthservID || len(theirs) != len(ours.Results) {
		t.Fatalf("%q\nread as %q with %d results, %v; want %q with %d", value, id, len(theirs), err, ours.AuthservID, len(ours.Results))
	}
	for i, r := range ours.Results {
		var got, want Result
		switch their := theirs[i].(type) {
		case *second.SPFResult:
			got = Result{Method: "spf", Value: string(their.Value), Props: []Prop{{"smtp", "mailfrom", their.From}, {"smtp", "helo", their.Helo}}}
		case *second.DKIMResult:
			got = Result{Method: "dkim", Value: string(their.Value), Props: []Prop{{"header", "d", their.Domain}, {"header", "i", their.Identifier}}}
		case *second.DMARCResult:
			got = Result{Method: "dmarc", Value: string(their.Value), Props: []Prop{{"header", "from", their.From}}}
		default:
			t.Fatalf("%q: result %d is a %T", value, i, their)
		}
		want = Result{Method: r.Method, Value: r.Value}
		for j, p := range got.Props {
			// It keeps the last of several equal properties, and of a
			// quoted-string the quotes and what stands before the first blank.
			p.Value = ""
			for _, q := range r.Props {
				if q.Type == p.Type && q.Name == p.Name {
					p.Value, _, _ = strings.Cut(pvalueText(q.Value), " ")
				}
			}
			if got.Props[j] != p {
				t.Errorf("%q\nresult %d: second reader has %+v, want %+v", value, i, got.Props[j], p)
			}
		}
		if got.Method != want.Method || got.Value != want.Value {
			t.Errorf("%q\nresult %d: second reader has %s=%s, want %s=%s", value, i, got.Method, got.Value, want.Method, want.Value)
		}
	}
}

// The reasons for a reader of our own, pinned: should the library learn these,
// claim.go could be thought over.
func TestSecondReaderMissesForgeries(t *testing.T) {
	for _, value := range []string{`"mx.example.org"; dkim=pass`, "mx.example.org(x); dkim=pass", "(x) mx.example.org; dkim=pass"} {
		if id, _, err := second.Parse(value); err == nil && id == "mx.example.org" {
			t.Errorf("go-msgauth now reads the authserv-id of %q", value)
		}
	}
}
