package main

import (
	"net/netip"
	"strings"

	"assay/verify/message"
)

// trace is what a Received field says about the client.
type trace struct {
	addr netip.Addr
	helo string
}

// received reads the topmost Received field that names a client, as Postfix
// and Sendmail write it: from HELO (NAME [ADDRESS]) by …
func received(h message.Header) (trace, bool) {
	for _, f := range h.All("Received") {
		words := strings.Fields(f.Unfolded())
		if len(words) < 2 || !strings.EqualFold(words[0], "from") {
			continue
		}
		for _, word := range words[2:] {
			if strings.EqualFold(word, "by") {
				break
			}
			if addr, ok := bracketed(word); ok {
				return trace{addr, words[1]}, true
			}
		}
		return trace{}, false
	}
	return trace{}, false
}

// bracketed returns the address in a word such as "[192.0.2.7])".
func bracketed(word string) (netip.Addr, bool) {
	_, inner, ok := strings.Cut(word, "[")
	if !ok {
		return netip.Addr{}, false
	}
	inner, _, ok = strings.Cut(inner, "]")
	if !ok {
		return netip.Addr{}, false
	}
	inner = strings.TrimPrefix(inner, "IPv6:")
	addr, err := netip.ParseAddr(inner)
	return addr.Unmap().WithZone(""), err == nil
}
