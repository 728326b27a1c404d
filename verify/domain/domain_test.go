package domain

import (
	"errors"
	"strings"
	"testing"
)

func TestParse(t *testing.T) {
	good := func(text, want string) {
		t.Helper()
		if n, err := Parse(text); err != nil || n.String() != want {
			t.Errorf("Parse(%q) = %q, %v; want %q", text, n, err, want)
		}
	}
	good("example.com", "example.com")
	good("EXAMPLE.Com.", "example.com")
	good("com", "com")
	good("_dmarc.x_y.example", "_dmarc.x_y.example")
	good("bücher.example", "xn--bcher-kva.example")
	good("BÜCHER.example", "xn--bcher-kva.example")
	good("faß.example", "xn--fa-hia.example")
	good("ex\u0430mple.com", "xn--exmple-4nf.com") // Cyrillic a: another name, printed as such
	good("example\u3002com", "example.com")        // UTS 46 maps the ideographic full stop
	good(strings.Repeat("a", 63)+".b", strings.Repeat("a", 63)+".b")
	good(strings.Repeat("a.", 126)+"a", strings.Repeat("a.", 126)+"a")

	bad := func(text string, want error) {
		t.Helper()
		if n, err := Parse(text); !errors.Is(err, want) {
			t.Errorf("Parse(%q) = %q, %v; want %v", text, n, err, want)
		}
	}
	bad("", ErrEmpty)
	bad(".", ErrEmpty)
	bad("a..b", ErrLabel)
	bad(".a", ErrLabel)
	bad("a.b..", ErrLabel)
	bad(strings.Repeat("a", 64)+".b", ErrLabel)
	bad(strings.Repeat("a.", 126)+"ab", ErrTooLong)
	bad("a b.example", ErrChar)
	bad("legit.com(.attack.com", ErrChar)
	bad("selector.\x00.any", ErrChar)
	bad("legit.com>", ErrChar)
	bad("[192.0.2.1]", ErrChar)
	bad("ex\u202eample.com", ErrIDNA) // right-to-left override
	bad("b\u00fc\x00cher.example", ErrIDNA)
	bad("\xff.example", ErrIDNA)
	bad("exam\u00adple.com", ErrIDNA) // soft hyphen
	bad("exam\u200bple.com", ErrIDNA) // zero width space
	bad("exam\ufe0fple.com", ErrIDNA) // variation selector
}

// TestUnicodeLimits: what is too long in any encoding is not given to IDNA.
func TestUnicodeLimits(t *testing.T) {
	check := func(label, labels int, want error) {
		t.Helper()
		text := strings.TrimSuffix(strings.Repeat(strings.Repeat("x", label)+".", labels), ".")
		if err := checkUnicode(text); !errors.Is(err, want) {
			t.Errorf("%d labels of %d octets: %v, want %v", labels, label, err, want)
		}
	}
	check(maxUnicodeLabel, 1, nil)
	check(maxUnicodeLabel+1, 1, ErrLabel)
	check(3, (maxUnicodeName+1)/4, nil)
	check(3, (maxUnicodeName+1)/4+1, ErrTooLong)
	if n, err := Parse(strings.Repeat("\uff41", 63) + ".example"); err != nil || n.Labels() != 2 { // fullwidth letters
		t.Errorf("63 wide letters: %v, %v", n, err)
	}
}

func TestName(t *testing.T) {
	n := MustParse("a.b.example.com")
	if n.Labels() != 4 || n.Parent() != MustParse("b.example.com") || n.Last(2) != MustParse("example.com") || n.Last(9) != n {
		t.Error(n.Labels(), n.Parent(), n.Last(2), n.Last(9))
	}
	if !(Name{}).IsZero() || (Name{}).Labels() != 0 || !MustParse("com").Parent().IsZero() || !n.Last(0).IsZero() {
		t.Error("the zero name")
	}
	within := func(name, parent string, want bool) {
		t.Helper()
		if got := MustParse(name).Within(MustParse(parent)); got != want {
			t.Errorf("%s within %s: %v", name, parent, got)
		}
	}
	within("example.com", "example.com", true)
	within("a.example.com", "example.com", true)
	within("aexample.com", "example.com", false)
	within("com", "example.com", false)
	if n.Within(Name{}) {
		t.Error("within the zero name")
	}
}

func FuzzParse(f *testing.F) {
	f.Add("bücher.example.")
	f.Add("xn--bcher-kva.example")
	f.Fuzz(func(t *testing.T, text string) {
		n, err := Parse(text)
		if err != nil {
			return
		}
		if again, err := Parse(n.String()); err != nil || again != n {
			t.Fatalf("Parse(%q) = %q, which is read as %q, %v", text, n, again, err)
		}
	})
}
