package main

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/smtp"
	"net/textproto"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"assay/dnscache/dnstest"
	"assay/filter/miltertest"
)

// TestRestartUnderLoad: while mail comes in through Postfix the filter reads its
// configuration again, is stopped, is killed, and starts again. Every message
// that was accepted arrives once; nothing else was done than to ask senders to
// come back.
func TestRestartUnderLoad(t *testing.T) {
	const messages, senders = 400, 6
	d := startDaemon(t)
	d.configure(t, "exempt.networks = []\n")
	d.signal(t, syscall.SIGHUP)
	d.err.wait(t, "configuration read again", 1)
	program := d.cmd.Path

	var sent, deferred atomic.Int64
	next := make(chan int)
	done := make(chan struct{})
	go func() {
		defer close(done)
		var all sync.WaitGroup
		for range senders {
			all.Go(func() {
				for n := range next {
					deferred.Add(int64(sendUntilAccepted(t, d.mta.Addr, n)))
					sent.Add(1)
				}
			})
		}
		all.Wait()
	}()
	restart := func(how syscall.Signal) {
		d.signal(t, how)
		if how == syscall.SIGHUP {
			return
		}
		d.status(t)
		d.process = startProcess(t, program, "serve", "-c", d.file)
	}
	signals := []syscall.Signal{syscall.SIGKILL, syscall.SIGHUP, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGKILL, syscall.SIGTERM, syscall.SIGKILL}
	for n := range messages {
		if every := messages / (len(signals) + 1); n%every == every-1 && len(signals) > 0 {
			restart(signals[0])
			signals = signals[1:]
		}
		next <- n
	}
	close(next)
	<-done
	if len(signals) > 0 {
		t.Errorf("%d signals were not sent", len(signals))
	}
	t.Logf("%d messages, %d times a sender was asked to come back", sent.Load(), deferred.Load())

	seen := map[string]int{}
	for _, m := range d.sink.Wait(t, messages) {
		id := regexp.MustCompile(`(?m)^X-Number: (\d+)\r$`).FindSubmatch(m.Data)
		if id == nil {
			t.Fatalf("a message without its number: %q", m.Data)
		}
		seen[string(id[1])]++
		if n := strings.Count(string(m.Data), "Authentication-Results: "+testID+";"); n != 1 {
			t.Errorf("message %s has %d fields of ours", id[1], n)
		}
	}
	for n := range messages {
		if seen[fmt.Sprint(n)] != 1 {
			t.Errorf("message %d arrived %d times", n, seen[fmt.Sprint(n)])
		}
	}
}

// sendUntilAccepted sends a message as a queue does: what is deferred is sent
// again. It returns how often it was deferred.
func sendUntilAccepted(t *testing.T, addr string, n int) (deferred int) {
	text := fmt.Sprintf("From: a@example.com\r\nX-Number: %d\r\n\r\nHello.\r\n", n)
	for late := time.Now().Add(patience); ; deferred++ {
		err := smtp.SendMail(addr, nil, "a@example.com", []string{"b@rcpt.test"}, []byte(text))
		var reply *textproto.Error
		switch {
		case err == nil:
			return deferred
		case !errors.As(err, &reply) || reply.Code/100 != 4:
			t.Errorf("message %d: %v", n, err)
			return deferred
		case time.Now().After(late):
			t.Errorf("message %d is still deferred: %v", n, err)
			return deferred
		}
		time.Sleep(20 * time.Millisecond) // a queue waits, too
	}
}

// faulty starts a filter from a shell, and returns its milter socket.
func faulty(t *testing.T, shell string) (p *process, socket string) {
	t.Helper()
	folder := t.TempDir()
	socket = filepath.Join(folder, "milter.sock")
	zone := dnstest.MustParse(t, `example.com. TXT "v=spf1 -all"`)
	file := filepath.Join(folder, "assay.toml")
	text := fmt.Sprintf("authserv_id = %q\nlisten.milter = %q\ndns.servers = [%q]\ndns.timeout = \"300ms\"\n", testID, "unix:"+socket, zone.Serve(t))
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	shell = strings.NewReplacer("ASSAY", buildAssay(t)+" serve -c "+file).Replace(shell)
	p = startProcess(t, "/bin/sh", "-c", shell)
	for late := time.Now().Add(patience); ; time.Sleep(5 * time.Millisecond) {
		c, err := net.Dial("unix", socket)
		if err == nil {
			c.Close()
			return p, socket
		}
		if time.Now().After(late) {
			t.Fatal(err)
		}
	}
}

// TestLogFull: a disk that is full costs the log, and no mail.
func TestLogFull(t *testing.T) {
	if _, err := os.Stat("/dev/full"); err != nil {
		t.Skip("no /dev/full here")
	}
	p, socket := faulty(t, "exec ASSAY 2>/dev/full")
	for range 3 {
		sendOne(t, socket)
	}
	p.signal(t, syscall.SIGTERM)
	if status := p.status(t); status != exitYes {
		t.Errorf("exit status %d", status)
	}
}

// TestFilesExhausted: when there are no more file descriptors, MTAs wait; when
// there are again, mail goes on.
func TestFilesExhausted(t *testing.T) {
	p, socket := faulty(t, "ulimit -n 40 && exec ASSAY")
	var conns []net.Conn
	for range 80 {
		c, err := net.DialTimeout("unix", socket, time.Second)
		if err != nil {
			break // the backlog is full too
		}
		conns = append(conns, c)
	}
	p.err.wait(t, "cannot accept connections", 1)
	for _, c := range conns {
		c.Close()
	}
	sendOne(t, socket)
	p.err.wait(t, "spf=fail", 1)
	p.signal(t, syscall.SIGTERM)
	if status := p.status(t); status != exitYes {
		t.Errorf("exit status %d", status)
	}
}

// TestFilesForDNS: when there is no descriptor for a question, the answer is
// temperror, never a failure of the sender's.
func TestFilesForDNS(t *testing.T) {
	p, socket := faulty(t, "ulimit -n 24 && exec ASSAY")
	var conns []*miltertest.Conn
	for range 40 {
		ours, err := net.DialTimeout("unix", socket, time.Second)
		if err != nil {
			break
		}
		profile := miltertest.Postfix()
		profile.Timeout = 2 * time.Second
		c, err := miltertest.New(ours, profile)
		if err != nil {
			break // not accepted: there are no more
		}
		conns = append(conns, c)
	}
	if len(conns) == 0 {
		t.Fatal("no connection")
	}
	last := conns[len(conns)-1]
	for _, c := range conns[:len(conns)-1] {
		defer c.Close()
	}
	p.err.wait(t, "cannot accept connections", 1)
	out, err := last.Deliver(miltertest.Message{
		Client: netip.MustParseAddrPort("192.0.2.7:25000"), ClientName: "out.example.com", Helo: "out.example.com",
		From: "a@example.com", Rcpts: []string{"b@rcpt.test"}, Raw: []byte("From: a@example.com\r\n\r\nHello.\r\n"),
	})
	if err != nil || out.Action != miltertest.Accept {
		t.Fatalf("got %v, %v", out.Action, err)
	}
	if got := strings.Join(out.Fields("Authentication-Results"), ""); !strings.Contains(got, "spf=temperror") {
		t.Errorf("got %q", got)
	}
}
