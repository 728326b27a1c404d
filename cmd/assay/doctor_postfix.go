package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"

	"assay/config"
)

// checkPostfix compares what Postfix is told with what we do.
func (d *doctor) checkPostfix(ctx context.Context) []finding {
	folder := d.flags.postfixDir
	if folder == "" {
		return list(found(skipped, "not looked at"))
	}
	if _, err := os.Stat(filepath.Join(folder, "main.cf")); err != nil {
		if d.flags.postfixGiven {
			return list(found(failing, "%v", err).next("name the folder of main.cf: --postfix-config DIR"))
		}
		return list(found(skipped, "not set up on this host: %v", err))
	}
	p, err := readPostfix(ctx, folder)
	switch {
	case errors.Is(err, errNoPostfix):
		return list(found(skipped, "%v", err))
	case err != nil:
		return list(found(failing, "%v", err).next("postfix -c %s check", folder))
	}
	d.postfix = p
	if len(p.services) == 0 {
		return list(found(warned, "no service of master.cf takes mail by SMTP"))
	}
	return d.judgePostfix(ctx)
}

// judgePostfix goes through the services. What is the same for several is said once.
func (d *doctor) judgePostfix(ctx context.Context) []finding {
	var g grouped
	var without []*smtpd
	for _, s := range d.postfix.services {
		if e, ok := d.entryOf(ctx, s); ok {
			u := &use{doctor: d, service: s, entry: e}
			g.add(s.name, u.judge()...)
		} else {
			without = append(without, s)
		}
	}
	nowhere := len(without) == len(d.postfix.services)
	for _, s := range without {
		// Those that take mail back from a content filter, or from users only,
		// need no milter.
		if nowhere || s.public() {
			g.add(s.name, d.absent(s))
		}
	}
	return g.findings()
}

// public reports whether a service takes mail from the world.
func (s *smtpd) public() bool {
	name, kind := cutLast(s.name)
	return kind == "pass" || name == "smtp" || name == "25" || strings.HasSuffix(name, ":smtp") || strings.HasSuffix(name, ":25")
}

// entryOf returns what smtpd_milters of a service says about us.
func (d *doctor) entryOf(ctx context.Context, s *smtpd) (milterEntry, bool) {
	for _, e := range parseMilters(d.postfix.value(s, "smtpd_milters")) {
		a, ok := postfixAddress(e.address, d.postfix.main["queue_directory"], s.chrooted)
		if ok && d.listensOn(ctx, a) {
			return e, true
		}
	}
	return milterEntry{}, false
}

// absent speaks of a service whose mail does not come to us.
func (d *doctor) absent(s *smtpd) finding {
	queue, value := d.postfix.main["queue_directory"], d.postfix.value(s, "smtpd_milters")
	ours := d.config.Listen.Milter[0]
	told := toldTo(ours, queue)
	if s.chrooted && ours.Network == "unix" && !strings.HasPrefix(ours.Addr, queue+"/") {
		return found(failing, "smtpd is chrooted in %s and cannot reach %s", queue, ours).
			next(`set smtpd_milters = unix:assay/milter.sock, and have that opened by assay.socket, or by listen.milter = "unix:%s/assay/milter.sock"`, queue)
	}
	if value == "" {
		return found(failing, "smtpd_milters is empty: its mail is not examined").next("%s", d.setting(s, "smtpd_milters", told))
	}
	return found(failing, "smtpd_milters = %s does not lead to %s: its mail is not examined", value, ours).
		next("%s", d.setting(s, "smtpd_milters", told+", "+value))
}

// toldTo is what to write into smtpd_milters for an address of ours: one that can be
// connected to, and below the queue directory one that is right in a chroot too.
func toldTo(a config.Address, queue string) string {
	if a.Network == "unix" {
		return "unix:" + strings.TrimPrefix(a.Addr, queue+"/")
	}
	host, port, _ := net.SplitHostPort(a.Addr)
	if addr, err := netip.ParseAddr(host); err == nil && addr.IsUnspecified() {
		return "inet:localhost:" + port
	}
	return a.String()
}

// setting is the command that changes a parameter where it is set.
func (d *doctor) setting(s *smtpd, parameter, value string) string {
	in := ""
	if d.flags.postfixGiven {
		in = " -c " + d.flags.postfixDir
	}
	set := fmt.Sprintf("-e '%s = %s'", parameter, value)
	if _, own := s.own[parameter]; own {
		set = fmt.Sprintf("-P '%s/%s=%s'", s.name, parameter, value)
	}
	return fmt.Sprintf("postconf%s %s && postfix%s reload", in, set, in)
}
