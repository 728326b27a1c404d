package main

import (
	"cmp"
	"net/netip"
	"strconv"
	"strings"

	"assay/config"
	"assay/policy"
	"assay/verify"
	"assay/verify/arc"
	"assay/verify/dkim"
	"assay/verify/dmarc"
	"assay/verify/domain"
	"assay/verify/message"
	"assay/verify/network"
	"assay/verify/spf"
)

// shadowOf returns the policy to try; nil where there is none.
func shadowOf(c config.Config) *policy.Rules {
	if c.Next == nil {
		return nil
	}
	return rulesOf(*c.Next)
}

// careful reports whether a policy, or the one that is tried, asks what speaks for
// indirect mail.
func careful(c config.Config) bool {
	return c.Policy.OnReject == config.Careful || c.Next != nil && careful(*c.Next)
}

// rulesOf returns the policy of a configuration.
func rulesOf(c config.Config) *policy.Rules {
	rules := &policy.Rules{
		Enforce:             c.Policy.Mode == config.Enforce,
		OnReject:            policy.Action(c.Policy.OnReject),
		OnQuarantine:        policy.Action(c.Policy.OnQuarantine),
		OnInvalidAuthor:     policy.Action(c.Policy.OnInvalidAuthor),
		OnTempError:         policy.Action(c.Policy.OnTemperror),
		ExemptNetworks:      network.NewSet(c.Exempt.Networks...),
		ExemptAuthenticated: c.Exempt.Authenticated,
		TrustedSealers:      append([]domain.Name(nil), c.ARC.TrustedSealers...),
		OnSPFFail:           policy.Action(c.SPF.OnFail),
		OnSPFSoftFail:       policy.Action(c.SPF.OnSoftfail),
		SPFEarly:            c.SPF.Early,
		Spared:              100 - c.Policy.EnforcePercent,
		Key:                 strings.ToLower(string(c.AuthservID)),
	}
	for i, e := range c.Exceptions {
		rules.Exceptions = append(rules.Exceptions, policy.Rule{
			Name:   strconv.Itoa(i + 1),
			Match:  matchOf(e.Match),
			Action: policy.Action(e.Action),
			Reason: e.Reason,
			Owner:  e.Owner,
			Until:  e.Until,
		})
	}
	for i, r := range c.Rules {
		rules.Rules = append(rules.Rules, policy.Rule{
			Name:   cmp.Or(string(r.Name), strconv.Itoa(i+1)),
			Match:  matchOf(r.Match),
			Action: policy.Action(r.Action),
			Reply:  policy.Reply{Code: r.Reply.Code, Enhanced: r.Reply.Enhanced, Text: strings.Join(r.Reply.Lines, "\n")},
			Header: message.Field{Name: r.Header.Name, Value: r.Header.Value},
			Reason: r.Reason,
			Spared: 100 - r.Percent,
		})
	}
	return rules
}

func forwardersOf(c config.Config) []verify.Forwarder {
	var forwarders []verify.Forwarder
	for i, f := range c.Forwarders {
		forwarders = append(forwarders, verify.Forwarder{
			Name:         cmp.Or(string(f.Name), strconv.Itoa(i+1)),
			Networks:     network.NewSet(f.Networks...),
			Names:        domain.NewSet(f.ClientName...),
			Recipients:   domain.NewSet(f.RecipientDomain...),
			ReceivedFrom: f.ReceivedFrom,
		})
	}
	return forwarders
}

func matchOf(m config.Match) policy.Match {
	return policy.Match{
		Networks:        networksOf(m.Networks),
		ClientNames:     domainsOf(m.ClientName),
		Helo:            domainsOf(m.Helo),
		EnvelopeSenders: domainsOf(m.EnvelopeSender),
		AuthorDomains:   domainsOf(m.AuthorDomain),
		Recipients:      recipientsOf(m.Recipient),
		SDIDs:           domainsOf(m.SDID),
		SPF:             wordsOf[spf.Result](m.SPF),
		DKIM:            wordsOf[dkim.Result](m.DKIM),
		ARC:             wordsOf[arc.Result](m.ARC),
		DMARC:           wordsOf[dmarc.Result](m.DMARC),
		Requested:       wordsOf[dmarc.Policy](m.Requested),
		Authors:         wordsOf[message.AuthorKind](m.Author),
		TLS:             boolOf(m.TLS),
		Authenticated:   boolOf(m.Authenticated),
	}
}

func networksOf(list []netip.Prefix) *network.Set {
	if list == nil {
		return nil
	}
	set := network.NewSet(list...)
	return &set
}

func domainsOf(list []domain.Pattern) *domain.Set {
	if list == nil {
		return nil
	}
	set := domain.NewSet(list...)
	return &set
}

func recipientsOf(list []config.Recipient) *policy.Recipients {
	if list == nil {
		return nil
	}
	var (
		mailboxes []string
		domains   []domain.Pattern
	)
	for _, r := range list {
		if r.Mailbox != "" {
			mailboxes = append(mailboxes, r.Mailbox)
		} else {
			domains = append(domains, r.Domain)
		}
	}
	return policy.NewRecipients(mailboxes, domain.NewSet(domains...))
}

func wordsOf[T ~string](list []config.Word) []T {
	if list == nil {
		return nil
	}
	words := make([]T, len(list))
	for i, w := range list {
		words[i] = T(w)
	}
	return words
}

func boolOf(v config.YesNo) *bool {
	if v == config.Unstated {
		return nil
	}
	value := v == config.Yes
	return &value
}
