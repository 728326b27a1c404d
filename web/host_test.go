package web

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
)

// TestFromHere: over a network one may look, and switch nothing.
func TestFromHere(t *testing.T) {
	s := start(t, testZone)
	ask := func(local net.Addr, method, path string, want int) {
		t.Helper()
		r := httptest.NewRequestWithContext(context.WithValue(t.Context(), http.LocalAddrContextKey, local), method, path, nil)
		r.Host = "mx.example.org"
		if local, ok := local.(*net.TCPAddr); ok {
			r.Host = local.String()
		}
		w := httptest.NewRecorder()
		s.handler().ServeHTTP(w, r)
		if w.Code != want {
			t.Errorf("%s %s at %s: %d, want %d", method, path, local, w.Code, want)
		}
	}
	network := &net.TCPAddr{IP: net.ParseIP("192.0.2.25"), Port: 8892}
	ask(network, "GET", "/status", 200)
	ask(network, "PUT", "/debug/log", 403)
	ask(network, "DELETE", "/debug/log", 403)
	for _, here := range []net.Addr{&net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 8892}, &net.TCPAddr{IP: net.IPv6loopback, Port: 8892}, &net.UnixAddr{Name: "/run/assay/status.sock", Net: "unix"}} {
		ask(here, "GET", "/status", 200)
		ask(here, "PUT", "/debug/log", 200)
		ask(here, "DELETE", "/debug/log", 200)
	}
}

// TestPagesOfOthers: a browser on this host hands nothing to a page whose name
// leads to loopback, nor lets it switch anything.
func TestPagesOfOthers(t *testing.T) {
	s := start(t, testZone)
	c := s.serve(t)
	ask := func(method, path, host string, want int) {
		t.Helper()
		request, err := http.NewRequest(method, "http://"+c.Addr+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		request.Host = host
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		if response.StatusCode != want {
			t.Errorf("%s %s of %s: %d, want %d", method, path, host, response.StatusCode, want)
		}
	}
	for _, host := range []string{"rebound.example", "rebound.example:8892", "127.0.0.1.rebound.example", "localhost.rebound.example:8892"} {
		ask("GET", "/status", host, 403)
		ask("GET", "/metrics", host, 403)
		ask("PUT", "/debug/log?for=1h", host, 403)
	}
	if s.filter.Debug(s.clock()) != nil {
		t.Error("details are logged")
	}
	for _, host := range []string{"127.0.0.1:8892", "127.0.0.1", "[::1]:8892", "[::1]", "localhost:8892", "LOCALHOST"} {
		ask("GET", "/status", host, 200)
	}
	if _, err := c.Status(context.Background()); err != nil {
		t.Errorf("our own client: %v", err)
	}
}
