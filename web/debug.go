package web

import (
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"time"

	"assay/filter"
	"assay/verify/domain"
	"assay/verify/network"
)

// Limits of a request for details.
const (
	debugStandard = time.Hour
	debugLongest  = 24 * time.Hour
	debugItems    = 100 // networks, and author domains
)

// serveDebug makes details be logged, or no longer. PUT takes for= (a duration),
// client= (networks) and author= (domains), each of the last two any number of
// times. These methods are not what a web page of others can make a browser send.
func (m *Monitor) serveDebug(w http.ResponseWriter, r *http.Request) {
	f := m.facts.Load()
	if f == nil {
		http.Error(w, "starting", http.StatusServiceUnavailable)
		return
	}
	if r.Method == http.MethodDelete {
		f.Filter.SetDebug(nil)
		f.Log.Info("details are no longer logged")
		fmt.Fprintln(w, "details are no longer logged")
		return
	}
	asked := r.URL.Query()
	d, err := debugOf(asked, m.now())
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	f.Filter.SetDebug(d)
	f.Log.Info("details are logged", "until", d.Until.UTC(), "clients", fmt.Sprint(asked["client"]), "authors", fmt.Sprint(asked["author"]))
	fmt.Fprintf(w, "details are logged until %s\n", d.Until.UTC().Format(time.RFC3339))
}

// debugOf reads what details are asked for.
func debugOf(values url.Values, now time.Time) (*filter.Debug, error) {
	d := &filter.Debug{Until: now.Add(debugStandard)}
	if text := values.Get("for"); text != "" {
		length, err := time.ParseDuration(text)
		if err != nil || length <= 0 || length > debugLongest {
			return nil, fmt.Errorf("for: %q is not a time of up to %s, such as 30m", text, debugLongest)
		}
		d.Until = now.Add(length)
	}
	if len(values["client"]) > debugItems || len(values["author"]) > debugItems {
		return nil, fmt.Errorf("more than %d clients or authors", debugItems)
	}
	var networks []netip.Prefix
	for _, text := range values["client"] {
		prefix, err := parseNetwork(text)
		if err != nil {
			return nil, fmt.Errorf("client: %q is neither an address nor a network", text)
		}
		networks = append(networks, prefix)
	}
	if networks != nil {
		set := network.NewSet(networks...)
		d.Networks = &set
	}
	var authors []domain.Pattern
	for _, text := range values["author"] {
		pattern, err := domain.ParsePattern(text)
		if err != nil {
			return nil, fmt.Errorf("author: %q: %w", text, err)
		}
		authors = append(authors, pattern)
	}
	if authors != nil {
		set := domain.NewSet(authors...)
		d.Authors = &set
	}
	return d, nil
}

// parseNetwork reads a network, or an address.
func parseNetwork(text string) (netip.Prefix, error) {
	if addr, err := netip.ParseAddr(text); err == nil {
		addr = addr.Unmap().WithZone("")
		return addr.Prefix(addr.BitLen())
	}
	p, err := netip.ParsePrefix(text)
	return p.Masked(), err
}
