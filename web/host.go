package web

import (
	"net"
	"net/http"
	"net/netip"
	"strings"
)

// ownName keeps the pages of others out. A browser on this host reaches loopback
// too, and lets a page whose name leads to 127.0.0.1 (DNS rebinding) read and switch
// what it finds there. Such a request has that name in Host; those who mean us have
// an address there, or localhost. Over a network names of this host are in use.
func ownName(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if local, ok := r.Context().Value(http.LocalAddrContextKey).(*net.TCPAddr); ok && local.IP.IsLoopback() && !meansLoopback(r.Host) {
			http.Error(w, "ask by address, or as localhost", http.StatusForbidden)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// meansLoopback reports whether a Host field can be about loopback. Only programs
// leave it out.
func meansLoopback(host string) bool {
	name := host
	if h, _, err := net.SplitHostPort(host); err == nil {
		name = h
	}
	_, err := netip.ParseAddr(strings.Trim(name, "[]"))
	return err == nil || name == "" || strings.EqualFold(name, "localhost")
}
