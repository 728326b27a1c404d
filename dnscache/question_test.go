package dnscache

import (
	"strings"
	"testing"

	"github.com/miekg/dns"
)

func TestAsk(t *testing.T) {
	is := func(name, want string) {
		t.Helper()
		q, ok := ask(name, dns.TypeA)
		if !ok || q != (question{want, dns.TypeA}) {
			t.Errorf("ask(%q): got %q, %v, want %q", name, q.name, ok, want)
		}
	}
	refused := func(name string) {
		t.Helper()
		if q, ok := ask(name, dns.TypeA); ok {
			t.Errorf("ask(%q): got %q, want none", name, q.name)
		}
	}
	label := strings.Repeat("a", 63)
	name253 := strings.Repeat(label+".", 3) + strings.Repeat("b", 61)

	is("example.com", "example.com")
	is("example.com.", "example.com")
	is("_Dmarc.EXAMPLE.Com", "_dmarc.example.com")
	is("com", "com")
	is("a b\\.\x00\xc3\x84.example", "a b\\.\x00\xc3\x84.example")
	is(label, label)
	is("x."+label, "x."+label)
	is(name253, name253)
	is(name253+".", name253)

	refused("")
	refused(".")
	refused("..")
	refused(".example.com")
	refused("a..example.com")
	refused("example.com..")
	refused(label + "a")
	refused(label + "a.example.com")
	refused("x." + label + "a")
	refused(name253 + "b")
}

// TestWire pins that names are escaped exactly as the DNS library returns them
// from the wire, which is what answers are compared with.
func TestWire(t *testing.T) {
	for c := range 256 {
		q, ok := ask("a"+string([]byte{byte(c)})+"b.example", dns.TypeA)
		if !ok {
			t.Fatalf("octet %d: refused", c)
		}
		checkWire(t, q)
	}
}

func checkWire(t *testing.T, q question) {
	t.Helper()
	wire := make([]byte, 300)
	end, err := dns.PackDomainName(q.wire(), wire, 0, nil, false)
	if err != nil {
		t.Fatalf("%q: %v", q.name, err)
	}
	if end != len(q.name)+2 {
		t.Errorf("%q: %d octets on the wire, want %d", q.name, end, len(q.name)+2)
	}
	if back, _, err := dns.UnpackDomainName(wire[:end], 0); err != nil || back != q.wire() {
		t.Errorf("%q: sent as %q, back as %q, %v", q.name, q.wire(), back, err)
	}
}

// FuzzAsk: every name that is not refused goes to the wire and back unchanged.
func FuzzAsk(f *testing.F) {
	f.Add("example.com.")
	f.Add("\\@ \x00\xff;().Example")
	f.Add("a\\")
	f.Add("\\.b")
	f.Add("\\065.b")
	f.Add(strings.Repeat("\x00.", 126) + "\x00")
	f.Fuzz(func(t *testing.T, name string) {
		q, ok := ask(name, dns.TypeTXT)
		if !ok {
			return
		}
		checkWire(t, q)
		if again, ok := ask(q.name, dns.TypeTXT); !ok || again != q {
			t.Errorf("%q: asked again it is %q, %v", name, again.name, ok)
		}
	})
}
