package arc

import (
	"context"
	"strings"
	"testing"
	"time"

	"assay/verify/dkim"
	"assay/verify/lookup"
	"assay/verify/message"
)

// now is the time of the tests.
var now = time.Unix(1_800_000_000, 0)

func clock() time.Time { return now }

// validate runs a whole message, its line ends CRLF.
func validate(t testing.TB, resolver lookup.Resolver, text string) Chain {
	t.Helper()
	header, body := parseText(text)
	return run(resolver, header, body)
}

// run validates a header and a body that comes in chunks.
func run(resolver lookup.Resolver, header message.Header, chunks ...string) Chain {
	var bodies dkim.Bodies
	r := Verifier{resolver, clock}.Begin(context.Background(), header, &bodies)
	for _, chunk := range chunks {
		bodies.Write([]byte(chunk))
	}
	bodies.Close()
	return r.Finish()
}

// parseText parts a message into header fields and body.
func parseText(text string) (message.Header, string) {
	head, body, found := strings.Cut("\r\n"+text, "\r\n\r\n")
	if !found {
		head = strings.TrimSuffix(head, "\r\n")
	}
	var header message.Header
	for _, line := range strings.Split(head, "\r\n")[1:] {
		if len(header) > 0 && line != "" && (line[0] == ' ' || line[0] == '\t') {
			header[len(header)-1].Value += "\r\n" + line
			continue
		}
		name, value, _ := strings.Cut(line, ":")
		header = append(header, message.Field{Name: name, Value: value})
	}
	return header, body
}
