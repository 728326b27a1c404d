package peers

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"assay/dnscache/dnstest"
	"assay/filter/miltertest"
)

// turn is what was measured of one contender in one round.
type turn struct {
	messages int
	verified int // of these, those with all the passes that they must have
	took     time.Duration
	cpu      []time.Duration // of each filter of the contender
	peak     int64           // octets
	queries  int
	waits    []time.Duration // for the end of each message
	failed   int             // messages that a filter deferred, or whose connection it closed
	err      error           // why the last of them failed
}

// add adds what another turn counted.
func (r *turn) add(other turn) {
	r.messages += other.messages
	r.verified += other.verified
	r.failed += other.failed
	r.queries += other.queries
	r.peak = max(r.peak, other.peak)
	r.waits = append(r.waits, other.waits...)
	r.err = cmp.Or(other.err, r.err)
}

// perMessage is the processor time of a message in these filters of the contender,
// or all; 0 where there was no message.
func (r turn) perMessage(filters ...int) time.Duration {
	var sum time.Duration
	for i, cpu := range r.cpu {
		if len(filters) == 0 || slices.Contains(filters, i) {
			sum += cpu
		}
	}
	if r.messages == 0 {
		return 0
	}
	return sum / time.Duration(r.messages)
}

// drive sends mail through the contender, over so many connections, for so
// long.
func drive(t testing.TB, c contender, mails []mail, connections int, length time.Duration, zone *dnstest.Zone) turn {
	t.Helper()
	for _, p := range c.filters {
		if p.dead() {
			p.start(t)
		}
		p.forgetPeak()
	}
	zone.Reset()
	var before []time.Duration
	for _, p := range c.filters {
		before = append(before, p.cpu())
	}
	turns := make([]turn, connections)
	var all sync.WaitGroup
	began := time.Now()
	for i := range turns {
		all.Go(func() { turns[i] = converse(c, mails[i%len(mails):], mails, began.Add(length)) })
	}
	all.Wait()
	sum := turn{took: time.Since(began), queries: len(zone.Questions())}
	for i, p := range c.filters {
		sum.cpu = append(sum.cpu, p.cpu()-before[i])
		sum.peak += p.peak()
	}
	for _, r := range turns {
		sum.add(r)
	}
	for _, p := range c.filters {
		if p.dead() {
			sum.err = fmt.Errorf("%s crashed", p.name)
		}
	}
	slices.Sort(sum.waits)
	return sum
}

// converse sends mail over one connection, and over a new one where a filter
// fails: first what is left of a round of the messages, then all, again and again.
func converse(c contender, first, mails []mail, until time.Time) (r turn) {
	way, err := open(c)
	if err != nil {
		return turn{err: err}
	}
	for ; time.Now().Before(until); first = mails {
		for _, m := range first {
			results, waited, err := way.deliver(m.Message)
			if err != nil {
				r.failed, r.err = r.failed+1, err
				way.close()
				if way, err = open(c); err != nil {
					r.err = err
					return r
				}
				continue
			}
			r.messages++
			r.waits = append(r.waits, waited)
			if c.idle || passes(results, m.signatures) {
				r.verified++
			}
			if !time.Now().Before(until) {
				break
			}
		}
	}
	r.err = cmp.Or(way.close(), r.err)
	return r
}

// way is the connections that a message passes one after the other.
type way []*miltertest.Conn

func open(c contender) (w way, err error) {
	profile := miltertest.Postfix()
	profile.Nagle = true
	for _, p := range c.filters {
		conn, err := miltertest.Dial("unix", p.socket, profile)
		if err != nil {
			return nil, errors.Join(fmt.Errorf("%s: %w", p.name, err), w.close())
		}
		w = append(w, conn)
	}
	return w, nil
}

// deliver hands a message to each filter as the one before has left it, and
// returns the results that they have written.
func (w way) deliver(m miltertest.Message) (results string, waited time.Duration, err error) {
	for i, conn := range w {
		out, err := conn.Deliver(m)
		if err != nil {
			return "", 0, err
		}
		if out.Action != miltertest.Accept {
			return "", 0, fmt.Errorf("%s: %s", out.Action, out.SMTP)
		}
		waited += out.Waited
		if i == len(w)-1 {
			return strings.Join(out.Fields("Authentication-Results"), "\n"), waited, nil
		}
		// The MTA's own field is not shown to filters.
		received := slices.IndexFunc(out.Header, func(f miltertest.Field) bool { return f.Name == "Received" })
		out.Header = slices.Delete(out.Header, received, received+1)
		m.Raw = out.Message()
	}
	return "", waited, nil
}

func (w way) close() (err error) {
	for _, conn := range w {
		err = errors.Join(err, conn.Quit())
	}
	return err
}

// passes reports whether the results say that all has passed.
func passes(results string, signatures int) bool {
	return strings.Count(results, "dkim=pass") == signatures &&
		strings.Contains(results, "spf=pass") && strings.Count(results, "dmarc=pass") == 1
}
