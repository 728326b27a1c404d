package verify

import (
	"strings"
	"testing"
)

func TestReadReceived(t *testing.T) {
	check := func(text, want string) {
		t.Helper()
		got := ""
		if h, ok := readReceived(text); ok {
			got = h.helo + " " + h.addr.String() + " " + h.by.String()
		}
		if got != want {
			t.Errorf("%q:\n got %q\nwant %q", text, got, want)
		}
	}
	const good = "out.example.com 192.0.2.7 fwd.example.edu"
	check("from out.example.com (out.example.com [192.0.2.7])\tby fwd.example.edu (Postfix) with ESMTP id 4X; Tue, 24 Nov 2026 12:00:00 +0000", good)
	check("from out.example.com (unknown [192.0.2.7])\t(using TLSv1.3 with cipher X (256/256 bits))\t(No client certificate requested)\tby Fwd.Example.EDU with ESMTPS", good)
	check("from out.example.com (host.example.com [192.0.2.7] (may be forged)) by fwd.example.edu (8.18/8.18) with ESMTP", good)
	check("FROM out.example.com ([192.0.2.7] helo=out.example.com) by fwd.example.edu with esmtp", good)
	check("from [192.0.2.7] (x.example.com [IPv6:2001:db8::7]) by fwd.example.edu", "[192.0.2.7] 2001:db8::7 fwd.example.edu")
	check("from out.example.com (x [::ffff:192.0.2.7]) by fwd.example.edu", good)

	for _, bad := range []string{
		"", "from", "from out.example.com", "by fwd.example.edu",
		"from out.example.com by fwd.example.edu",
		"from out.example.com (out.example.com) by fwd.example.edu",
		"from out.example.com (out.example.com [192.0.2.7]",
		"from out.example.com (out.example.com [192.0.2.7])",
		"from out.example.com (out.example.com [192.0.2.7]) by",
		"from out.example.com (out.example.com [192.0.2.7]) with ESMTP by fwd.example.edu",
		"from out.example.com (out.example.com [192.0.2.300]) by fwd.example.edu",
		"from out.example.com (out.example.com [fe80::1%eth0]) by fwd.example.edu",
		"from out.example.com (out.example.com [IPv6:192.0.2.7]) by fwd.example.edu",
		// The client's own words never pass for the address.
		"from x([192.0.2.7]) (out.example.com [198.51.100.1]) by fwd.example.edu",
		"from ([192.0.2.7]) (out.example.com [198.51.100.1]) by fwd.example.edu",
		"from out.example.com [192.0.2.7] (out.example.com [198.51.100.1]) by fwd.example.edu",
		"from out.example.com (a[192.0.2.7] [198.51.100.1]) by fwd.example.edu",
		"from out.example.com (a b [192.0.2.7]) by fwd.example.edu",
		"from out.example.com (helo=[192.0.2.7] [198.51.100.1]) by fwd.example.edu",
		"from out.example.com ([192.0.2.7][198.51.100.1]) by fwd.example.edu",
		"from out.example.com ([198.51.100.1] helo=[192.0.2.7]) by fwd.example.edu",
		"from out.example.com (\"a\" [192.0.2.7]) by fwd.example.edu",
		"from out.example.com (a\\) [192.0.2.7]) by fwd.example.edu",
		"from out.example.com (a) ([192.0.2.7]) by fwd.example.edu",
		"from out.example.com (x [192.0.2.7]) by fwd_example edu.\x00",
		"from out.example.com (x [192.0.2.7]) by [203.0.113.1]",
	} {
		check(bad, "")
	}
	pad := func(n int) string {
		text := "from out.example.com (x [192.0.2.7]) by fwd.example.edu "
		return text + strings.Repeat("x", n-len(text))
	}
	check(pad(maxReceived), good)
	check(pad(maxReceived+1), "")
}

// FuzzReceived: what is read of a field is well-formed, and stands in it.
func FuzzReceived(f *testing.F) {
	f.Add("from out.example.com (out.example.com [192.0.2.7]) by fwd.example.edu")
	f.Add("from [192.0.2.7] ([IPv6:2001:db8::7] helo=x) (a (b)) by fwd.example.edu with x")
	f.Add("from x (((((")
	f.Fuzz(func(t *testing.T, text string) {
		h, ok := readReceived(text)
		if !ok {
			return
		}
		if !h.addr.IsValid() || h.addr.Zone() != "" || h.addr.Is4In6() || h.by.IsZero() || !strings.Contains(text, h.helo) || strings.ContainsAny(h.helo, " ()") {
			t.Errorf("%q: got %+v", text, h)
		}
	})
}
