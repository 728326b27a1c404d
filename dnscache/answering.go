package dnscache

import (
	"context"
	"time"

	"github.com/miekg/dns"
)

// answerAge is how long an answer shows that servers are of use.
const answerAge = 10 * time.Second

// probeName exists wherever the public DNS can be reached; to hear that it does
// not is as good an answer.
const probeName = "a.root-servers.net"

// Answering reports whether some server is of use. Where none has been for the
// last 10 s, in which perhaps nobody asked, they are asked now, past the cache;
// those who call meanwhile share the answer. It is false when ctx is done first.
func (r *Resolver) Answering(ctx context.Context) bool {
	// A clock that was set back makes the age negative.
	age := r.now().Sub(time.Unix(0, r.answered.Load()))
	if r.zone != nil || age >= 0 && age < answerAge {
		return true
	}
	probe := r.flights.DoChan("answering", func() (any, error) {
		e := r.resolve(question{probeName, dns.TypeA})
		return e != nil && !e.failed(), nil
	})
	select {
	case p := <-probe:
		answering, _ := p.Val.(bool)
		return answering
	case <-ctx.Done():
		return false
	}
}
