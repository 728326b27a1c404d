package web

import (
	"context"
	"net/http"
	"testing"
)

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
