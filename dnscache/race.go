package dnscache

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"
)

const (
	// maxFlight limits the time one question may take, however many servers
	// there are, and that it may wait for its turn.
	maxFlight = 20 * time.Second
	// maxQueries limits how often one question is sent, over all servers.
	maxQueries = 12
	// maxWaiting limits the questions that wait for their turn, those included whose
	// callers have given up: more than are put within maxFlight to servers that are
	// silent. Each takes about 6 KiB.
	maxWaiting = 8192
	// maxStrikes is how many connections to a server may fail before the question
	// is not put to it any more. More than one, because servers get restarted.
	maxStrikes = 3
)

var (
	errNoServers = errors.New("no name server is configured")
	errCrowd     = errors.New("too many questions wait for their turn")
)

// race puts one question to the servers: to the best first, to the next as soon
// as it fails or is late, and so on around until one answers.
type race struct {
	r       *Resolver
	ctx     context.Context
	q       question
	servers []*upstream
	strikes []int
	turn    int // of the next server
	sent    int
	landed  chan attempt // has room for all
	last    *entry       // the failure seen last
}

// attempt is what came of asking one server.
type attempt struct {
	server int
	answer *entry
	err    error
}

// resolve asks the servers until one answers. It returns nil where too many
// questions are out, for as long as one waits for its turn.
func (r *Resolver) resolve(q question) (e *entry) {
	// A flight is a goroutine of its own: no caller could recover.
	defer func() {
		if p := recover(); p != nil {
			e = failed(q, "", fmt.Errorf("panic: %v", p))
		}
	}()
	if r.zone != nil {
		return r.fromZone(q)
	}
	servers := r.pool.ranked(r.now())
	if len(servers) == 0 {
		return failed(q, "", errNoServers)
	}
	if ok, err := r.takeTurn(); err != nil {
		return failed(q, "", err)
	} else if !ok {
		return nil
	}
	limit := min(time.Duration(len(servers))*r.config.Timeout, maxFlight)
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	run := race{
		r: r, ctx: ctx, q: q, servers: servers,
		strikes: make([]int, len(servers)),
		landed:  make(chan attempt, maxQueries),
	}
	run.send(0)
	run.turn = 1
	run.probe()
	return run.wait()
}

// takeTurn waits for a place among the queries that are out, and reports whether
// there was one in time. It fails at once where too many wait.
func (r *Resolver) takeTurn() (ok bool, err error) {
	select {
	case r.sockets <- struct{}{}:
		return true, nil
	default:
	}
	defer r.waiting.Add(-1)
	if r.waiting.Add(1) > maxWaiting {
		return false, errCrowd
	}
	limit := time.NewTimer(maxFlight)
	defer limit.Stop()
	select {
	case r.sockets <- struct{}{}:
		return true, nil
	case <-limit.C:
		return false, nil
	}
}

// wait sends more queries as the time comes, and returns the first answer.
func (run *race) wait() *entry {
	retry := time.NewTimer(run.r.config.RetryAfter)
	defer retry.Stop()
	for {
		select {
		case a := <-run.landed:
			if a.err == nil {
				return a.answer
			}
			run.strike(a)
			if run.over() {
				return run.last
			}
			if run.turn >= len(run.servers) {
				continue // all have been asked: no hurry
			}
		case <-retry.C:
		case <-run.ctx.Done():
			if run.last == nil {
				server := run.servers[(run.turn-1)%len(run.servers)].name
				run.last = failed(run.q, server, os.ErrDeadlineExceeded)
			}
			return run.last
		}
		run.next()
		retry.Reset(run.r.config.RetryAfter)
	}
}

// strike notes a failure. One that is for good rules the server out.
func (run *race) strike(a attempt) {
	run.last = failed(run.q, run.servers[a.server].name, a.err)
	switch {
	case final(a.err):
		run.strikes[a.server] = maxStrikes
	case !isTimeout(a.err):
		run.strikes[a.server]++
	}
}

// over reports whether every server is ruled out.
func (run *race) over() bool {
	for _, n := range run.strikes {
		if n < maxStrikes {
			return false
		}
	}
	return true
}

// next asks the server whose turn it is, where there is room for a query.
func (run *race) next() {
	for range run.servers {
		server := run.turn % len(run.servers)
		run.turn++
		if run.strikes[server] >= maxStrikes {
			continue
		}
		if run.sent < maxQueries {
			run.sendIfRoom(server)
		}
		return
	}
}

func (run *race) sendIfRoom(server int) {
	select {
	case run.r.sockets <- struct{}{}:
		run.send(server)
	default:
	}
}

// send asks a server; a place among the queries that are out is ours.
func (run *race) send(server int) {
	run.sent++
	go func() { run.landed <- run.r.attempt(run.ctx, run.servers[server], server, run.q) }()
}

// probe asks those servers too that are not the best, now and then. What they
// say serves to know them.
func (run *race) probe() {
	best := run.servers[0].grade()
	for i, u := range run.servers {
		if u.grade() == best || !u.probe(run.r.now()) {
			continue
		}
		select {
		case run.r.sockets <- struct{}{}:
			// It goes on when the race is over.
			go run.r.attempt(context.WithoutCancel(run.ctx), u, i, run.q)
		default:
		}
	}
}

// attempt asks a server; a place among the queries that are out is ours until
// it returns.
func (r *Resolver) attempt(ctx context.Context, u *upstream, server int, q question) (a attempt) {
	a.server = server
	r.queries.Add(1)
	defer func() {
		if p := recover(); p != nil {
			a.err = fmt.Errorf("panic: %v", p)
		}
		<-r.sockets
	}()
	a.answer, a.err = r.try(ctx, u, q)
	if a.err == nil {
		r.answered.Store(r.now().UnixNano())
	}
	return a
}

// try asks one server and reads what it says.
func (r *Resolver) try(ctx context.Context, u *upstream, q question) (*entry, error) {
	ctx, cancel := context.WithTimeout(ctx, min(r.config.Timeout, maxFlight))
	defer cancel()
	u.sent()
	start := time.Now()
	late := time.AfterFunc(r.config.RetryAfter, func() { u.lost(r.config.Timeout) })
	reply, err := u.ask(ctx, q, &r.config)
	inTime := late.Stop()
	if err != nil && !final(err) {
		if inTime && !errors.Is(ctx.Err(), context.Canceled) {
			u.lost(r.config.Timeout) // refused, reset, no route, no time left
		}
		return nil, err
	}
	u.replied(time.Since(start))
	if err != nil {
		return nil, err
	}
	e, err := read(reply, q)
	if err != nil {
		return nil, &unusable{err}
	}
	e.server = u.name
	e.authenticated = e.authenticated && r.config.RequireAD
	if e.txt != nil {
		e.txt.Authenticated = e.authenticated
	}
	return e, nil
}
