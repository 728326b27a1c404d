package filter_test

import (
	"context"
	"log/slog"
	"net"
	"net/textproto"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-milter"

	"assay/filter"
	"assay/filter/miltertest"
	"assay/policy"
	"assay/verify"
)

// BenchmarkDeliver asks: what does a message cost through the socket, beside
// a milter of the same library that does nothing? The MTA writes as real ones do: packet by packet, with
// Nagle's algorithm on.
func BenchmarkDeliver(b *testing.B) {
	zone, raw := signed(b, strings.Repeat(strings.Repeat("x", 76)+"\r\n", 20*1024/78))
	for _, network := range []string{"unix", "tcp"} {
		listen := func() net.Listener {
			addr := "127.0.0.1:0"
			if network == "unix" {
				addr = filepath.Join(b.TempDir(), "milter.sock")
			}
			l, err := net.Listen(network, addr)
			if err != nil {
				b.Fatal(err)
			}
			return l
		}
		run := func(b *testing.B, l net.Listener) {
			p := miltertest.Postfix()
			p.Nagle = true
			c, err := miltertest.Dial(network, l.Addr().String(), p)
			if err != nil {
				b.Fatal(err)
			}
			m := mail()
			m.Raw = raw
			b.ReportAllocs()
			for b.Loop() {
				deliver(b, c, m)
			}
			quit(b, c)
		}
		b.Run(network+"/assay", func(b *testing.B) {
			l := listen()
			s := filter.NewServer(slog.New(slog.DiscardHandler), filter.Settings{
				ID:       testID,
				Verifier: &verify.Verifier{Resolver: zone, Now: time.Now, Budget: time.Second},
				Rules:    &policy.Rules{},
			})
			go s.Serve(l)
			run(b, l)
			if err := s.Shutdown(context.Background()); err != nil {
				b.Fatal(err)
			}
		})
		b.Run(network+"/no-op", func(b *testing.B) {
			l := listen()
			s := milter.Server{NewMilter: func() milter.Milter { return quietNoOp{} }, Actions: milter.OptAddHeader, Protocol: quietBits}
			go s.Serve(l)
			run(b, l)
			s.Close()
		})
	}
}

// quietBits are the no-reply flags of quietNoOp.
const quietBits = milter.OptNoConnReply | milter.OptNoHeloReply | milter.OptNoMailReply | milter.OptNoRcptReply |
	milter.OptNoHeaderReply | milter.OptNoEOHReply | milter.OptNoBodyReply | milter.OptNoData | milter.OptNoUnknown

// quietNoOp accepts everything and answers nothing but the end.
type quietNoOp struct{ milter.NoOpMilter }

func (quietNoOp) Connect(string, string, uint16, net.IP, *milter.Modifier) (milter.Response, error) {
	return nil, nil
}
func (quietNoOp) Helo(string, *milter.Modifier) (milter.Response, error)     { return nil, nil }
func (quietNoOp) MailFrom(string, *milter.Modifier) (milter.Response, error) { return nil, nil }
func (quietNoOp) RcptTo(string, *milter.Modifier) (milter.Response, error)   { return nil, nil }
func (quietNoOp) Header(string, string, *milter.Modifier) (milter.Response, error) {
	return nil, nil
}
func (quietNoOp) Headers(textproto.MIMEHeader, *milter.Modifier) (milter.Response, error) {
	return nil, nil
}
func (quietNoOp) BodyChunk([]byte, *milter.Modifier) (milter.Response, error) { return nil, nil }
func (quietNoOp) Body(*milter.Modifier) (milter.Response, error)              { return milter.RespContinue, nil }

// TestNoStall: over TCP, an MTA with Nagle's algorithm on waits 40 ms for a
// delayed acknowledgement wherever it sends two packets in a row, unless the
// filter acknowledges at once.
func TestNoStall(t *testing.T) {
	s := startZone(t, nil)
	p := miltertest.Postfix()
	p.Nagle = true
	c := s.dial(t, p)
	var took []time.Duration
	for range 21 {
		begin := time.Now()
		deliver(t, c, mail())
		took = append(took, time.Since(begin))
	}
	quit(t, c)
	slices.Sort(took)
	if median := took[len(took)/2]; median > 20*time.Millisecond {
		t.Errorf("a message takes %v", median)
	}
}
