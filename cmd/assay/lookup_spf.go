package main

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"

	"github.com/spf13/cobra"

	"assay/verify/domain"
	"assay/verify/lookup"
	"assay/verify/spf"
)

func lookupSPF() *cobra.Command {
	return lookupFor(&cobra.Command{
		Use:     "spf DOMAIN",
		Short:   "Show an SPF record with everything it leads to",
		Example: "  assay lookup spf example.com",
	}, func(ctx context.Context, r lookup.Resolver, _ lookupFlags, text string) (published, error) {
		name, err := domain.Parse(text)
		if err != nil {
			return nil, fmt.Errorf("%q: %w", text, err)
		}
		return spfSurvey{spf.Verifier{Resolver: r}.Survey(ctx, name)}, nil
	})
}

// spfSurvey is what assay lookup spf shows.
type spfSurvey struct{ *spf.Survey }

func (s spfSurvey) fault() error {
	if errors.Is(s.Err, spf.ErrDNS) {
		return outage{s.Err}
	}
	return s.Err
}

func (s spfSurvey) writeText(p *page) {
	p.spfRecord(0, s.Record)
	p.line(0, "")
	if s.Record.Err == nil {
		p.entry("look-ups", fmt.Sprintf("%d (at most %d), without answer %d (at most %d)",
			s.Lookups, spf.MaxLookups, s.Void, spf.MaxVoidLookups))
	}
	p.entry("result", resultOf(s.fault()))
}

// spfRecord adds a record, its terms, and what they lead to.
func (p *page) spfRecord(indent int, r *spf.Record) {
	p.line(indent, "%s", r.Domain)
	indent += 2
	var fault *spf.SyntaxError
	placed := errors.As(r.Err, &fault)
	for _, text := range r.Texts {
		if placed {
			p.record(indent, text, caret{fault.At, fault.Error()})
		} else {
			p.record(indent, text)
		}
	}
	if r.Err != nil && !placed {
		p.line(indent, "%v", r.Err)
	}
	for _, t := range r.Terms {
		p.line(indent, "%-26s %s", shorten(t.Text, 3*excerptWidth), spfMeaning(t))
		if t.Next != nil {
			p.spfRecord(indent+4, t.Next)
		}
	}
}

// spfMeaning says what a term does to a client.
func spfMeaning(t spf.Term) string {
	if t.Unused {
		return "no effect, because of all"
	}
	text := spfSubject(t)
	if t.Result != "" {
		text = string(t.Result) + ": " + text
	}
	if t.Lookups > 0 {
		text += fmt.Sprintf(" (look-up %d)", t.Lookups)
	}
	if t.Err != nil {
		text += ": " + t.Err.Error()
	}
	return text
}

// spfSubject says whom a term is about.
func spfSubject(t spf.Term) string {
	target := t.Target
	if target == "" {
		target = "a name that depends on the message"
	}
	switch t.Mechanism {
	case "all":
		return "every other client"
	case "ip4", "ip6":
		return ranges(t.Networks)
	case "a":
		return "the addresses of " + target + colon(ranges(t.Networks))
	case "mx":
		hosts := ""
		if len(t.Hosts) > 0 {
			hosts = " (" + strings.Join(t.Hosts, ", ") + ")"
		}
		return "the mail exchangers of " + target + hosts + colon(ranges(t.Networks))
	case "ptr":
		return "clients with a reverse name in the domain; should not be published (RFC 7208 §5.5)"
	case "exists":
		return "every client, if there is an address for " + target
	case "include":
		return "clients that pass by the record of " + target
	case "redirect":
		return "if nothing matched, the record of " + target + " decides"
	case "exp":
		return "an explanation, which is never looked up"
	}
	return "unknown, ignored"
}

func colon(text string) string {
	if text == "" {
		return ""
	}
	return ": " + text
}

// maxRanges is how many networks of one term are shown.
const maxRanges = 16

// ranges shows networks by their first and last address.
func ranges(networks []netip.Prefix) string {
	var words []string
	for i, n := range networks {
		if i == maxRanges {
			words = append(words, fmt.Sprintf("and %d more", len(networks)-i))
			break
		}
		words = append(words, addressRange(n))
	}
	return strings.Join(words, ", ")
}

func addressRange(n netip.Prefix) string {
	if n.IsSingleIP() {
		return n.Addr().String()
	}
	last := n.Masked().Addr().AsSlice()
	for bit := n.Bits(); bit < 8*len(last); bit++ {
		last[bit/8] |= 0x80 >> (bit % 8)
	}
	addr, _ := netip.AddrFromSlice(last)
	return n.Masked().Addr().String() + " - " + addr.String()
}

// shorten cuts text that would fill the screen.
func shorten(text string, longest int) string {
	if len(text) > longest {
		return text[:longest] + "…"
	}
	return text
}
