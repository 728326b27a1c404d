package main

import (
	"log/slog"
	"path/filepath"
	"strings"
	"testing"

	"assay/config"
)

// TestKeep: what takes a restart stays as it is, and the log says so, but for
// milter sockets that are systemd's.
func TestKeep(t *testing.T) {
	keep := func(passed bool, more, wanted string) {
		t.Helper()
		parse := func(text string) config.Config {
			c, err := config.Parse("assay.toml", []byte(text), "mx.example.org")
			if err != nil {
				t.Fatal(err)
			}
			return c
		}
		var log strings.Builder
		old, fresh := parse(""), parse(more)
		s := service{config: old, passed: passed, log: slog.New(slog.NewTextHandler(&log, nil))}
		s.keep(&fresh)
		if said := strings.Count(log.String(), "changed: this takes a restart"); said > 1 || (said == 1) != strings.Contains(log.String(), wanted+" changed") || (said == 0) != (wanted == "") {
			t.Errorf("%s: said %q, want %q", more, &log, wanted)
		}
		if fresh.Listen.Milter[0] != old.Listen.Milter[0] || fresh.Listen.Status != old.Listen.Status || fresh.Log.Format != old.Log.Format {
			t.Errorf("%s: it is taken without a restart", more)
		}
	}
	keep(false, `listen.milter = "inet:127.0.0.1:8893"`, "listen.milter")
	keep(true, `listen.milter = "inet:127.0.0.1:8893"`, "")
	keep(false, `listen.status = "127.0.0.1:8892"`, "listen.status")
	keep(false, `log.format = "json"`, "log.format")
	keep(false, "listen.pprof = true\nlisten.drain = \"1s\"\nlog.privacy = \"domains\"\nlimits.sessions = 7\ndns.timeout = \"1s\"\n", "")
}

// TestReload: what is asked of the running service afterwards is by the new file.
func TestReload(t *testing.T) {
	file := serveFile(t, "unix:"+filepath.Join(t.TempDir(), "s"), "127.0.0.1", "")
	var talk strings.Builder
	s := service{file: file, talk: &talk}
	if err := s.prepare(); err != nil {
		t.Fatal(err)
	}
	defer func() { s.resolver.Close() }()
	before := s.resolver
	write(t, file, string(readFile(t, file))+"listen.pprof = true\nlimits.sessions = 7\n")
	s.readAgain()
	if f := s.facts(); !f.Pprof || s.config.Limits.Sessions != 7 || f.Hash != s.config.Hash() || s.resolver != before {
		t.Errorf("not by the new file: %+v\n%s", f, &talk)
	}
	write(t, file, string(readFile(t, file))+"dns.retry_after = \"300ms\"\n")
	s.readAgain()
	if s.resolver == before || s.facts().Resolver != s.resolver {
		t.Errorf("the resolver is the one before\n%s", &talk)
	}
	if s.facts().Submitted {
		t.Error("no rule asks who has logged in")
	}
	write(t, file, string(readFile(t, file))+"[[rule]]\nauthenticated = true\naction = \"accept\"\nreason = \"our users\"\n")
	s.readAgain()
	if !s.facts().Submitted {
		t.Errorf("a rule asks who has logged in\n%s", &talk)
	}
}
