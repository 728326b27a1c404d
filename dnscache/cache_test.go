package dnscache

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"assay/verify/lookup"
	"github.com/miekg/dns"
)

var epoch = time.Unix(1_700_000_000, 0)

var testTimes = lifetimes{min: 5 * time.Second, max: time.Hour, failure: 5 * time.Second, stale: time.Hour}

func has(c *cache, q question) bool {
	e, _ := c.get(q, epoch)
	return e != nil
}

func txtEntry(size int) *entry {
	return &entry{txt: &lookup.TXT{Records: []string{strings.Repeat("x", size)}}, ttl: time.Minute, count: 1, size: size}
}

func numbered(i int) question { return question{fmt.Sprintf("n%06d", i), dns.TypeTXT} }

func TestEviction(t *testing.T) {
	c := newCache(3, testTimes)
	for i := range 3 {
		c.keep(numbered(i), txtEntry(1), epoch)
	}
	c.get(numbered(0), epoch) // so that 1 is the one used least recently
	c.keep(numbered(3), txtEntry(1), epoch)
	for i, want := range []bool{true, false, true, true} {
		if got := has(c, numbered(i)); got != want {
			t.Errorf("entry %d: there %v, want %v", i, got, want)
		}
	}
	if got, want := c.bytes.Load(), 3*txtEntry(1).weight(numbered(0)); got != want {
		t.Errorf("weight %d, want %d", got, want)
	}
}

func TestTypesAreApart(t *testing.T) {
	c := newCache(3, testTimes)
	c.keep(question{"x", dns.TypeTXT}, txtEntry(1), epoch)
	if has(c, question{"x", dns.TypeA}) {
		t.Error("a TXT answer was found for A")
	}
}

func TestReplacedEntryWeighsNothing(t *testing.T) {
	c := newCache(3, testTimes)
	c.keep(numbered(0), txtEntry(1000), epoch)
	c.keep(numbered(0), txtEntry(10), epoch)
	if got, want := c.bytes.Load(), txtEntry(10).weight(numbered(0)); got != want {
		t.Errorf("weight %d, want %d", got, want)
	}
}

func TestBytesLimit(t *testing.T) {
	c := newCache(DefaultEntries, testTimes)
	weight := txtEntry(maxText).weight(numbered(0))
	fit := int(maxBytes / weight)
	for i := range fit {
		c.keep(numbered(i), txtEntry(maxText), epoch)
	}
	rest := int(maxBytes - c.bytes.Load() - txtEntry(0).weight(numbered(fit)))
	if rest < 0 {
		t.Fatalf("the test needs a remainder, got %d", rest)
	}
	c.keep(numbered(fit), txtEntry(rest), epoch)
	if got := c.entries.Len(); got != fit+1 || c.bytes.Load() != maxBytes {
		t.Errorf("at the limit: %d entries of %d octets, want %d of %d", got, c.bytes.Load(), fit+1, maxBytes)
	}
	c.keep(numbered(fit), txtEntry(rest+1), epoch)
	if got := c.entries.Len(); got != fit || c.bytes.Load() > maxBytes || has(c, numbered(0)) {
		t.Errorf("over the limit: %d entries of %d octets, want %d", got, c.bytes.Load(), fit)
	}
}
