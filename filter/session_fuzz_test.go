package filter_test

import (
	"encoding/binary"
	"io"
	"log/slog"
	"net"
	"strings"
	"testing"
	"time"

	"assay/dnscache/dnstest"
	"assay/filter"
	"assay/policy"
	"assay/verify"
)

// frame is one milter packet.
func frame(cmd byte, data string) []byte {
	packet := binary.BigEndian.AppendUint32(nil, uint32(len(data))+1)
	return append(append(packet, cmd), data...)
}

// offer is the negotiation of a Postfix.
var offer = frame('O', "\x00\x00\x00\x06\x00\x00\x01\xff\x00\x1f\xff\xff")

// recorded is a whole session with a forged field, and a second message.
func recorded() []byte {
	session := append([]byte{}, offer...)
	add := func(cmd byte, data string) { session = append(session, frame(cmd, data)...) }
	add('D', "Cj\x00mx.test\x00")
	add('C', "out.example.com\x004\x61\xa8192.0.2.7\x00")
	add('H', "out.example.com\x00")
	for range 2 {
		add('D', "M{auth_authen}\x00\x00")
		add('M', "<a@example.com>\x00SIZE=100\x00")
		add('R', "<b@rcpt.test>\x00")
		add('L', "From\x00 a@example.com\x00")
		add('L', "Authentication-Results\x00 mx.example.net; dmarc=pass\x00")
		add('L', "DKIM-Signature\x00 v=1; a=rsa-sha256; d=example.com; s=x; h=From; bh=eA==; b=eA==\x00")
		add('N', "")
		add('B', "Hello.\r\n")
		add('E', "")
		add('A', "")
	}
	add('Q', "")
	return session
}

// pipes is a listener without a network.
type pipes chan net.Conn

func (p pipes) Accept() (net.Conn, error) {
	if c, ok := <-p; ok {
		return c, nil
	}
	return nil, net.ErrClosed
}
func (p pipes) Close() error   { return nil }
func (p pipes) Addr() net.Addr { return nil }

// converse sends octets to a filter over a pipe, hangs up, and returns what
// was answered.
func (p pipes) converse(octets []byte) []byte {
	ours, theirs := net.Pipe()
	p <- theirs
	answers := make(chan []byte)
	go func() {
		all, _ := io.ReadAll(ours)
		answers <- all
	}()
	ours.Write(octets) // fails where the filter has hung up
	// Whatever is answered to all of it comes before the end is seen.
	ours.SetReadDeadline(time.Now().Add(50 * time.Millisecond))
	all := <-answers
	ours.Close()
	return all
}

func startPipes(tb testing.TB) (pipes, *logBuffer) {
	tb.Helper()
	log := &logBuffer{}
	s := filter.NewServer(slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelError})), filter.Settings{
		ID:       testID,
		Verifier: &verify.Verifier{Resolver: dnstest.MustParse(tb, testZone), Now: time.Now, Budget: time.Second, ARC: true},
		Rules:    &policy.Rules{Enforce: true, OnReject: policy.Reject, OnInvalidAuthor: policy.Reject}, WhenUnable: policy.Accept,
	})
	p := make(pipes)
	served := make(chan error)
	go func() { served <- s.Serve(p) }()
	tb.Cleanup(func() {
		close(p)
		shutdown(tb, &service{Server: s})
		<-served
	})
	return p, log
}

// TestHangUp: an MTA that goes away at any octet of a session leaves no panic,
// no connection, and one log line at most.
func TestHangUp(t *testing.T) {
	s := startZone(t, nil)
	session := recorded()
	for i := range session {
		c, err := net.Dial("tcp", s.addr)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.Write(session[:i]); err != nil {
			t.Fatal(err)
		}
		c.Close()
	}
	shutdown(t, s) // waits until all are gone
	log := s.log.String()
	if strings.Contains(log, "msg=panic") {
		t.Error("a panic was logged")
	}
	if n := s.log.count("milter connection closed"); n > len(session) {
		t.Errorf("%d lines about %d connections", n, len(session))
	}
}

// FuzzSession: whatever an MTA sends after the negotiation, nothing panics,
// the first answer is the negotiation, every answer is a whole frame, and forged
// results do not come through a message that is let go.
func FuzzSession(f *testing.F) {
	p, log := startPipes(f)
	whole := recorded()
	f.Add(whole[len(offer):])
	f.Add(frame('M', "<>\x00"))
	f.Add(append(frame('M', "<a@b.example>\x00"), frame('E', "x")...))
	f.Add(append(frame('K', ""), frame('C', "x\x00U")...))
	f.Fuzz(func(t *testing.T, octets []byte) {
		answers := p.converse(append(append([]byte{}, offer...), octets...))
		if strings.Contains(log.String(), "msg=panic") {
			t.Fatalf("a panic was logged:\n%s", log)
		}
		for first := true; len(answers) > 0; first = false {
			if len(answers) < 5 {
				t.Fatalf("half a frame: %q", answers)
			}
			size := int(binary.BigEndian.Uint32(answers))
			if size == 0 || len(answers) < 4+size {
				t.Fatalf("half a frame: %q", answers)
			}
			if first != (answers[4] == 'O') || !strings.ContainsRune("Ocsyimq", rune(answers[4])) {
				t.Fatalf("answer %q", answers[:4+size])
			}
			answers = answers[4+size:]
		}
	})
}
