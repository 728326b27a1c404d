package authres

import (
	"reflect"
	"strings"
	"testing"
)

// FuzzParse: what was read, written and read again agrees, less what the
// writer leaves out or alters.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		"", "example.org; none", "example.org 1;none", "a 2; none", "\"a\\\"b\" (c (d) \\)) 1 ; dkim / 1 = pass (x) reason=\"y z\" header.d = example.org;\r\n\tspf=fail smtp.mailfrom=\"u v\"@example.com smtp.p=\"2001:db8::1\"smtp.q=@b\u00fc.example",
		"a; m=pass smtp.p=u..v@example.com", "a; m=pass (;) reason=\"\" x.y=\"a = b\" x.y=\"\"", "a; dkim/2=pass", "((((((((", "a; m=pass header.b=a/b=",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, value string) {
		read, err := Parse(value)
		if err != nil {
			if !reflect.DeepEqual(read, Field{}) {
				t.Errorf("Parse(%q) = %+v with error %v", value, read, err)
			}
			return
		}
		for _, r := range read.Results {
			if strings.Trim(r.Method+r.Value, "abcdefghijklmnopqrstuvwxyz0123456789-") != "" {
				t.Errorf("Parse(%q): %+v is not of lower-case keywords", value, r)
			}
		}
		written := read.Value()
		again := wellFormed(t, read)
		if len(written) < MaxFieldBytes/2 && !reflect.DeepEqual(again, sanitized(read)) {
			t.Errorf("Parse(%q)\nwritten   %q\nread back %+v\nwant      %+v", value, written, again, sanitized(read))
		}
		if third := again.Value(); third != written {
			t.Errorf("written %q\nthen    %q", written, third)
		}
	})
}

// sanitized returns a field that Parse returned as the documentation says that
// it is written.
func sanitized(f Field) Field {
	out := Field{AuthservID: idPlain(f.AuthservID)}
	for _, r := range f.Results {
		if len(r.Method) > MaxKeyword || len(r.Value) > MaxKeyword {
			continue
		}
		r.Comment = Comment(r.Comment)
		r.Reason = strings.NewReplacer(`"`, "'", `\`, "/", "(", "[", ")", "]").Replace(Comment(r.Reason))
		props := r.Props
		r.Props = nil
		for _, p := range props {
			line := "\t" + p.Type + "." + p.Name + "=" + pvalueText(p.Value) + ";"
			if len(p.Type) <= MaxKeyword && len(p.Name) <= MaxKeyword && len(line) <= 998 && writtenWhole(p.Value) {
				r.Props = append(r.Props, p)
			}
		}
		out.Results = append(out.Results, r)
	}
	return out
}

// idPlain returns the id as Value writes it, without quoting.
func idPlain(id string) string {
	plain, err := Parse(Field{AuthservID: id}.Value())
	if err != nil {
		return err.Error()
	}
	return plain.AuthservID
}

// writtenWhole reports whether a value that Parse returned is not left out.
func writtenWhole(value string) bool {
	if at := strings.LastIndexByte(value, '@'); at > 1 && domainName(value[at+1:]) && value[0] == '"' && value[at-1] == '"' {
		value = value[1:at-1] + value[at:] // these quotes are fine
	}
	if value == "" || strings.ContainsAny(value, `;()"\`) || strings.Contains(value, " ") && strings.Contains(value, "=") {
		return false
	}
	for _, r := range value {
		if r < ' ' || r > '~' {
			return false
		}
	}
	return true
}

// FuzzClaimed: a field that the grammar gives to us is never left to a forger, one
// that we could have written under another name stays.
func FuzzClaimed(f *testing.F) {
	for _, seed := range []string{
		"", "mx.example.org; none", "MX.EXAMPLE.ORG. 1; x", "(a(b) mx.example.org; x) other.example; y", `"mx.example.org"(c); dkim=pass`, "other.example; none", "other.example (mx) 1\n ; spf=pass",
		"m\u00fc\u3002example\u00ad; x", ";mx.example.org; dkim=pass", "mx.example.org\x00; x",
	} {
		f.Add(seed)
	}
	id := NewID("mx.example.org")
	f.Fuzz(func(t *testing.T, value string) {
		claimed := id.Claimed(value)
		read, err := Parse(value)
		if err == nil && strings.EqualFold(strings.Trim(read.AuthservID, " \t."), id.String()) && !claimed {
			t.Errorf("%q is ours by Parse and not claimed", value)
		}
		// What simple readers take for the id.
		first, _, _ := strings.Cut(value, ";")
		word, _, _ := strings.Cut(strings.TrimSpace(first), " ")
		for _, naive := range []string{first, word, strings.Trim(first, " \t\r\n\"")} {
			if strings.EqualFold(strings.TrimSpace(naive), id.String()) && !claimed {
				t.Errorf("%q is ours to a simple reader and not claimed", value)
			}
		}
		foreign := err == nil && all(read.AuthservID, isLetDig) && len(value) < maxHeadOctets
		if foreign && !strings.Contains(strings.ToLower(value), "mx.") && claimed {
			t.Errorf("%q is foreign and claimed", value)
		}
	})
}

// FuzzValue: whatever stands in a Field, the value is one well-formed field
// that means the same to both readers.
func FuzzValue(f *testing.F) {
	f.Add("mx.example.net", "dkim", "pass", "", "2048-bit key", "header", "d", "example.com")
	f.Add("a b", "spf", "fail", "why; not", "(", "smtp", "mailfrom", "u v@example.com")
	f.Add("a\r\nBcc: x", "dm;arc", "pass\n", "\r\n\r\n", "x\r\nSubject: y", "header\x00", "from ", "x\r\n y")
	f.Add("m\u00fc.example", "dmarc", "none", "\xff", "header.from=bank.example) ; dkim=pass (\\", "header", "from", `"a\"b"@example.com`)
	f.Fuzz(func(t *testing.T, id, method, value, reason, comment, ptype, name, text string) {
		r := Result{method, value, reason, comment, []Prop{{ptype, name, text}, {"header", "d", text}, {ptype, "i", comment}}}
		field := Field{id, []Result{r, {"spf", "pass", text, comment, r.Props}, {"dkim", "fail", reason, text, []Prop{{"header", "d", id}, {"header", "i", "@" + text}}}}}
		read := wellFormed(t, field)
		if read.Value() != field.Value() {
			t.Errorf("written %q\nthen    %q", field.Value(), read.Value())
		}
		if len(read.Results) < 2 {
			t.Errorf("a proper result is lost in %q", field.Value())
		}
		for _, r := range read.Results {
			for _, p := range r.Props {
				if p.Value == "" {
					t.Errorf("empty property in %q", field.Value())
				}
			}
			if len(r.Comment) > MaxCommentChars || len(r.Reason) > MaxCommentChars {
				t.Errorf("long comment or reason in %q", field.Value())
			}
		}
		// The second reader knows no quoted id.
		field.AuthservID, field.Results = "mx.example.net", field.Results[1:]
		readAlike(t, field)
	})
}
