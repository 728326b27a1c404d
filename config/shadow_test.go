package config

import (
	"strings"
	"testing"
)

// TestMissingShadow: a policy to try that cannot be had is a problem like any
// other.
func TestMissingShadow(t *testing.T) {
	refused(t, "absent", write(t, "a.toml", "dns.timeout = \"3\"\n[policy.shadow]\nfile = \"next.toml\"\n[policy]\nmode = 1\n"),
		`a.toml:1:15: dns.timeout: "3" has no unit`, `hint: write "3s"`,
		`a.toml:3:8: policy.shadow.file: "next.toml": no such file or directory`, "hint: is it there, and readable for the user that assay runs as?",
		"a.toml:5:8: policy.mode: 1 is a number, not a word", `hint: write it in quotes, such as "observe"`)
	refused(t, "folder", write(t, "a.toml", "policy.shadow.file = \"/\""), `a.toml:1:22: policy.shadow.file: "/": not a regular file`)
	refused(t, "too large", write(t, "a.toml", "policy.shadow.file = \"next.toml\"", "next.toml", strings.Repeat("#", MaxFileBytes+1)),
		"next.toml: larger than 1 MiB", "hint: is this the configuration file?")
}

// TestBadShadow: problems of the policy to try are told with those of the file
// that names it, even where that one cannot be read to its end.
func TestBadShadow(t *testing.T) {
	const next = "\n[exempt]\nnetworks = \"file:relays\"\n[policy]\nmode = \"on\"\n"
	relays := []string{`relays:2:1: exempt.networks: "x" is not a network`, `hint: write it as "192.0.2.0/24" or "2001:db8::/32"`,
		`next.toml:5:8: policy.mode: "on" is not one of observe, enforce`}
	refused(t, "alone", write(t, "a.toml", "policy.shadow.file = \"next.toml\"", "next.toml", next, "relays", "10.0.0.0/8\nx\n"), relays...)
	refused(t, "both", write(t, "a.toml", "policy.shadow.file = \"next.toml\"\ndns.timeout = \"3\"\npolicy = ", "next.toml", next, "relays", "10.0.0.0/8\nx\n"),
		append([]string{`a.toml:2:15: dns.timeout: "3" has no unit`, `hint: write "3s"`,
			"a.toml:3:9: expected value, not end of input", "hint: the file ends here: is all of it there?"}, relays...)...)

	// What a policy to try would itself try is for when it is in force.
	c, err := Load(write(t, "a.toml", "policy.shadow.file = \"next.toml\"", "next.toml", "policy.shadow.file = \"absent.toml\""), host)
	if err != nil || c.Next == nil || c.Next.Next != nil {
		t.Errorf("got %+v, %v", c.Next, err)
	}
	if c, err := Load(write(t, "a.toml", "policy.shadow.file = \"next.toml\"", "next.toml", ""), host); err != nil || c.Next == nil {
		t.Errorf("an empty one: %v, %v", c.Next, err)
	}
}
