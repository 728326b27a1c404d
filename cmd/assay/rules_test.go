package main

import (
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"testing"

	"assay/config"
	"assay/policy"
)

// TestRulesOf: every setting of the reference file arrives in the policy.
func TestRulesOf(t *testing.T) {
	open := regexp.MustCompile(`(?m)^# (\[\[?[a-z_]+\]\]?|[a-z_]+ = )`).ReplaceAllString(config.Describe(), "$1")
	c, err := config.Parse("f", []byte(open), testID)
	if err != nil {
		t.Fatal(err)
	}
	rules := rulesOf(c)
	if len(rules.Rules) != 1 || len(rules.Exceptions) != 1 {
		t.Fatalf("got %+v", rules)
	}
	set := func(what string, value reflect.Value, except ...string) {
		t.Helper()
		for i := range value.NumField() {
			if name := value.Type().Field(i).Name; value.Field(i).IsZero() != slices.Contains(except, name) {
				t.Errorf("%s.%s: %v", what, name, value.Field(i))
			}
		}
	}
	set("rule", reflect.ValueOf(rules.Rules[0]), "Owner", "Until")
	set("match", reflect.ValueOf(rules.Rules[0].Match))
	set("exception", reflect.ValueOf(rules.Exceptions[0]), "Reply", "Header", "Spared")
	set("forwarder", reflect.ValueOf(forwardersOf(c)[0]))
	if got := rules.Rules[0].Spared; got != 90 {
		t.Errorf("percent = 10 spares %d", got)
	}
	if rules.Spared != 0 || rules.Enforce || rules.Key != "mx.example.org" {
		t.Errorf("defaults: %+v", rules)
	}
}

// TestShadowOf: the policy to try is that of the other file.
func TestShadowOf(t *testing.T) {
	folder := t.TempDir()
	for name, text := range map[string]string{
		"assay.toml": "policy.shadow.file = \"next.toml\"\n",
		"next.toml":  "[policy]\nmode = \"enforce\"\non_reject = \"careful\"\n",
	} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	c, err := config.Load(filepath.Join(folder, "assay.toml"), testID)
	if err != nil {
		t.Fatal(err)
	}
	if s := settingsWith(nil, c); s.Shadow == nil || !s.Shadow.Enforce || s.Shadow.OnReject != policy.Careful || s.Rules.Enforce || s.MaxRejects != 100 || !s.Verifier.JudgeHeader {
		t.Errorf("got %+v", s)
	}
	if s := settingsWith(nil, config.Default(testID)); s.Shadow != nil || s.Verifier.JudgeHeader {
		t.Error("a shadow by default")
	}
}
