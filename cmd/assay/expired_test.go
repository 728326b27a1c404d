package main

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"testing"
	"time"

	"assay/config"
	"assay/filter"
	"assay/policy"
)

// TestExpired: an exception is warned about from its end on, and again each day.
func TestExpired(t *testing.T) {
	const text = `
[[exception]]
author_domain = "a.example"
action = "accept"
reason = "ended"
owner = "ops@example.org"
until = 2026-03-01

[[exception]]
author_domain = "b.example"
action = "accept"
reason = "later"
until = 2027-03-01

[[exception]]
author_domain = "c.example"
action = "accept"
reason = "for ever"
`
	c, err := config.Parse("f", []byte(text), "mx.example.org")
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	days := make(chan time.Time)
	s := service{config: c, log: slog.New(slog.NewTextHandler(&out, nil)), day: days}
	s.server = filter.NewServer(s.log, filter.Settings{Rules: &policy.Rules{}})
	check := func(at string, want ...string) {
		t.Helper()
		now, err := time.Parse(time.RFC3339, at)
		if err != nil {
			t.Fatal(err)
		}
		out.Reset()
		s.warnExpired(now)
		if got := strings.Count(out.String(), "\n"); got != len(want) {
			t.Errorf("%s: got\n%s", at, &out)
		}
		for _, w := range want {
			if !strings.Contains(out.String(), w) {
				t.Errorf("%s: no %s in\n%s", at, w, &out)
			}
		}
	}
	check("2026-02-28T23:59:59Z")
	check("2026-03-01T00:00:00Z", "rule=1 until=2026-03-01 owner=ops@example.org reason=ended")
	check("2027-03-01T00:00:00Z", "rule=1", "rule=2")

	out.Reset()
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- s.attend(ctx) }()
	days <- time.Date(2026, 4, 1, 0, 0, 0, 0, time.UTC)
	days <- time.Date(2026, 4, 2, 0, 0, 0, 0, time.UTC)
	stop()
	if err := <-done; err != nil {
		t.Error(err)
	}
	if got := strings.Count(out.String(), "rule=1"); got != 2 {
		t.Errorf("in two days:\n%s", &out)
	}
}
