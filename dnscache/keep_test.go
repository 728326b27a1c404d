package dnscache

import (
	"net"
	"testing"
	"time"

	"github.com/miekg/dns"
)

func failure(q question) *entry { return failed(q, "", errNoServers) }

func absence(q question, nowhere bool) *entry {
	return &entry{err: absent(q.name), nowhere: nowhere, ttl: time.Minute}
}

// TestNothingBelow: RFC 8020 §2.
func TestNothingBelow(t *testing.T) {
	c := newCache(100, testTimes)
	gone := question{"gone.example", dns.TypeTXT}
	alive := question{"kept.gone.example", dns.TypeA}
	c.keep(alive, &entry{ttl: time.Minute}, epoch)
	c.keep(gone, absence(gone, true), epoch)
	alias := question{"alias.example", dns.TypeTXT}
	c.keep(alias, absence(alias, false), epoch)
	is := func(name string, qtype uint16, at time.Duration, absent, there bool) {
		t.Helper()
		e, fresh := c.get(question{name, qtype}, epoch.Add(at))
		if fresh != there || fresh && (e.err != nil) != absent {
			t.Errorf("%s %d after %v: got %+v, fresh %v", name, qtype, at, e, fresh)
		}
	}
	is("gone.example", dns.TypeTXT, 0, true, true)
	is("gone.example", dns.TypeA, 0, true, true)
	is("a.b.gone.example", dns.TypeMX, 0, true, true)
	is("kept.gone.example", dns.TypeA, 0, false, true)
	is("xgone.example", dns.TypeTXT, 0, false, false)
	is("example", dns.TypeTXT, 0, false, false)
	is("alias.example", dns.TypeTXT, 0, true, true)
	is("alias.example", dns.TypeA, 0, false, false)
	is("a.alias.example", dns.TypeTXT, 0, false, false)
	is("a.b.gone.example", dns.TypeMX, time.Minute, false, false)
	if e, _ := c.get(question{"a.gone.example", dns.TypeMX}, epoch.Add(time.Minute)); e != nil {
		t.Errorf("an absence that is over serves for what is below: %+v", e)
	}

	// The name comes to life: its absence goes, of every type.
	c.keep(gone, txtEntry(1), epoch)
	is("gone.example", dns.TypeTXT, 0, false, true)
	is("gone.example", dns.TypeA, 0, false, false)
	is("a.b.gone.example", dns.TypeMX, 0, false, false)
	// And dies: what was known of it goes.
	c.keep(gone, absence(gone, true), epoch)
	is("gone.example", dns.TypeTXT, 0, true, true)
}

// TestFailureTTL fails again and again, each time when the one before is over.
func TestFailureTTL(t *testing.T) {
	c := newCache(100, testTimes)
	q, now := numbered(0), epoch
	for i, want := range []time.Duration{5, 10, 20, 40, 60, 60, 60} {
		want *= time.Second
		e := c.keep(q, failure(q), now)
		if got := e.expires.Sub(now); got != want {
			t.Errorf("failure %d: kept for %v, want %v", i+1, got, want)
		}
		now = now.Add(want)
		if _, fresh := c.get(q, now.Add(-1)); !fresh {
			t.Errorf("failure %d: gone too early", i+1)
		}
		if e, _ := c.get(q, now); e != nil {
			t.Errorf("failure %d: still there", i+1)
		}
	}
	now = now.Add(maxFailureTTL)
	if got := c.keep(q, failure(q), now).expires.Sub(now); got != 5*time.Second {
		t.Errorf("a failure long after the last: kept for %v", got)
	}
	now = now.Add(5 * time.Second)
	c.keep(q, txtEntry(1), now)
	now = now.Add(2 * time.Hour)
	if got := c.keep(q, failure(q), now).expires.Sub(now); got != 5*time.Second {
		t.Errorf("a failure after an answer: kept for %v", got)
	}
}

// TestStale has servers fail when an answer is over.
func TestStale(t *testing.T) {
	serves := func(what string, q question, answer *entry, seek question) {
		t.Helper()
		c := newCache(100, testTimes)
		c.keep(q, answer, epoch)
		end := answer.expires
		if e, fresh := c.get(seek, end.Add(-1)); e != answer || !fresh {
			t.Errorf("%s: before its end: got %+v, %v", what, e, fresh)
		}
		if e := c.keep(seek, failure(seek), end.Add(-1)); e != answer {
			t.Errorf("%s: a failure before its end: got %+v", what, e)
		}
		if e, fresh := c.get(seek, end); e != answer || fresh {
			t.Errorf("%s: at its end: got %+v, %v", what, e, fresh)
		}
		// The servers fail, for longer and longer.
		for now := end; now.Before(answer.dies); {
			e := c.keep(seek, failure(seek), now)
			if !e.stale || e.err != answer.err || e.count != answer.count || e.txt != nil && !e.txt.Stale {
				t.Fatalf("%s: %v after its end: got %+v", what, now.Sub(end), e)
			}
			if got, fresh := c.get(seek, now); got != e || !fresh {
				t.Errorf("%s: stale answer: got %+v, %v", what, got, fresh)
			}
			now = e.expires
			if got, fresh := c.get(seek, now); now.Before(answer.dies) && (got != e || fresh) {
				t.Errorf("%s: stale answer to be renewed: got %+v, %v", what, got, fresh)
			}
		}
		if e, _ := c.get(seek, answer.dies); e != nil {
			t.Errorf("%s: served for too long: %+v", what, e)
		}
		if e := c.keep(seek, failure(seek), answer.dies); !e.failed() {
			t.Errorf("%s: kept for too long: %+v", what, e)
		}
	}
	q := numbered(0)
	serves("records", q, txtEntry(1), q)
	serves("none", q, &entry{ttl: time.Minute}, q)
	serves("absent", q, absence(q, false), q)
	serves("nowhere", q, absence(q, true), q)
	serves("nowhere, another type", q, absence(q, true), question{q.name, dns.TypeA})

	// What servers say counts, also that there is nothing any more.
	c := newCache(100, testTimes)
	old := txtEntry(1)
	c.keep(q, old, epoch)
	c.keep(q, failure(q), old.expires)
	c.keep(q, absence(q, true), old.expires)
	if e, fresh := c.get(q, old.expires); !fresh || e.err == nil {
		t.Errorf("absent now: got %+v, %v", e, fresh)
	}
	c.keep(q, failure(q), old.expires.Add(time.Minute))
	if e, _ := c.get(q, old.expires.Add(time.Minute)); !e.stale || e.err == nil {
		t.Errorf("the older of two was served: %+v", e)
	}

	times := testTimes
	times.stale = 0
	c = newCache(100, times)
	old = txtEntry(1)
	c.keep(q, old, epoch)
	if e := c.keep(q, failure(q), old.expires); !e.failed() {
		t.Errorf("switched off: got %+v", e)
	}
}

func TestStaleIsTold(t *testing.T) {
	e := txtEntry(1)
	s := e.asStale()
	if e.txt.Stale || !s.txt.Stale || s.txt.Records[0] != e.txt.Records[0] {
		t.Errorf("%+v, stale %+v", e.txt, s.txt)
	}
	if again := s.asStale(); again.txt != s.txt {
		t.Error("what was derived from a stale answer is lost with the next failure")
	}
	if (&entry{err: &net.DNSError{IsTemporary: true}}).lingers(epoch) {
		t.Error("a failure lingers")
	}
}
