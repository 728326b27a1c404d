package web

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// maxAnswer bounds what is read of an answer: some times what the rules of the
// longest configuration take.
const maxAnswer = 16 << 20

// Client asks a running service. Network and Addr are those of [net.Dial].
type Client struct {
	Network, Addr string
}

// ErrSilent is why there is no answer: nobody listens, or it is somebody else.
var ErrSilent = errors.New("no answer from a running assay")

// Status asks how the service is.
func (c Client) Status(ctx context.Context) (s Status, err error) {
	text, err := c.do(ctx, http.MethodGet, "/status", nil)
	if err != nil {
		return s, err
	}
	if err := json.Unmarshal(text, &s); err != nil || len(s.Recent) == 0 {
		return s, fmt.Errorf("%w: %s answers otherwise", ErrSilent, c.Addr)
	}
	return s, nil
}

// Debug makes details be logged: for that long, of these clients and authors, as
// serveDebug reads them. It returns what was said to it.
func (c Client) Debug(ctx context.Context, length time.Duration, clients, authors []string) (string, error) {
	text, err := c.do(ctx, http.MethodPut, "/debug/log", url.Values{"for": {length.String()}, "client": clients, "author": authors})
	return strings.TrimSpace(string(text)), err
}

// NoDebug ends that.
func (c Client) NoDebug(ctx context.Context) (string, error) {
	text, err := c.do(ctx, http.MethodDelete, "/debug/log", nil)
	return strings.TrimSpace(string(text)), err
}

func (c Client) do(ctx context.Context, method, path string, query url.Values) ([]byte, error) {
	transport := &http.Transport{
		DisableKeepAlives: true,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, c.Network, c.Addr)
		},
	}
	request, err := http.NewRequestWithContext(ctx, method, "http://localhost"+path+"?"+query.Encode(), nil)
	if err != nil {
		return nil, err
	}
	response, err := (&http.Client{Transport: transport}).Do(request)
	if err != nil {
		var u *url.Error
		if errors.As(err, &u) {
			err = u.Err // the address it names is made up
		}
		return nil, fmt.Errorf("%w: %w", ErrSilent, err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrSilent, err)
	}
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("the running assay says: %s", strings.TrimSpace(string(text)))
	}
	return text, nil
}
