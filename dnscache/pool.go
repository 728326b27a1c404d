package dnscache

import (
	"crypto/tls"
	"os"
	"slices"
	"sync"
	"time"
)

// watchInterval is how often the file that names the servers is looked at.
const watchInterval = 10 * time.Second

// pool is the servers in use. They are those of a file, as it was last read,
// where it has a name.
type pool struct {
	file    string
	timeout time.Duration
	config  *tls.Config

	mu     sync.Mutex
	list   []*upstream
	looked time.Time
	seen   os.FileInfo
}

func newPool(c Config, now time.Time) *pool {
	p := &pool{file: c.ResolvConf, timeout: c.Timeout, config: c.tls, looked: now}
	p.use(c.Servers)
	return p
}

// use makes servers those in use. One that was in use stays what it is, with
// its connection and what is known about it. p is locked, or new.
func (p *pool) use(servers []Server) {
	var list []*upstream
	for _, s := range servers {
		if slices.ContainsFunc(list, func(u *upstream) bool { return u.server == s }) {
			continue
		}
		known := slices.IndexFunc(p.list, func(u *upstream) bool { return u.server == s })
		if known >= 0 {
			list = append(list, p.list[known])
		} else {
			list = append(list, newUpstream(s, p.timeout, p.config))
		}
	}
	for _, u := range p.list {
		if !slices.Contains(list, u) {
			u.stream.close()
		}
	}
	p.list = list
}

// all returns the servers in the order of the configuration. The slice is not
// changed afterwards.
func (p *pool) all(now time.Time) []*upstream {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.file != "" && now.Sub(p.looked) >= watchInterval {
		p.looked = now
		p.look()
	}
	return p.list
}

// look reads the file again where it has changed, and once in any case: it may have
// since the servers were taken from it. One that cannot be read or is empty, as while
// it is written, is looked at again later.
func (p *pool) look() {
	info, err := os.Stat(p.file)
	if err != nil || info.Size() == 0 || p.seen != nil && os.SameFile(info, p.seen) &&
		info.ModTime().Equal(p.seen.ModTime()) && info.Size() == p.seen.Size() {
		return
	}
	servers, err := SystemServers(p.file)
	if err != nil {
		return
	}
	p.seen = info
	p.use(servers)
}

// ranked returns the servers, the best first, and of equals the one first that
// the configuration has first.
func (p *pool) ranked(now time.Time) []*upstream {
	type graded struct {
		*upstream
		grade int
	}
	var list []graded
	for _, u := range p.all(now) {
		list = append(list, graded{u, u.grade()})
	}
	slices.SortStableFunc(list, func(a, b graded) int { return a.grade - b.grade })
	ranked := make([]*upstream, len(list))
	for i, g := range list {
		ranked[i] = g.upstream
	}
	return ranked
}

func (p *pool) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, u := range p.list {
		u.stream.close()
	}
}
