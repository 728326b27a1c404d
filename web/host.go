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
		if local, ok := overTCP(r); ok && local.IP.IsLoopback() && !meansLoopback(r.Host) {
			http.Error(w, "ask by address, or as localhost", http.StatusForbidden)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// fromHere lets only those on this host change something: over a network all may
// look, since nobody is asked for a password.
func fromHere(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if local, ok := overTCP(r); ok && !local.IP.IsLoopback() {
			http.Error(w, "this is for those on its own host: ask a loopback address or a unix socket", http.StatusForbidden)
			return
		}
		next(w, r)
	}
}

// overTCP returns the address of ours that was asked, if it is none of a unix socket.
func overTCP(r *http.Request) (*net.TCPAddr, bool) {
	local, ok := r.Context().Value(http.LocalAddrContextKey).(*net.TCPAddr)
	return local, ok
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
