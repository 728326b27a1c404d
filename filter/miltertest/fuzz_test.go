package miltertest

import (
	"bytes"
	"errors"
	"io"
	"net"
	"slices"
	"testing"
	"time"
)

// recorded is a connection to a filter that has already said everything.
type recorded struct {
	net.Conn // none: whatever is not below would panic
	answer   io.Reader
}

func (r *recorded) Read(b []byte) (int, error)       { return r.answer.Read(b) }
func (r *recorded) Write(b []byte) (int, error)      { return len(b), nil }
func (r *recorded) Close() error                     { return nil }
func (r *recorded) SetReadDeadline(time.Time) error  { return nil }
func (r *recorded) SetWriteDeadline(time.Time) error { return nil }

// FuzzAnswer delivers a message to a filter that says anything: it ends in an
// outcome or an error, never in a panic, and what is delivered can be read back.
func FuzzAnswer(f *testing.F) {
	agree := packet(CmdOptNeg, words32(6, allActions, ProtoSkip|ProtoNRHeader|ProtoNRConnect|ProtoNRHelo|ProtoNRMail|
		ProtoNRRcpt|ProtoNRData|ProtoNREOH|ProtoNRBody))
	go1 := packet(RepContinue)
	f.Add([]byte{})
	f.Add(join(agree, go1))
	f.Add(join(agree, field(RepInsertHeader, 0, "N", "n"), field(RepChangeHeader, 2, "X", ""), field(RepAddHeader, 0, "X", "n\n m"), go1))
	f.Add(join(agree, packet(RepReplaceBody, "new"), packet(RepQuarantine, "why\x00"), packet(RepAccept)))
	f.Add(join(agree, packet(RepCode, "550 5.7.1 100%%\x00")))
	f.Add(join(packet(CmdOptNeg, words32(2, 0, 0)), go1, go1, go1, go1, go1, go1, go1, go1, go1, go1, go1, go1))
	f.Add(join(packet(CmdOptNeg, words32(6, ActSetSymList, 0), words32(0), "i v\x00"), packet(RepAccept)))
	f.Fuzz(func(t *testing.T, answer []byte) {
		for _, p := range []Profile{Postfix(), Sendmail()} {
			c, err := New(&recorded{answer: bytes.NewReader(answer)}, p)
			if err != nil {
				continue
			}
			out, err := c.Deliver(message(editedMessage))
			if err == nil && out.Action == "" {
				t.Errorf("no error and no action: %+v", out)
			}
			if header, body := split(out.Message()); !slices.Equal(header, out.Header) || !bytes.Equal(body, out.Body) {
				t.Errorf("delivered %q, read back %q %q", out.Message(), header, body)
			}
			var v *Violation
			if errors.As(err, &v) && v.Err == nil {
				t.Errorf("violation of nothing: %v", v)
			}
		}
	})
}

// FuzzSplit takes messages apart, puts them together and takes them apart.
func FuzzSplit(f *testing.F) {
	f.Add([]byte("A: 1\r\n 2\r\nB:\r\n\r\nbody"))
	f.Add([]byte("A : 1\n\tx\r\n\r\n"))
	f.Add([]byte("no header\r\n\r\n"))
	f.Add([]byte("A: 1\r\r\n \r\n\n"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		header, body := split(raw)
		if len(header) == 0 {
			return
		}
		again, rest := split((&Outcome{Header: header, Body: body}).Message())
		if !slices.Equal(header, again) || !bytes.Equal(body, rest) {
			t.Errorf("%q: first %q %q, then %q %q", raw, header, body, again, rest)
		}
	})
}
