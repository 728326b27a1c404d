package main

import (
	"fmt"
	"os"
	"reflect"
	"time"

	"assay/config"
	"assay/dnscache"
	"assay/dnscache/zone"
	"assay/filter"
	"assay/policy"
	"assay/verify"
	"assay/verify/lookup"
)

const resolvConf = "/etc/resolv.conf"

// resolverOf returns the resolver that the configuration asks for.
func resolverOf(c config.Config) (*dnscache.Resolver, error) {
	d := dnscache.Config{
		Timeout:    c.DNS.Timeout,
		RetryAfter: c.DNS.RetryAfter,
		InFlight:   c.DNS.InFlight,
		MixCase:    c.DNS.MixCase,
		RequireAD:  c.DNS.RequireAD,
		Entries:    c.DNS.CacheEntries,
		MinTTL:     c.DNS.MinTTL,
		MaxTTL:     c.DNS.MaxTTL,
		FailureTTL: c.DNS.FailureTTL,
		Stale:      c.DNS.Stale,
	}
	var err error
	if c.DNS.ZoneFile != "" {
		d.Zone, err = readZone(string(c.DNS.ZoneFile))
	} else if d.Servers, err = serversOf(c.DNS); len(c.DNS.Servers) == 0 {
		d.ResolvConf = resolvConf
	}
	if err != nil {
		return nil, err
	}
	return dnscache.New(d), nil
}

// serversOf returns the servers to ask: those of the system where the
// configuration names none.
func serversOf(c config.DNS) ([]dnscache.Server, error) {
	if len(c.Servers) == 0 {
		servers, err := dnscache.SystemServers(resolvConf)
		if err != nil {
			return nil, later{fmt.Errorf("dns.servers is empty: %w", err)}
		}
		return servers, nil
	}
	var servers []dnscache.Server
	for _, s := range c.Servers {
		servers = append(servers, dnscache.Server{Network: dnscache.Network(s.Network), Name: s.Name.String(), Addr: s.Addr})
	}
	return servers, nil
}

// readZone reads what dns.zone_file names.
func readZone(path string) (*zone.Zone, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("dns.zone_file: %w", err)
	}
	defer file.Close()
	z, err := zone.Parse(file, path)
	if err != nil {
		return nil, fmt.Errorf("dns.zone_file: %w", err)
	}
	return z, nil
}

// sameResolver reports whether the resolver of one configuration serves for
// another. What a zone file says may have changed with every reload.
func sameResolver(a, b config.DNS) bool {
	// These are for each message, not the resolver's.
	a.MessageBudget, a.MessageQueries, a.SPFReadahead = b.MessageBudget, b.MessageQueries, b.SPFReadahead
	return reflect.DeepEqual(a, b) && a.ZoneFile == ""
}

// settingsOf turns a configuration into what a session works by, with a
// resolver of its own.
func settingsOf(c config.Config) (filter.Settings, error) {
	resolver, err := resolverOf(c)
	if err != nil {
		return filter.Settings{}, err
	}
	return settingsWith(resolver, c), nil
}

func settingsWith(resolver lookup.Resolver, c config.Config) filter.Settings {
	return filter.Settings{
		ID: string(c.AuthservID),
		Verifier: &verify.Verifier{
			Resolver: resolver,
			Now:      time.Now,
			Budget:   c.DNS.MessageBudget,
			Queries:  c.DNS.MessageQueries,

			ARC:                c.ARC.Enable,
			SPFReadAhead:       c.DNS.SPFReadahead,
			JudgeHeader:        careful(c),
			EvaluateAllAuthors: c.DMARC.EvaluateAllAuthors,
			Forwarders:         forwardersOf(c),
		},
		Rules:      rulesOf(c),
		Shadow:     shadowOf(c),
		MaxRejects: c.Policy.MaxRejectShare,
		WhenUnable: policy.Action(c.Failure.WhenUnable),
		Limits:     limitsOf(c.Limits),
		Privacy:    filter.Privacy(c.Log.Privacy),
	}
}

func limitsOf(c config.Limits) filter.Limits {
	return filter.Limits{
		Sessions: c.Sessions, PeerSessions: c.SessionsPerHost, Messages: c.Messages,
		HeaderFields: c.HeaderFields, HeaderBytes: c.HeaderBytes, FrameBytes: c.FrameBytes,
		Stage: c.Stage, Idle: c.Idle,
	}
}
