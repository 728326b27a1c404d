package dnscache

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
)

func TestSystemServers(t *testing.T) {
	path := filepath.Join(t.TempDir(), "resolv.conf")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	is := func(text string, want ...string) {
		t.Helper()
		write(text)
		got, err := SystemServers(path)
		if err != nil || !slices.Equal(got, servers(want...)) {
			t.Errorf("%q: got %v, %v, want %v", text, got, err, want)
		}
	}
	is("nameserver 192.0.2.1\n", "192.0.2.1:53")
	is("# none\nsearch example.com\nnameserver 2001:db8::1\nnameserver 192.0.2.1\n", "[2001:db8::1]:53", "192.0.2.1:53")
	is("nameserver fe80::1%eth0\n", "[fe80::1%eth0]:53")
	is("", "127.0.0.1:53")

	write("nameserver ns.example.com\n")
	if got, err := SystemServers(path); err == nil {
		t.Errorf("a name as server: got %v", got)
	}
	if got, err := SystemServers(path + ".missing"); err == nil {
		t.Errorf("no file: got %v", got)
	}
}
