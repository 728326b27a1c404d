package main

import (
	"fmt"
	"io/fs"
	"net"
	"os"
	"strings"
	"testing"

	"assay/config"
	"assay/filter/miltertest"
)

// TestDoctorImpostors: what listens where assay should is named.
func TestDoctorImpostors(t *testing.T) {
	const who = `; hint: look into the log of assay; "ss -lptx" shows whether another program listens there`
	says := func(answer func(net.Conn), want string) {
		t.Helper()
		l, err := net.Listen("tcp4", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		go func() {
			if c, err := l.Accept(); err == nil {
				answer(c)
				c.Close()
			}
		}()
		a := config.Address{Network: "tcp4", Addr: l.Addr().String()}
		d := doctor{config: config.Config{Listen: config.Listen{Milter: []config.Address{a}}}}
		f := d.checkMilter(t.Context())[0]
		if got := string(f.State) + " " + strings.TrimPrefix(f.Text, a.String()) + "; hint: " + f.Hint; got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
		if r := d.checkResults(t.Context()); r[0].State != skipped {
			t.Errorf("the test message was sent: %v", r)
		}
	}
	offer := func(c net.Conn) { c.Read(make([]byte, 17)) }
	says(func(c net.Conn) { offer(c); fmt.Fprint(c, "220 mx.example.net ESMTP\r\n") },
		"fail  does not answer as a milter: milter violation after OPTNEG: malformed packet: malformed packet: length 842149920"+who)
	says(offer, "fail  does not answer as a milter: waiting for the answer to OPTNEG: the filter closed: unexpected EOF"+who)
	says(func(c net.Conn) {
		offer(c)
		fmt.Fprint(c, "\x00\x00\x00\x0dO\x00\x00\x00\x06\x00\x00\x00\x00\x00\x00\x00\x00")
		c.Read(make([]byte, 5)) // its QUIT
	}, `fail  answers as a milter, and does not ask to change header fields: it is not assay`+
		`; hint: listen.milter and the running service must name the same address; "ss -lptx" shows who listens`)

	a := config.Address{Network: "unix", Addr: "/run/assay/milter.sock"}
	f := unreached(a, &net.OpError{Op: "dial", Err: os.NewSyscallError("connect", fs.ErrPermission)})
	if want := found(failing, "unix:/run/assay/milter.sock may not be connected to by this user").next("run assay doctor as root"); f != want {
		t.Errorf("got %+v, want %+v", f, want)
	}
	f = unreached(a, os.ErrDeadlineExceeded)
	if want := "unix:/run/assay/milter.sock does not answer within 10s"; f.Text != want || !f.Later {
		t.Errorf("got %+v, want %s", f, want)
	}
}

// TestJudgeForgery: what may not come through.
func TestJudgeForgery(t *testing.T) {
	says := func(header string, wantState state, want string) {
		t.Helper()
		out := miltertest.Outcome{Action: miltertest.Accept}
		for line := range strings.Lines(header) {
			name, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), ":")
			out.Header = append(out.Header, miltertest.Field{Name: name, Value: value})
		}
		if f := judgeForgery("mx.example.net", out); f.State != wantState || f.Text != want {
			t.Errorf("%s: got %s %s, want %s", header, f.State, f.Text, want)
		}
	}
	const ours, other = "Authentication-Results: mx.example.net; none\n", "Authentication-Results: other.invalid; none\n"
	says(ours+other, good, "forged fields are removed, one field of mx.example.net stands on top; took 0s")
	says("Received: x\n"+ours+other, failing, "the test message came through without results of its own")
	says("Received: x\n"+other, failing, "the test message came through without results of its own")
	says("Authentication-Results: ;;\n"+other, failing, "the topmost Authentication-Results field cannot be read: authres: malformed field: no token or quoted-string at octet 1")
	says(other+ours, failing, "the milter states its results under other.invalid, and the configuration says mx.example.net")
	says(ours+ours+other, failing, "2 fields claim to be results of mx.example.net: forged ones come through")
	says(ours+"Authentication-Results: MX.example.net.; dmarc=pass\n"+other, failing, "2 fields claim to be results of mx.example.net: forged ones come through")
	says(ours+other+"X-Assay-Disposition: "+probeTag+"\n", failing, "a forged X-Assay-Disposition field comes through")
	says(ours+other+"X-Assay-Disposition: tag; dmarc=none\n", good, "forged fields are removed, one field of mx.example.net stands on top; took 0s")
	says(ours, failing, "results that others have stated are removed")
}
