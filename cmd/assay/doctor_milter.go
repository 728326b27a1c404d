package main

import (
	"context"
	"errors"
	"io/fs"
	"net"
	"strings"
	"syscall"
	"time"

	"assay/config"
	"assay/filter/miltertest"
)

// doctorPatience is how long the milter may take to be connected to and to answer the
// negotiation.
const doctorPatience = 10 * time.Second

// checkMilter connects to every address of the milter as an MTA does.
func (d *doctor) checkMilter(ctx context.Context) []finding {
	var findings []finding
	for _, a := range d.config.Listen.Milter {
		findings = append(findings, d.greet(ctx, a))
	}
	return findings
}

// greet negotiates over one address.
func (d *doctor) greet(ctx context.Context, a config.Address) finding {
	conn, err := connectMilter(ctx, a, doctorPatience)
	if err != nil {
		return unreached(a, err)
	}
	version, actions, _ := conn.Negotiated()
	if err := conn.Quit(); err != nil {
		return unreached(a, err)
	}
	const edits = miltertest.ActAddHeaders | miltertest.ActChangeHeaders
	if actions&edits != edits {
		return found(failing, "%s answers as a milter, and does not ask to change header fields: it is not assay", a).
			next("listen.milter and the running service must name the same address; \"ss -lptx\" shows who listens")
	}
	if d.reached == (config.Address{}) {
		d.reached = a
	}
	return found(good, "%s answers, protocol version %d", a, version)
}

// connectMilter negotiates as Postfix would. Every later wait takes as long as
// patience at most, and ends with ctx.
func connectMilter(ctx context.Context, a config.Address, patience time.Duration) (*miltertest.Conn, error) {
	dialer := net.Dialer{Timeout: doctorPatience}
	nc, err := dialer.DialContext(ctx, a.Network, a.Addr)
	if err != nil {
		return nil, err
	}
	context.AfterFunc(ctx, func() { nc.Close() }) // ctx is that of the command
	profile := miltertest.Postfix()
	profile.Values["v"] = "assay doctor " + version
	profile.Timeout = patience
	return miltertest.New(nc, profile)
}

// unreached says why the milter does not answer.
func unreached(a config.Address, err error) finding {
	var slow net.Error
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ECONNREFUSED):
		return found(failing, "nobody listens on %s", a).later().next("start assay: systemctl start assay, or assay serve -c FILE; where assay.socket opens its socket, let listen.milter name that too")
	case errors.Is(err, fs.ErrPermission):
		return found(failing, "%s may not be connected to by this user", a).next("run assay doctor as root")
	case errors.As(err, &slow) && slow.Timeout():
		return found(failing, "%s does not answer within %v", a, doctorPatience).later().next("look into the log of assay; \"ss -lptx\" shows whether another program listens there")
	}
	return found(failing, "%s does not answer as a milter: %s", a, strings.TrimPrefix(err.Error(), "miltertest: ")).
		next("look into the log of assay; \"ss -lptx\" shows whether another program listens there")
}
