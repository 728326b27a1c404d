package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"assay/verify/dkim"
	"assay/verify/domain"
	"assay/verify/lookup"
	"assay/verify/tags"
)

func lookupDKIM() *cobra.Command {
	return lookupFor(&cobra.Command{
		Use:     "dkim SELECTOR._domainkey.DOMAIN",
		Short:   "Show the key that a selector stands for",
		Example: "  assay lookup dkim s1._domainkey.example.com\n  assay lookup dkim --selector s1 example.com",
	}, findKey)
}

func findKey(ctx context.Context, r lookup.Resolver, flags lookupFlags, text string) (published, error) {
	selector, host := flags.selector, text
	if selector == "" {
		var ok bool
		if selector, host, ok = strings.Cut(text, "._domainkey."); !ok {
			return nil, fmt.Errorf("%q: give SELECTOR._domainkey.DOMAIN, or --selector and the domain", text)
		}
	}
	s, err := domain.Parse(selector)
	if err != nil {
		return nil, fmt.Errorf("selector %q: %w", selector, err)
	}
	sdid, err := domain.Parse(host)
	if err != nil {
		return nil, fmt.Errorf("domain %q: %w", host, err)
	}
	k := keyRecord{name: s.String() + "._domainkey." + sdid.String()}
	if k.key, k.err = dkim.FindKey(ctx, r, s, sdid); errors.Is(k.err, dkim.ErrLookup) {
		k.err = outage{k.err}
		return k, nil
	}
	// The answer has most likely been kept; if it has not, it may be another one.
	if answer, err := r.TXT(ctx, k.name); err == nil {
		k.all, k.texts = answer.Records, dkim.KeyRecords(answer.Records)
	} else if k.err == nil {
		k.key, k.err = nil, outage{err}
	}
	return k, nil
}

// keyRecord is what assay lookup dkim shows.
type keyRecord struct {
	name  string
	all   []string // the TXT records there
	texts []string // those that are meant to be keys
	key   *dkim.Key
	err   error
}

func (k keyRecord) fault() error { return k.err }

func (k keyRecord) writeText(p *page) {
	p.line(0, "%s", k.name)
	shown := k.texts
	if len(shown) == 0 {
		shown = k.all
	}
	var fault *tags.Error
	for _, text := range shown {
		if errors.As(k.err, &fault) {
			p.record(2, text, caret{fault.At, k.err.Error()})
		} else {
			p.record(2, text)
		}
	}
	if others := len(k.all) - len(shown); others > 0 {
		p.line(2, "beside %s that is no key", plural(others, "record"))
	}
	p.line(0, "")
	if k.key != nil {
		p.entry("key", fmt.Sprintf("%s, %d bits", k.key.Type, k.key.Bits))
		p.entry("hashes (h=)", k.tag("h", "any"))
		p.entry("services (s=)", k.tag("s", "any"))
		p.entry("flags (t=)", k.flags())
		if notes := k.tag("n", ""); notes != "" {
			p.entry("notes (n=)", notes)
		}
	}
	p.entry("result", resultOf(k.err))
}

// tag returns the value of a tag of the key's record, or what its absence means.
func (k keyRecord) tag(name, absent string) string {
	if len(k.texts) == 0 {
		return absent
	}
	list, _ := tags.Parse(k.texts[0]) // it has been read already
	if value, ok := list.Get(name); ok {
		return shorten(visible(value), excerptWidth)
	}
	return absent
}

func (k keyRecord) flags() string {
	var words []string
	if k.key.Strict {
		words = append(words, "s: i= must be in d= itself, not below it")
	}
	if k.key.Test {
		words = append(words, "y: the domain is testing, its signatures count for nothing")
	}
	if len(words) == 0 {
		return "none"
	}
	return strings.Join(words, "; ")
}
