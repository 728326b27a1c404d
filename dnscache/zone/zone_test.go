package zone

import (
	"fmt"
	"strings"
	"testing"

	"github.com/miekg/dns"
)

const master = `
$ORIGIN example.com.
$TTL 60
@           SOA ns hostmaster 1 2 3 4 90
@           TXT "v=spf1 " "mx -all"   ; a comment
            MX  10 mx1
            600 IN A 192.0.2.1
alias       CNAME a.b.alias2
a.b.alias2  CNAME example.com.
loop        CNAME loop
lost        CNAME nowhere
*.wild      TXT "wild"
mx.wild     A 192.0.2.2
`

func parse(t *testing.T, text string) *Zone {
	t.Helper()
	z, err := Parse(strings.NewReader(text), "test.zone")
	if err != nil {
		t.Fatal(err)
	}
	return z
}

// show renders a reply: the response code and the records of both sections.
func show(reply *dns.Msg) string {
	words := []string{dns.RcodeToString[reply.Rcode]}
	for _, rr := range append(reply.Answer, reply.Ns...) {
		words = append(words, strings.ReplaceAll(rr.String(), "\t", " "))
	}
	return strings.Join(words, "; ")
}

func TestReply(t *testing.T) {
	z := parse(t, master)
	z.Fail("down.example.com", dns.TypeNone, dns.RcodeServerFailure)
	z.Fail("part.example.com", dns.TypeA, dns.RcodeRefused)
	const soa = "example.com. 60 IN SOA ns.example.com. hostmaster.example.com. 1 2 3 4 90"
	says := func(name, rrtype, want string) {
		t.Helper()
		if got := show(z.Reply(new(dns.Msg).SetQuestion(name, dns.StringToType[rrtype]))); got != want {
			t.Errorf("%s %s: got %s, want %s", name, rrtype, got, want)
		}
	}
	says("example.com.", "TXT", `NOERROR; example.com. 60 IN TXT "v=spf1 " "mx -all"`)
	says("EXAMPLE.com.", "A", "NOERROR; example.com. 600 IN A 192.0.2.1")
	says("alias.example.com.", "MX", "NOERROR; alias.example.com. 60 IN CNAME a.b.alias2.example.com.; "+
		"a.b.alias2.example.com. 60 IN CNAME example.com.; example.com. 60 IN MX 10 mx1.example.com.")
	says("loop.example.com.", "A", "SERVFAIL")
	says("lost.example.com.", "A", "NXDOMAIN; lost.example.com. 60 IN CNAME nowhere.example.com.; "+soa)
	says("b.alias2.example.com.", "A", "NOERROR; "+soa)
	says("nowhere.example.com.", "A", "NXDOMAIN; "+soa)
	says("x.y.wild.example.com.", "TXT", `NOERROR; x.y.wild.example.com. 60 IN TXT "wild"`)
	says("x.mx.wild.example.com.", "TXT", "NXDOMAIN; "+soa)
	says(`a\.b.example.com.`, "TXT", "NXDOMAIN")
	says("down.example.com.", "TXT", "SERVFAIL")
	says("part.example.com.", "A", "REFUSED")
	says("part.example.com.", "TXT", "NOERROR; "+soa)
	says("org.", "A", "NXDOMAIN; org. 300 IN SOA ns.invalid. hostmaster.invalid. 0 0 0 0 300")
}

func TestParseRefuses(t *testing.T) {
	refuses := func(text, want string) {
		t.Helper()
		if _, err := Parse(strings.NewReader(text), "test.zone"); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want an error with %q", text, err, want)
		}
	}
	refuses("x. A 192.0.2.1\nx. A nonsense", "test.zone: dns: bad A")
	refuses("x. A 192.0.2.1\nx. A nonsense", "line: 2")
	refuses("relative A 192.0.2.1", "test.zone")
	refuses(`a\.b. A 192.0.2.1`, "dot")
	refuses("$INCLUDE /etc/passwd", "$INCLUDE")
}

func TestChainLimit(t *testing.T) {
	z := parse(t, "0.example. A 192.0.2.1")
	for i := 1; i <= maxChain+1; i++ {
		name := fmt.Sprintf("%d.example", i)
		z.Insert(name, &dns.CNAME{Hdr: dns.RR_Header{Name: name + ".", Rrtype: dns.TypeCNAME}, Target: fmt.Sprintf("%d.example.", i-1)})
	}
	if got := z.Answer(fmt.Sprintf("%d.example", maxChain), dns.TypeA); len(got.Records) != 1 || len(got.Chain) != maxChain {
		t.Errorf("at the limit: got %+v", got)
	}
	if got := z.Answer(fmt.Sprintf("%d.example", maxChain+1), dns.TypeA); got.Rcode != dns.RcodeServerFailure {
		t.Errorf("over the limit: got %+v", got)
	}
}

// TestEscape pins that names are escaped exactly as the DNS library returns
// them from the wire.
func TestEscape(t *testing.T) {
	for c := range 256 {
		if c == '.' {
			continue
		}
		name := "a" + string([]byte{byte(c)}) + "b.example"
		wire := make([]byte, 300)
		end, err := dns.PackDomainName(Escape(name), wire, 0, nil, false)
		if err != nil {
			t.Fatalf("%q: %v", name, err)
		}
		back, _, err := dns.UnpackDomainName(wire[:end], 0)
		if err != nil || back != Escape(name) {
			t.Errorf("%q: escaped %q, back from the wire %q, %v", name, Escape(name), back, err)
		}
		if raw, ok := Unescape(back); !ok || raw != name {
			t.Errorf("%q: unescaped to %q", name, raw)
		}
	}
}

func TestDecode(t *testing.T) {
	is := func(text, want string) {
		t.Helper()
		if got, _ := decode(text); got != want {
			t.Errorf("decode(%q): got %q, want %q", text, got, want)
		}
	}
	is("", "")
	is("plain", "plain")
	is(`\"\\`, `"\`)
	is(`\000\255\065`, "\x00\xffA")
	is(`a\0091`, "a\t1")
	is(`\`, `\`)
	is(`\1`, `1`)
}
