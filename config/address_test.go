package config

import (
	"net"
	"path/filepath"
	"strings"
	"testing"
)

func TestAddress(t *testing.T) {
	form := func(text, network, addr, postfix, sendmail string) {
		t.Helper()
		got, err := ParseAddress(text)
		want := Address{network, addr}
		if err != nil || got != want {
			t.Errorf("ParseAddress(%q): got %+v, %v; want %+v", text, got, err, want)
		}
		if got.String() != postfix {
			t.Errorf("%q for Postfix: got %q, want %q", text, got.String(), postfix)
		}
		if got.Sendmail() != sendmail {
			t.Errorf("%q for Sendmail: got %q, want %q", text, got.Sendmail(), sendmail)
		}
		for _, written := range []string{got.text(), got.Sendmail()} {
			if again, err := ParseAddress(written); err != nil || again != got {
				t.Errorf("%q written as %q: got %+v, %v; want %+v", text, written, again, err, got)
			}
		}
	}
	form("unix:/run/assay/milter.sock", "unix", "/run/assay/milter.sock", "unix:/run/assay/milter.sock", "local:/run/assay/milter.sock")
	form("local:/run/assay/milter.sock", "unix", "/run/assay/milter.sock", "unix:/run/assay/milter.sock", "local:/run/assay/milter.sock")
	form("unix:/run//assay/./milter:1", "unix", "/run/assay/milter:1", "unix:/run/assay/milter:1", "local:/run/assay/milter:1")
	form("inet:127.0.0.1:8891", "tcp4", "127.0.0.1:8891", "inet:127.0.0.1:8891", "inet:8891@127.0.0.1")
	form("inet:8891@127.0.0.1", "tcp4", "127.0.0.1:8891", "inet:127.0.0.1:8891", "inet:8891@127.0.0.1")
	form("inet:8891@[127.0.0.1]", "tcp4", "127.0.0.1:8891", "inet:127.0.0.1:8891", "inet:8891@127.0.0.1")
	form("inet:0.0.0.0:65535", "tcp4", "0.0.0.0:65535", "inet:0.0.0.0:65535", "inet:65535@0.0.0.0")
	form("inet:localhost:8891", "tcp", "localhost:8891", "inet:localhost:8891", "inet:8891@localhost")
	form("inet:8891@LOCALHOST.", "tcp", "localhost:8891", "inet:localhost:8891", "inet:8891@localhost")
	form("inet:[::1]:8891", "tcp6", "[::1]:8891", "inet:[::1]:8891", "inet6:8891@[::1]")
	form("inet6:[::1]:8891", "tcp6", "[::1]:8891", "inet:[::1]:8891", "inet6:8891@[::1]")
	form("inet6:8891@::1", "tcp6", "[::1]:8891", "inet:[::1]:8891", "inet6:8891@[::1]")
	form("inet6:8891@[0:0::1]", "tcp6", "[::1]:8891", "inet:[::1]:8891", "inet6:8891@[::1]")
	form("inet6:8891@localhost", "tcp6", "localhost:8891", "inet:localhost:8891", "inet6:8891@localhost")
	form("inet6:[localhost]:1", "tcp6", "localhost:1", "inet:localhost:1", "inet6:1@localhost")
}

func TestAddressRefused(t *testing.T) {
	refused := func(text string) {
		t.Helper()
		if got, err := ParseAddress(text); err == nil || got != (Address{}) {
			t.Errorf("ParseAddress(%q): got %+v, %v; want an error alone", text, got, err)
		}
	}
	refused("")
	refused("unix")
	refused("unix:")
	refused("UNIX:/run/x")
	refused("unix:/run/a,b")
	refused("unix:/run/a\nb")
	refused("unix:/run/a\x00b")
	refused("unix:@abstract")
	refused("inet:")
	refused("inet:@")
	refused("inet:8891@[::1")
	refused("inet:+8891@localhost")
	refused("inet:08891@localhost")
	refused("inet:8891@@localhost")
	refused("inet:[]:8891")
	refused("inet:*:8891")
	refused("inet:a..b:8891")
}

func TestStatusAddress(t *testing.T) {
	form := func(text string, want StatusAddress, written string) {
		t.Helper()
		got, err := ParseStatusAddress(text)
		if err != nil || got != want || got.String() != written {
			t.Errorf("%q: got %+v (%q), %v; want %+v (%q)", text, got, got, err, want, written)
		}
	}
	form("", StatusAddress{}, "")
	form("127.0.0.1:8892", StatusAddress{"tcp4", "127.0.0.1:8892"}, "127.0.0.1:8892")
	form("inet:127.0.0.1:8892", StatusAddress{"tcp4", "127.0.0.1:8892"}, "127.0.0.1:8892")
	form("[::1]:8892", StatusAddress{"tcp6", "[::1]:8892"}, "[::1]:8892")
	form("localhost:8892", StatusAddress{"tcp", "localhost:8892"}, "localhost:8892")
	form("unix:/run/assay/status.sock", StatusAddress{"unix", "/run/assay/status.sock"}, "unix:/run/assay/status.sock")

	refused := func(text, want, hint string) {
		t.Helper()
		if _, err := ParseStatusAddress(text); err == nil || err.Error() != want || hintOf(err) != hint {
			t.Errorf("%q: got %v, hint %q; want %s, hint %q", text, err, hintOf(err), want, hint)
		}
	}
	refused("8892", `"8892" is not HOST:PORT`, `write "inet:127.0.0.1:8892"`)
	refused("/run/assay/status.sock", `"/run/assay/status.sock" is not an address`, `write "127.0.0.1:8892" or "unix:/run/assay/status.sock"`)
	refused("http://127.0.0.1:8892", `"http://127.0.0.1:8892" is not an address`, `write "127.0.0.1:8892" or "unix:/run/assay/status.sock"`)
}

// TestOneAddressForTwo: both cannot listen there.
func TestOneAddressForTwo(t *testing.T) {
	_, err := Parse("f", []byte("[listen]\nstatus = \"127.0.0.1:8891\"\n"), host)
	if err == nil || !strings.Contains(err.Error(), `f:2:10: listen.status: "127.0.0.1:8891" is the address of listen.milter`) {
		t.Errorf("got %v", err)
	}
}

func TestSocketPathLimit(t *testing.T) {
	path := "/" + strings.Repeat("p", MaxSocketPath-1)
	if _, err := ParseAddress("unix:" + path); err != nil {
		t.Errorf("path of %d bytes: got %v", len(path), err)
	}
	if _, err := ParseAddress("unix:" + path + "p"); err == nil {
		t.Errorf("path of %d bytes: got no error", len(path)+1)
	}
}

// What Address says is what net.Listen takes.
func TestAddressListens(t *testing.T) {
	for _, a := range []Address{{"tcp4", "127.0.0.1:0"}, {"unix", filepath.Join(t.TempDir(), "s")}} {
		l, err := net.Listen(a.Network, a.Addr)
		if err != nil {
			t.Errorf("Listen on %v: %v", a, err)
			continue
		}
		l.Close()
	}
}
