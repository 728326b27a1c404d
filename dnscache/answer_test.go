package dnscache

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"
)

// readAnswer sends the records through the wire format to read.
func readAnswer(t testing.TB, q question, rcode int, answer, authority []string) (*entry, error) {
	t.Helper()
	query := new(dns.Msg).SetQuestion(q.wire(), q.qtype)
	m := respond(query, answer...)
	m.Ns = respond(query, authority...).Answer
	m.Rcode = rcode
	reply, err := parse(pack(m))
	if err != nil {
		t.Fatal(err)
	}
	return read(reply, q)
}

func TestOnlyOurRecordsAreTaken(t *testing.T) {
	takes := func(want string, answer ...string) {
		t.Helper()
		e, err := readAnswer(t, question{"x.example", dns.TypeTXT}, dns.RcodeSuccess, answer, nil)
		got := fmt.Sprint(err)
		if err == nil {
			got = fmt.Sprint(e.txt.Records, " ", e.ttl)
		}
		if got != want {
			t.Errorf("%q: got %s, want %s", answer, got, want)
		}
	}
	takes("[a] 1m0s", "x.example. 60 IN TXT a")
	takes("[a] 1m0s", "X.Example. 60 IN TXT a")
	takes("[a] 1m0s", "x.example. 60 IN TXT a", "evil.example. 1 IN TXT b")
	takes("[a] 1m0s", "x.example. 60 IN TXT a", "x.example. 1 CH TXT b")
	takes("[a] 1m0s", "x.example. 60 IN TXT a", "x.example. 1 IN A 192.0.2.1")
	takes("[a] 1m0s", "x.example. 60 IN TXT a", `x\.example. 1 IN TXT b`)
	takes("[a] 1m0s", "y.example. 60 IN TXT a", "x.example. 90 IN CNAME y.example.")
	takes("[a] 1m0s", "x.example. 60 IN CNAME y.example.", "y.example. 90 IN TXT a", "z.example. 1 IN CNAME y.example.")
	takes("[a] 1m0s", "x.example. 60 IN TXT a", "x.example. 1 IN CNAME y.example.", "y.example. 1 IN TXT b")
	takes("[] 0s", "evil.example. 60 IN TXT b")
	takes("[] 0s")
	takes("[] 0s", "x.example. 60 IN CNAME y.example.", "evil.example. 60 IN TXT b")
}

func TestNegativeTTL(t *testing.T) {
	lasts := func(want time.Duration, authority ...string) {
		t.Helper()
		for _, rcode := range []int{dns.RcodeSuccess, dns.RcodeNameError} {
			e, err := readAnswer(t, question{"a.x.example", dns.TypeTXT}, rcode, nil, authority)
			if err != nil || e.ttl != want || (e.err != nil) != (rcode == dns.RcodeNameError) {
				t.Errorf("%s %q: got %+v, %v, want a TTL of %v", dns.RcodeToString[rcode], authority, e, err, want)
			}
		}
	}
	lasts(60*time.Second, "x.example. 60 IN SOA . . 1 2 3 4 90")
	lasts(60*time.Second, "X.EXAMPLE. 90 IN SOA . . 1 2 3 4 60")
	lasts(60*time.Second, "a.x.example. 90 IN SOA . . 1 2 3 4 60")
	lasts(60*time.Second, ". 90 IN SOA . . 1 2 3 4 60")
	lasts(time.Hour, "x.example. 3601 IN SOA . . 1 2 3 4 3601")
	lasts(0, "x.example. 60 IN SOA . . 1 2 3 4 4294967295")
	lasts(0)
	lasts(0, "y.example. 60 IN SOA . . 1 2 3 4 60")
	lasts(0, "b.a.x.example. 60 IN SOA . . 1 2 3 4 60")
	lasts(0, "x.example. 60 CH SOA . . 1 2 3 4 60")
	lasts(60*time.Second, "x.example. 60 IN NS ns.example.", "x.example. 60 IN SOA . . 1 2 3 4 60")
}

func TestChainLimit(t *testing.T) {
	chain := func(links int) error {
		answer := []string{fmt.Sprintf("n%d. 60 IN A 192.0.2.1", links)}
		for i := range links {
			answer = append(answer, fmt.Sprintf("n%d. 60 IN CNAME n%d.", i, i+1))
		}
		_, err := readAnswer(t, question{"n0", dns.TypeA}, dns.RcodeSuccess, answer, nil)
		return err
	}
	if err := chain(maxChain); err != nil {
		t.Errorf("at the limit: %v", err)
	}
	if err := chain(maxChain + 1); err != errChain {
		t.Errorf("over the limit: %v", err)
	}
}

func TestRecordLimits(t *testing.T) {
	reads := func(what string, qtype uint16, n int, record string, want error) *entry {
		t.Helper()
		var answer []string
		for i := range n {
			answer = append(answer, fmt.Sprintf("x. 60 IN "+record, i))
		}
		e, err := readAnswer(t, question{"x", qtype}, dns.RcodeSuccess, answer, nil)
		if err != want {
			t.Errorf("%d %s: got %v, want %v", n, what, err, want)
		}
		return e
	}
	reads("TXT", dns.TypeTXT, maxRecords, "TXT %d", nil)
	reads("TXT", dns.TypeTXT, maxRecords+1, "TXT %d", errRecords)
	reads("AAAA", dns.TypeAAAA, maxRecords, "AAAA 2001:db8::%x", nil)
	reads("AAAA", dns.TypeAAAA, maxRecords+1, "AAAA 2001:db8::%x", errRecords)
	reads("MX", dns.TypeMX, maxRecords, "MX %d y.", nil)
	reads("MX", dns.TypeMX, maxRecords+1, "MX %d y.", errRecords)
	reads("PTR", dns.TypePTR, maxRecords, "PTR n%d.", nil)
	if e := reads("PTR", dns.TypePTR, maxRecords+1, "PTR n%d.", nil); len(e.hosts) != maxRecords {
		t.Errorf("%d host names taken, want %d", len(e.hosts), maxRecords)
	}
}

func TestTextLimit(t *testing.T) {
	reads := func(size int, want error) {
		t.Helper()
		var answer []string
		for ; size > 0; size -= 250 {
			answer = append(answer, "x. 60 IN TXT "+strings.Repeat("a", min(size, 250)))
		}
		if _, err := readAnswer(t, question{"x", dns.TypeTXT}, dns.RcodeSuccess, answer, nil); err != want {
			t.Errorf("got %v, want %v", err, want)
		}
	}
	reads(maxText, nil)
	reads(maxText+1, errText)
}

// FuzzRead: whatever a server sends, what is taken from it keeps the limits.
func FuzzRead(f *testing.F) {
	seed := func(qtype uint16, rcode int, records ...string) {
		query := new(dns.Msg).SetQuestion("x.example.", qtype)
		query.Id = 0
		m := respond(query, records...)
		m.Rcode = rcode
		f.Add(pack(m), qtype)
	}
	seed(dns.TypeTXT, dns.RcodeSuccess, `x.example. 60 IN TXT "a" "\000\255\"\\"`)
	seed(dns.TypeA, dns.RcodeSuccess, "x.example. 60 IN CNAME y.example.", "y.example. 60 IN A 192.0.2.1")
	seed(dns.TypeAAAA, dns.RcodeSuccess, "x.example. 60 IN AAAA 2001:db8::1")
	seed(dns.TypeMX, dns.RcodeSuccess, "x.example. 60 IN MX 10 mail.x.example.")
	seed(dns.TypePTR, dns.RcodeSuccess, "x.example. 60 IN PTR a.x.example.")
	seed(dns.TypeTXT, dns.RcodeNameError, "x.example. 60 IN CNAME x.example.")
	seed(dns.TypeTXT, dns.RcodeServerFailure)
	f.Fuzz(func(t *testing.T, packet []byte, qtype uint16) {
		if len(packet) < 12 {
			return // the library hands out no shorter one
		}
		reply, err := parse(packet)
		query := newQuery(question{"x.example", qtype}, false)
		if answers(reply, query) && cookieFits(reply, query) && keepsCase(reply, query) {
			new(jar).take(reply, true)
		}
		if err != nil {
			return
		}
		e, err := read(reply, question{"x.example", qtype})
		if err != nil {
			if e != nil {
				t.Errorf("an answer and %v", err)
			}
			return
		}
		records := len(e.addrs) + len(e.mxs) + len(e.hosts)
		if e.txt != nil {
			records += len(e.txt.Records)
		}
		if records > maxRecords || records > e.count || e.ttl < 0 || e.err != nil && records > 0 {
			t.Errorf("%d records: %+v", records, e)
		}
		if qtype == dns.TypeTXT && e.err == nil && e.txt == nil {
			t.Error("neither text nor error")
		}
	})
}
