package web

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/pprof"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"
	"golang.org/x/net/netutil"
)

// Bounds of what those who ask can take from us.
const (
	maxConnections = 32
	maxHeaderBytes = 8 << 10
	requestWait    = 5 * time.Second  // for a whole request
	answerWait     = 90 * time.Second // for the asker to take the answer; a profile takes 30 s to make
	idleWait       = 2 * time.Minute  // for another request; Prometheus asks every minute at least
)

// Serve answers those who ask at l until ctx ends, and returns nil then. It owns
// l. More than 32 connections wait for a place.
func (m *Monitor) Serve(ctx context.Context, l net.Listener) error {
	server := http.Server{
		Handler:        m.handler(),
		ReadTimeout:    requestWait,
		WriteTimeout:   answerWait,
		IdleTimeout:    idleWait,
		MaxHeaderBytes: maxHeaderBytes,
		ErrorLog:       log.New(io.Discard, "", 0), // strangers' mistakes
	}
	stop := context.AfterFunc(ctx, func() { server.Close() })
	defer stop()
	err := server.Serve(netutil.LimitListener(l, maxConnections))
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}

func (m *Monitor) handler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{MaxRequestsInFlight: 4}))
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { health(w, m.unhealthy()) })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) { health(w, m.notReady(r.Context())) })
	mux.HandleFunc("GET /status", m.serveStatus)
	mux.HandleFunc("PUT /debug/log", fromHere(m.serveDebug))
	mux.HandleFunc("DELETE /debug/log", fromHere(m.serveDebug))
	mux.HandleFunc("GET /debug/pprof/", m.serveProfile)
	return ownName(mux)
}

// health answers 200, or 503 and why.
func health(w http.ResponseWriter, problem string) {
	if problem != "" {
		http.Error(w, problem, http.StatusServiceUnavailable)
		return
	}
	fmt.Fprintln(w, "ok")
}

func (m *Monitor) serveStatus(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	_ = encoder.Encode(m.status(r.Context())) // fails only where the asker has gone
}

// serveProfile serves profiles where the configuration asks for it.
func (m *Monitor) serveProfile(w http.ResponseWriter, r *http.Request) {
	if f := m.facts.Load(); f == nil || !f.Pprof {
		http.Error(w, "listen.pprof is off", http.StatusNotFound)
		return
	}
	switch r.URL.Path {
	case "/debug/pprof/cmdline":
		pprof.Cmdline(w, r)
	case "/debug/pprof/profile":
		pprof.Profile(w, r)
	case "/debug/pprof/symbol":
		pprof.Symbol(w, r)
	case "/debug/pprof/trace":
		pprof.Trace(w, r)
	default:
		pprof.Index(w, r)
	}
}
