package message

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

func TestAuthor(t *testing.T) {
	check := func(want string, fields ...string) {
		t.Helper()
		var h Header
		for _, f := range fields {
			name, value, _ := strings.Cut(f, ":")
			h = append(h, Field{Name: name, Value: value})
		}
		a := h.Author()
		got := string(a.Kind)
		if a.Kind == AuthorValid {
			got = a.Domain.String()
		} else if a.Err == nil {
			t.Errorf("%q: %s without a reason", fields, got)
		}
		if got != want {
			t.Errorf("%q: got %s (%v), want %s", fields, got, a.Err, want)
		}
	}
	// RFC 5322 §3.4 and §4.4
	check("example.com", "From: a@example.com")
	check("example.com", "from:a@EXAMPLE.com")
	check("example.com", "From: A B <a@example.com>")
	check("example.com", "From: \"A, B\" <a@example.com>")
	check("example.com", "From: A. B. C <a@example.com>")
	check("example.com", "From: (c (n) \\)) A (x) < a@example.com (y) > (z)")
	check("example.com", "From: \"a b\"@example.com")
	check("example.com", "From: \"a\".b.\"c\"@example.com")
	check("example.com", "From: a@example.com, B <b@example.com>")
	check("example.com", "From: G: a@example.com, b@example.com;")
	check("ambiguous", "From: <@x.example,@y.example:a@example.com>")
	check("example.com", "From: <@example.com:a@example.com>")
	check("example.com", "From: ,, a@example.com ,")
	check("example.com", "From: A\r\n B\r\n\t<a@example.com>")
	check("example.com", "From: <a@example.com.>")
	check("example.com", "From: \xc3\xa4\xc3\xb6 <\xc3\xbc@example.com>")
	check("xn--bcher-kva.example", "From: a@b\xc3\xbccher.example")
	check("example.com", "From: =?utf-8?Q?A?= <a@example.com>")
	check("field-name", "From : a@example.com")
	check("field-name", " From: a@example.com")
	check("multiple-domains", "From: a@example.com, b@example.net")
	check("missing")
	check("missing", "Sender: a@example.com", "Resent-From: a@example.com")
	check("no-address", "From:")
	check("no-address", "From: undisclosed:;")
	check("no-address", "From: (a@example.com)")
	check("multiple-fields", "From: a@example.com", "From: a@example.com")
	check("multiple-fields", "From: a@example.com", "FROM : a@example.com")
	check("multiple-fields", "From: a@example.com", " From: b@example.com")

	// published attacks: anything left over is refused
	check("no-address", "From: a")
	check("invalid-domain", "From: a@")
	check("unparsable", "From: @example.com")
	check("unparsable", "From: <a@example.com")
	check("unparsable", "From: a@example.com>")
	check("unparsable", "From: <any@attack.com>admin@legit.com")
	check("unparsable", "From: admin@legit.com <any@attack.com>")
	check("unparsable", "From: <admin@legit.com>\\,<second@attack.com>")
	check("encoded-word", "From: =?utf-8?B?PGFkbWluQGxlZ2l0LmNvbT4=?=,<second@attack.com>")
	check("encoded-word", "From: =?utf-8?B?YQ==?=@legit.com")
	check("invalid-domain", "From: a@[192.0.2.1]")
	check("unparsable", "From: a@exam ple.com")
	check("unparsable", "From: a@example (c) .com")
	check("unparsable", "From: a..b@example.com")
	check("unparsable", "From: .a@example.com")
	check("unparsable", "From: a b@example.com")
	check("invalid-domain", "From: a@example..com")
	check("unparsable", "From: \"a@example.com")
	check("unparsable", "From: (a@example.com")
	check("unparsable", "From: a@example.com)")
	check("control-character", "From: a@example.com\x00.attack.com")
	check("invalid-domain", "From: a@exam\xe2\x80\x8bple.com")
	check("unparsable", "From: G: a@example.com")
	check("unparsable", "From: G: H: a@example.com;;")
	check("unparsable", "From: a@example.com; b@example.com")
	check("unparsable", "From: a@example.com b@example.com")
	check("unparsable", "From: <<a@example.com>>")
	check("unparsable", "From: <@x.example a@example.com>")

	// a careless reader sees another domain
	check("ambiguous", "From: \"<admin@legit.com>\" <x@attack.com>")
	check("ambiguous", "From: (<admin@legit.com>) x@attack.com")
	check("ambiguous", "From: =?utf-8?B?PGFkbWluQGxlZ2l0LmNvbT4=?= <x@attack.com>")
	check("ambiguous", "From: =?utf-8?Q?=3Cadmin=40legit=2Ecom=3E?= <x@attack.com>")
	check("ambiguous", "From: =?windows-1252?Q?=3Cadmin=40legit=2Ecom=3E?= <x@attack.com>")
	check("ambiguous", "From: =?utf-8*en?Q?=3Cadmin=40legit=2Ecom=3E?= <x@attack.com>")
	check("ambiguous", "From: =?utf-8?Q?=3Cadmin=40le?=\r\n =?utf-8?Q?git=2Ecom=3E?= <x@attack.com>")
	check("ambiguous", "From: =?utf-8?B?PGFkbWluQGxlZ2l0LmNvbT4?= <x@attack.com>")
	check("ambiguous", "From: =?unknown?Q?a?= =?utf-8?Q?=3Cadmin=40legit=2Ecom=3E?= <x@attack.com>")
	check("ambiguous", "From: =?a?bc =?utf-8?Q?=3Cadmin=40legit=2Ecom=3E?= <x@attack.com>")
	check("ambiguous", "From: =?utf-8?Q?=zz?= =?utf-8?Q?=3Cadmin=40legit=2Ecom=3E?= <x@attack.com>")
	check("ambiguous", "From: <\"admin@legit.com\"@attack.com>")
	check("ambiguous", "From: \"admin@legit.com\"@attack.com")
	check("ambiguous", "From: a@attack.com, \"admin@legit.com\"@attack.com, <a@attack.com>")
	check("ambiguous", "From: x@(@legit.com)attack.com")
	check("ambiguous", "From: x@attack.com (<admin@legit.com>)")
	check("ambiguous", "From: <@attack.com,@any.com:admin@legit.com>")
	check("ambiguous", "From: <x@attack.com(@legit.com)>")
	check("multiple-domains", "From: <a@attack.com>, <b@legit.com>")
	check("multiple-domains", "From: admin@legit.com,<second@attack.com>")
	// and here none does
	check("example.com", "From: \"a@legit.com\" <x@example.com>")
	check("example.com", "From: \"<a@example.com>\" <x@example.com>")
	check("example.com", "From: \"a@example.com\"@example.com")
	check("example.com", "From: (a@legit.com) x@example.com (b@legit.com)")
	check("example.com", "From: \"A <3 B\" <x@example.com>")
	check("example.com", "From: =?utf-8?Q?a=40legit.com_via_list?= <x@example.com>")
}

func TestAuthorLimits(t *testing.T) {
	list := func(n int) Header {
		return Header{{Name: "From", Value: strings.Repeat("a@example.com,", n)}}
	}
	if a := list(MaxAddresses).Author(); a.Kind != AuthorValid {
		t.Errorf("%d addresses: %v", MaxAddresses, a.Err)
	}
	if a := list(MaxAddresses + 1).Author(); !errors.Is(a.Err, errTooMany) {
		t.Errorf("%d addresses: %v", MaxAddresses+1, a.Err)
	}
	long := func(n int) Header {
		return Header{{Name: "From", Value: "a@example.com" + strings.Repeat(" ", n-13)}}
	}
	if a := long(MaxAddressBytes).Author(); a.Kind != AuthorValid {
		t.Errorf("%d octets: %v", MaxAddressBytes, a.Err)
	}
	if a := long(MaxAddressBytes + 1).Author(); !errors.Is(a.Err, errTooLong) {
		t.Errorf("%d octets: %v", MaxAddressBytes+1, a.Err)
	}
	nested := func(n int) Header {
		return Header{{Name: "From", Value: strings.Repeat("(", n) + strings.Repeat(")", n) + "a@example.com"}}
	}
	if a := nested(maxComments).Author(); a.Kind != AuthorValid {
		t.Errorf("%d comments: %v", maxComments, a.Err)
	}
	if a := nested(maxComments + 1).Author(); !errors.Is(a.Err, errComment) {
		t.Errorf("%d comments: %v", maxComments+1, a.Err)
	}
}

func FuzzAuthor(f *testing.F) {
	f.Add("A <a@example.com>, G: (c) \"x\"@b.example;")
	f.Add("<@a,@b:c@d.example>")
	f.Fuzz(func(t *testing.T, value string) {
		a := Header{{Name: "From", Value: value}}.Author()
		if (a.Kind == AuthorValid) != (a.Err == nil) || (a.Kind == AuthorValid) == a.Domain.IsZero() {
			t.Fatalf("%q: %+v", value, a)
		}
		if a.Kind != AuthorValid {
			return
		}
		// What was read as the domain is read alike where it stands alone.
		again := Header{{Name: "From", Value: fmt.Sprintf("<x@%s>", a.Domain)}}.Author()
		if again.Domain != a.Domain {
			t.Fatalf("%q: %s, alone %s (%v)", value, a.Domain, again.Domain, again.Err)
		}
	})
}
