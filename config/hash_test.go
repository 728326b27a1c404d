package config

import "testing"

// TestHash: whatever makes a difference makes another hash, what stands in a
// list file included; how it is written makes none.
func TestHash(t *testing.T) {
	hash := func(path string) string {
		t.Helper()
		c, err := Load(path, host)
		if err != nil {
			t.Fatal(err)
		}
		return c.Hash()
	}
	full := hash("testdata/good/full.toml")
	if dotted := hash("testdata/good/dotted.toml"); dotted != full || len(full) != 64 {
		t.Errorf("the same settings: %s and %s", full, dotted)
	}
	if empty := hash(write(t, "empty.toml", "")); empty == full {
		t.Error("other settings have the same hash")
	}
	text := "exempt.networks = [\"file:" + write(t, "relays", "192.0.2.0/24\n") + "\"]\n"
	before := hash(write(t, "a.toml", text))
	text = "exempt.networks = [\"file:" + write(t, "relays", "198.51.100.0/24\n") + "\"]\n"
	if after := hash(write(t, "a.toml", text)); after == before {
		t.Error("other items in a list file have the same hash")
	}
	next := write(t, "next.toml", "policy.mode = \"enforce\"\n")
	if tried := hash(write(t, "b.toml", "policy.shadow.file = \""+next+"\"\n")); tried == hash(write(t, "c.toml", "policy.shadow.file = \""+write(t, "other.toml", "")+"\"\n")) {
		t.Error("another policy to try has the same hash")
	}
}
