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

func txtEntry(size int) *entry {
	return &entry{txt: &lookup.TXT{Records: []string{strings.Repeat("x", size)}}, ttl: time.Minute, count: 1, size: size}
}

func numbered(i int) question { return question{fmt.Sprintf("n%06d", i), dns.TypeTXT} }

func TestEviction(t *testing.T) {
	c := newCache(3, time.Hour)
	for i := range 3 {
		c.put(numbered(i), txtEntry(1), epoch)
	}
	c.get(numbered(0), epoch) // so that 1 is the one used least recently
	c.put(numbered(3), txtEntry(1), epoch)
	for i, want := range []bool{true, false, true, true} {
		if got := c.get(numbered(i), epoch) != nil; got != want {
			t.Errorf("entry %d: there %v, want %v", i, got, want)
		}
	}
	if got, want := c.bytes.Load(), 3*txtEntry(1).weight(numbered(0)); got != want {
		t.Errorf("weight %d, want %d", got, want)
	}
}

func TestTypesAreApart(t *testing.T) {
	c := newCache(3, time.Hour)
	c.put(question{"x", dns.TypeTXT}, txtEntry(1), epoch)
	if c.get(question{"x", dns.TypeA}, epoch) != nil {
		t.Error("a TXT answer was found for A")
	}
}

func TestReplacedEntryWeighsNothing(t *testing.T) {
	c := newCache(3, time.Hour)
	c.put(numbered(0), txtEntry(1000), epoch)
	c.put(numbered(0), txtEntry(10), epoch)
	if got, want := c.bytes.Load(), txtEntry(10).weight(numbered(0)); got != want {
		t.Errorf("weight %d, want %d", got, want)
	}
}

func TestBytesLimit(t *testing.T) {
	c := newCache(DefaultEntries, time.Hour)
	weight := txtEntry(maxText).weight(numbered(0))
	fit := int(maxBytes / weight)
	for i := range fit {
		c.put(numbered(i), txtEntry(maxText), epoch)
	}
	rest := int(maxBytes - c.bytes.Load() - txtEntry(0).weight(numbered(fit)))
	if rest < 0 {
		t.Fatalf("the test needs a remainder, got %d", rest)
	}
	c.put(numbered(fit), txtEntry(rest), epoch)
	if got := c.entries.Len(); got != fit+1 || c.bytes.Load() != maxBytes {
		t.Errorf("at the limit: %d entries of %d octets, want %d of %d", got, c.bytes.Load(), fit+1, maxBytes)
	}
	c.put(numbered(fit), txtEntry(rest+1), epoch)
	if got := c.entries.Len(); got != fit || c.bytes.Load() > maxBytes || c.get(numbered(0), epoch) != nil {
		t.Errorf("over the limit: %d entries of %d octets, want %d", got, c.bytes.Load(), fit)
	}
}
