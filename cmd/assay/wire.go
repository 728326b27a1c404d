package main

import (
	"fmt"
	"net/netip"
	"time"

	"assay/config"
	"assay/dnscache"
	"assay/filter"
	"assay/policy"
	"assay/verify"
	"assay/verify/domain"
)

const resolvConf = "/etc/resolv.conf"

// resolverOf returns the resolver that the configuration asks for.
func resolverOf(c config.Config) (*dnscache.Resolver, error) {
	servers := c.DNS.Servers
	if len(servers) == 0 {
		var err error
		if servers, err = dnscache.SystemServers(resolvConf); err != nil {
			return nil, later{fmt.Errorf("dns.servers is empty: %w", err)}
		}
	}
	return dnscache.New(dnscache.Config{
		Servers: servers,
		Timeout: c.DNS.Timeout,
		Entries: c.DNS.CacheEntries,
		MaxTTL:  c.DNS.MaxTTL,
	}), nil
}

// settingsOf turns a configuration into what a session works by.
func settingsOf(c config.Config) (filter.Settings, error) {
	resolver, err := resolverOf(c)
	if err != nil {
		return filter.Settings{}, err
	}
	return filter.Settings{
		ID: string(c.AuthservID),
		Verifier: &verify.Verifier{
			Resolver: resolver,
			Now:      time.Now,
			Budget:   c.DNS.MessageBudget,
			Queries:  c.DNS.MessageQueries,

			ARC:                c.ARC.Enable,
			EvaluateAllAuthors: c.DMARC.EvaluateAllAuthors,
		},
		Rules:      rulesOf(c),
		WhenUnable: policy.Action(c.Failure.WhenUnable),
	}, nil
}

func rulesOf(c config.Config) *policy.Rules {
	rules := &policy.Rules{
		Enforce:             c.Policy.Mode == config.Enforce,
		OnReject:            policy.Action(c.Policy.OnReject),
		OnQuarantine:        policy.Action(c.Policy.OnQuarantine),
		OnInvalidAuthor:     policy.Action(c.Policy.OnInvalidAuthor),
		OnTempError:         policy.Action(c.Policy.OnTemperror),
		ExemptNetworks:      append([]netip.Prefix(nil), c.Exempt.Networks...),
		ExemptAuthenticated: c.Exempt.Authenticated,
		TrustedSealers:      append([]domain.Name(nil), c.ARC.TrustedSealers...),
	}
	for _, e := range c.Exceptions {
		rules.Exceptions = append(rules.Exceptions, policy.Exception{
			AuthorDomain: e.AuthorDomain,
			Action:       policy.Action(e.Action),
			Reason:       e.Reason,
			Until:        e.Until,
		})
	}
	return rules
}
