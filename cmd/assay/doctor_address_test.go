package main

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"assay/config"
)

func TestPostfixAddress(t *testing.T) {
	leads := func(text string, chrooted bool, want string) {
		t.Helper()
		a, ok := postfixAddress(text, "/var/spool/postfix", chrooted)
		if got := a.Network + " " + a.Addr; ok != (want != "") || ok && got != want {
			t.Errorf("%s, chrooted %v: got %s, %v, want %s", text, chrooted, got, ok, want)
		}
	}
	leads("unix:/run/a.sock", false, "unix /run/a.sock")
	leads("unix:/run/a.sock", true, "unix /var/spool/postfix/run/a.sock")
	leads("unix:run/a.sock", false, "unix /var/spool/postfix/run/a.sock")
	leads("unix:run/../a.sock", true, "unix /var/spool/postfix/a.sock")
	leads("inet:localhost:8891", true, "tcp localhost:8891")
	leads("inet:[::1]:8891", false, "tcp [::1]:8891")
	leads("inet:localhost:smtp", false, "tcp localhost:25")
	leads("inet:8891", false, "")
	leads("local:/run/a.sock", false, "")
	leads("nonsense", false, "")
}

func TestListensOn(t *testing.T) {
	folder := t.TempDir()
	first, second := filepath.Join(folder, "one"), filepath.Join(folder, "two")
	if err := errors.Join(os.WriteFile(first, nil, 0o600), os.Link(first, second)); err != nil {
		t.Fatal(err)
	}
	leads := func(told config.Address, listen string, want bool) {
		t.Helper()
		ours, err := config.ParseAddress(listen)
		if err != nil {
			t.Fatal(err)
		}
		d := doctor{config: config.Config{Listen: config.Listen{Milter: []config.Address{ours}}}}
		if got := d.listensOn(t.Context(), told); got != want {
			t.Errorf("%v to %s: got %v, want %v", told, listen, got, want)
		}
	}
	tcp := func(addr string) config.Address { return config.Address{Network: "tcp", Addr: addr} }
	leads(tcp("127.0.0.1:8891"), "inet:127.0.0.1:8891", true)
	leads(tcp("127.0.0.1:8892"), "inet:127.0.0.1:8891", false)
	leads(tcp("127.0.0.2:8891"), "inet:127.0.0.1:8891", false)
	leads(tcp("localhost:8891"), "inet:127.0.0.1:8891", true)
	leads(tcp("127.0.0.2:8891"), "inet:0.0.0.0:8891", true)
	leads(tcp("[::1]:8891"), "inet:0.0.0.0:8891", false)
	leads(tcp("[::1]:8891"), "inet:[::]:8891", true)
	leads(tcp("127.0.0.1:8891"), "inet:[::]:8891", false) // assay listens there for IPv6 only
	leads(config.Address{Network: "unix", Addr: first}, "unix:"+first, true)
	leads(config.Address{Network: "unix", Addr: second}, "unix:"+first, true)
	leads(config.Address{Network: "unix", Addr: folder}, "unix:"+first, false)
	leads(config.Address{Network: "unix", Addr: first + "x"}, "unix:"+second+"x", false)
	leads(tcp("127.0.0.1:8891"), "unix:"+first, false)
}

func TestToldTo(t *testing.T) {
	says := func(listen, want string) {
		t.Helper()
		a, err := config.ParseAddress(listen)
		if err != nil {
			t.Fatal(err)
		}
		if got := toldTo(a, "/var/spool/postfix"); got != want {
			t.Errorf("%s: got %s, want %s", listen, got, want)
		}
	}
	says("inet:127.0.0.1:8891", "inet:127.0.0.1:8891")
	says("inet:0.0.0.0:8891", "inet:localhost:8891")
	says("inet:[::]:8891", "inet:localhost:8891")
	says("unix:/run/a.sock", "unix:/run/a.sock")
	says("unix:/var/spool/postfix/assay/a.sock", "unix:assay/a.sock")
}
