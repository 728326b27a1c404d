package tags

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

func TestParse(t *testing.T) {
	good := func(text, want string) {
		t.Helper()
		list, err := Parse(text)
		got := ""
		for _, tag := range list {
			got += fmt.Sprintf("%s=[%s]", tag.Name, tag.Value)
			if trim(text[tag.Start:tag.End]) != tag.Value {
				t.Errorf("Parse(%q): %s= lies at %q", text, tag.Name, text[tag.Start:tag.End])
			}
		}
		if err != nil || got != want {
			t.Errorf("Parse(%q) = %s, %v; want %s", text, got, err, want)
		}
	}
	good("a=b", "a=[b]")
	good("a=b;", "a=[b]")
	good("a=b; ", "a=[b]")
	good(" a = b ; c=\r\n d", "a=[b]c=[d]")
	good("a=;b=", "a=[]b=[]")
	good("a=b=c", "a=[b=c]")
	good("a_1=x y\tz", "a_1=[x y\tz]")
	good("A=1;a=2", "A=[1]a=[2]")
	good("d=b\xc3\xbccher.example", "d=[b\xc3\xbccher.example]")
	good("b=ab\r\n\tcd\r\n ; s=x", "b=[ab\r\n\tcd]s=[x]")

	bad := func(text string, want error) {
		t.Helper()
		if list, err := Parse(text); !errors.Is(err, want) {
			t.Errorf("Parse(%q) = %v, %v; want %v", text, list, err, want)
		}
	}
	bad("", ErrSyntax)
	bad(";", ErrSyntax)
	bad("a=b;;", ErrSyntax)
	bad("a=b;;c=d", ErrSyntax)
	bad("a", ErrSyntax)
	bad("a=b;c", ErrSyntax)
	bad("=b", ErrSyntax)
	bad("1a=b", ErrSyntax)
	bad("a b=c", ErrSyntax)
	bad("a=b;a=c", ErrDuplicate)
	bad("a=\x00", ErrSyntax)
	bad("a=b\rc", ErrSyntax)
	bad("a=b\nc", ErrSyntax)
	bad("a=b\x7f", ErrSyntax)
}

// TestErrorPlace: a caret under that octet shows what is meant.
func TestErrorPlace(t *testing.T) {
	check := func(text string, at int) {
		t.Helper()
		_, err := Parse(text)
		var fault *Error
		if !errors.As(err, &fault) || fault.At != at || fault.Error() != fault.Err.Error() {
			t.Errorf("Parse(%q): %v, want an error at %d", text, err, at)
		}
	}
	check("", 0)
	check("a=b;  c", 6)
	check("a=b;;c=d", 4)
	check("a=b; \r\n 1c=d", 8)
	check("a=b; a=c", 5)
	check("a=b; c= x\x00y", 9)
	check("a=b\rc", 3)
	list, err := Parse("a=b; p=\r\n x ; q=;")
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]int{"p": 10, "q": 16} {
		tag, _ := list.Find(name)
		var fault *Error
		if err := tag.Fault(ErrSyntax); !errors.Is(err, ErrSyntax) || !errors.As(err, &fault) || fault.At != want {
			t.Errorf("%s=: %v, want a fault at %d", name, err, want)
		}
	}
}

func TestMaxTags(t *testing.T) {
	list := func(n int) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, "t%d=x;", i)
		}
		return b.String()
	}
	if got, err := Parse(list(MaxTags)); err != nil || len(got) != MaxTags {
		t.Errorf("%d tags: %d, %v", MaxTags, len(got), err)
	}
	if _, err := Parse(list(MaxTags + 1)); !errors.Is(err, ErrTooMany) {
		t.Errorf("%d tags: %v", MaxTags+1, err)
	}
}

func TestItems(t *testing.T) {
	if got := fmt.Sprintf("%q", Items(" from : to:\r\n\tsubject")); got != `["from" "to" "subject"]` {
		t.Error(got)
	}
	if got := Compact("ab \r\n\tcd"); got != "abcd" {
		t.Error(got)
	}
}

func FuzzParse(f *testing.F) {
	f.Add("v=1; a=rsa-sha256; d=example.com; b=ab\r\n cd; bh=x=;")
	f.Add("a=b;;c")
	f.Fuzz(func(t *testing.T, text string) {
		list, err := Parse(text)
		if err != nil {
			return
		}
		// What was read, written again, is read alike.
		var b strings.Builder
		for _, tag := range list {
			fmt.Fprintf(&b, "%s=%s;", tag.Name, tag.Value)
		}
		again, err := Parse(b.String())
		if err != nil || len(again) != len(list) {
			t.Fatalf("%q was read, its rewriting %q was not: %v", text, b.String(), err)
		}
		for i := range list {
			if list[i].Name != again[i].Name || list[i].Value != again[i].Value {
				t.Fatalf("%q: %v became %v", text, list[i], again[i])
			}
		}
	})
}
