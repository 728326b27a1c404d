package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"
)

// postfix is what the configuration of a Postfix says, every $name in it expanded.
type postfix struct {
	main     map[string]string // main.cf, by parameter
	services []*smtpd          // in the order of master.cf
}

// smtpd is a service that takes mail by SMTP.
type smtpd struct {
	name     string // such as "smtp/inet"
	chrooted bool
	own      map[string]string // what "-o" sets for it alone
}

// postfixParameters are those that are read. Postfix before 3.2 does not know
// the last one.
var postfixParameters = []string{
	"compatibility_level", "queue_directory", "mail_owner", "smtpd_sasl_auth_enable", "smtpd_milters",
	"milter_default_action", "milter_protocol", "milter_connect_timeout", "milter_command_timeout", "milter_content_timeout",
	"mail_version", "smtpd_milter_maps",
}

// value is what a parameter is for one service.
func (p *postfix) value(s *smtpd, parameter string) string {
	if own, ok := s.own[parameter]; ok {
		return own
	}
	return p.main[parameter]
}

// readPostfix asks postconf what is in a folder.
func readPostfix(ctx context.Context, folder string) (*postfix, error) {
	main, err := postconf(ctx, folder, append([]string{"-x"}, postfixParameters...)...)
	if err != nil {
		return nil, err
	}
	fields, err := postconf(ctx, folder, "-F", "-x", "*/*/command", "*/*/chroot")
	if err != nil {
		return nil, err
	}
	own, err := postconf(ctx, folder, "-P", "-x")
	if err != nil {
		return nil, err
	}
	return newPostfix(main, fields, own), nil
}

// newPostfix puts together what main.cf says, the fields of master.cf, and what "-o"
// says there.
func newPostfix(main, fields, own []parameter) *postfix {
	p := &postfix{main: map[string]string{}}
	for _, m := range main {
		p.main[m.name] = m.value
	}
	services := map[string]*smtpd{}
	for _, f := range fields {
		service, field := cutLast(f.name)
		if field == "command" && (f.value == "smtpd" || strings.HasPrefix(f.value, "smtpd ")) {
			services[service] = &smtpd{name: service, own: map[string]string{}}
			p.services = append(p.services, services[service])
		}
	}
	for _, f := range fields {
		if service, field := cutLast(f.name); field == "chroot" && services[service] != nil {
			services[service].chrooted = f.value == "y" || f.value == "-" && p.chrootsByDefault()
		}
	}
	for _, o := range own {
		if service, name := cutLast(o.name); services[service] != nil {
			services[service].own[name] = o.value
		}
	}
	return p
}

// chrootsByDefault: "-" in master.cf meant yes before Postfix 3.0, and does so in
// its backwards-compatible mode.
func (p *postfix) chrootsByDefault() bool {
	level := p.main["compatibility_level"]
	return level == "" || level == "0"
}

func cutLast(name string) (service, last string) {
	i := strings.LastIndexByte(name, '/')
	return name[:max(i, 0)], name[i+1:]
}

// parameter is one line of what postconf prints.
type parameter struct{ name, value string }

// The bounds of running postconf: it takes milliseconds and prints some KiB.
const (
	postconfTime  = 10 * time.Second
	postconfBytes = 1 << 20
)

var (
	errNoPostfix = errors.New("there is no postconf on this host")
	errPostconf  = errors.New("postconf")
)

// postconf runs the program of that name, which reads the files anew.
func postconf(ctx context.Context, folder string, args ...string) ([]parameter, error) {
	program, err := exec.LookPath("postconf")
	if err != nil {
		program = "/usr/sbin/postconf" // which is not in every PATH
		if _, err := os.Stat(program); err != nil {
			return nil, errNoPostfix
		}
	}
	ctx, cancel := context.WithTimeout(ctx, postconfTime)
	defer cancel()
	cmd := exec.CommandContext(ctx, program, append([]string{"-c", folder}, args...)...)
	cmd.WaitDelay = time.Second
	out, talk := bounded{limit: postconfBytes}, bounded{limit: 1000}
	cmd.Stdout, cmd.Stderr = &out, &talk
	if err := cmd.Run(); err != nil {
		said := strings.TrimPrefix(strings.TrimSpace(talk.text.String()), program+": fatal: ")
		return nil, fmt.Errorf("%w: %s (%w)", errPostconf, said, err)
	}
	if out.cut {
		return nil, fmt.Errorf("%w: more than %d octets of output", errPostconf, out.limit)
	}
	var all []parameter
	for line := range strings.Lines(out.text.String()) {
		if name, value, ok := strings.Cut(line, "="); ok {
			all = append(all, parameter{strings.TrimSpace(name), strings.TrimSpace(value)})
		}
	}
	return all, nil
}

// bounded keeps the first octets written to it.
type bounded struct {
	text  bytes.Buffer
	limit int
	cut   bool // there was more
}

func (b *bounded) Write(p []byte) (int, error) {
	left := b.limit - b.text.Len()
	b.cut = b.cut || len(p) > left
	b.text.Write(p[:min(len(p), left)])
	return len(p), nil
}
