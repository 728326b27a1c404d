package filter_test

import (
	"encoding/binary"
	"errors"
	"io"
	"net"
	"strings"
	"testing"

	"assay/filter/miltertest"
)

// fuzzFields are what FuzzOrder puts into header sections. Forged ones must not
// be delivered.
var fuzzFields = []struct {
	name, value string
	forged      bool
}{
	{"From", "a@example.com", false},
	{"From", "<a@example.org>, b@example.com", false},
	{"Subject", "x", false},
	{"Authentication-Results", "mx.example.net; dmarc=pass header.from=example.com", true},
	{"AUTHENTICATION-results", "\n\t\"MX.example.NET\" /1; spf=pass", true},
	{"Authentication-Results", "(x) mx.example.net (y); none", true},
	{"Authentication-Results", "mx.example.net", true},
	{"X-Assay-Disposition", "tag; dmarc=fail", true},
	{"Authentication-Results", "other.example; spf=pass smtp.mailfrom=example.com", false},
	{"DKIM-Signature", "v=1; a=rsa-sha256; d=example.com; s=x; h=From; bh=eA==; b=eA==", false},
	{"DKIM-Signature", "v=1; a=rsa-sha256; c=relaxed/relaxed; d=example.com; s=y; h=From; bh=eA==; b=eA==", false},
	{"ARC-Seal", "i=1; a=rsa-sha256; cv=none; d=example.com; s=x; b=eA==", false},
	{"List-Id", "<list.example.org>", false},
}

// script is a session under way: an MTA that sends commands in any order, and what
// it knows about the answers that are due.
type script struct {
	*miltertest.Conn
	t        *testing.T
	protocol uint32

	inMail, headed bool
	header         []miltertest.Field
	forged         map[string]bool // values
}

// errEnd ends a script where the filter must have closed the connection.
var errEnd = errors.New("end of the script")

// FuzzOrder: whatever the order of commands and whatever was negotiated, there is
// one answer where one is due and none elsewhere; a command out of order ends the
// connection; and a message that is let go carries one field of ours, on top,
// and no forged one.
func FuzzOrder(f *testing.F) {
	p, log := startPipes(f)
	f.Add([]byte{0xff, 'M', 0, 'R', 0, 'L', 0, 'L', 3, 'L', 4, 'N', 0, 'B', 9, 'E', 0, 'A', 0, 'M', 1, 'L', 7, 'E', 1})
	f.Add([]byte{0x00, 'M', 0, 'L', 0, 'L', 9, 'L', 9, 'N', 0, 'B', 255, 'B', 0, 'E', 0, 'E', 0})
	f.Add([]byte{0x0f, 'M', 0, 'M', 1, 'K', 0, 'C', 0, 'M', 0, 'T', 0, 'U', 0, 'E', 7})
	f.Add([]byte{0xf0, 'N', 0})
	f.Add([]byte{0x55, 'M', 0, 'N', 0, 'L', 0})
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) == 0 {
			return
		}
		ours, theirs := net.Pipe()
		defer ours.Close()
		p <- theirs
		profile := miltertest.Postfix()
		profile.Protocol = offers(data[0])
		c, err := miltertest.New(ours, profile)
		if err != nil {
			t.Fatal(err)
		}
		s := &script{Conn: c, t: t, forged: map[string]bool{}}
		_, _, s.protocol = c.Negotiated()
		for data = data[1:]; len(data) >= 2; data = data[2:] {
			if err := s.step(data[0], data[1]); err != nil {
				if err != errEnd {
					t.Fatalf("%q: %v", data[0], err)
				}
				break
			}
		}
		if strings.Contains(log.String(), "msg=panic") {
			t.Fatalf("a panic was logged:\n%s", log)
		}
	})
}

// offers makes protocol bits of one octet: those that change what is answered.
func offers(b byte) uint32 {
	bits := []uint32{
		miltertest.ProtoNRHeader, miltertest.ProtoNRConnect | miltertest.ProtoNRHelo, miltertest.ProtoNRMail, miltertest.ProtoNRRcpt,
		miltertest.ProtoNRData | miltertest.ProtoNRUnknown, miltertest.ProtoNREOH, miltertest.ProtoSkip, miltertest.ProtoNRBody | miltertest.ProtoLeadSpace,
	}
	var offered uint32
	for i, bit := range bits {
		if b&(1<<i) != 0 {
			offered |= bit
		}
	}
	return offered
}

// step sends one command.
func (s *script) step(cmd, arg byte) error {
	switch cmd {
	case 'C':
		return s.command('C', "out.example.com\x004\x61\xa8192.0.2.7\x00", true, miltertest.ProtoNRConnect)
	case 'H':
		return s.command('H', "out.example.com\x00", true, miltertest.ProtoNRHelo)
	case 'M':
		s.inMail, s.headed, s.header, s.forged = true, false, nil, map[string]bool{}
		return s.command('M', []string{"<a@example.com>\x00", "<>\x00", "<a@example.org>\x00BODY=8BITMIME\x00"}[arg%3], true, miltertest.ProtoNRMail)
	case 'R':
		return s.command('R', "<b@rcpt.test>\x00", s.inMail, miltertest.ProtoNRRcpt)
	case 'T':
		return s.command('T', "", s.inMail, miltertest.ProtoNRData)
	case 'L':
		return s.field(arg)
	case 'N':
		legal := s.inMail && !s.headed
		s.headed = true
		return s.command('N', "", legal, miltertest.ProtoNREOH)
	case 'B':
		s.headed = true
		return s.command('B', strings.Repeat("x", int(arg)*40), s.inMail, miltertest.ProtoNRBody)
	case 'U':
		return s.command('U', "NOOP\x00", true, miltertest.ProtoNRUnknown)
	case 'D':
		return s.Send('D', []byte("Mi\x004A\x00"))
	case 'A', 'K':
		s.inMail = false
		return s.Send(cmd, nil)
	case 'E':
		return s.end(strings.Repeat("y", int(arg%3)))
	}
	return nil
}

func (s *script) field(arg byte) error {
	f := fuzzFields[int(arg)%len(fuzzFields)]
	sent := f.value
	if s.protocol&miltertest.ProtoLeadSpace != 0 {
		sent = " " + sent
	}
	s.header = append(s.header, miltertest.Field{Name: f.name, Value: " " + strings.ReplaceAll(f.value, "\n", "\r\n")})
	if f.forged {
		s.forged[" "+strings.ReplaceAll(f.value, "\n", "\r\n")] = true
	}
	return s.command('L', f.name+"\x00"+sent+"\x00", s.inMail && !s.headed, miltertest.ProtoNRHeader)
}

// command sends a command and takes the answer that is due.
func (s *script) command(code byte, data string, legal bool, quiet uint32) error {
	if err := s.Send(code, []byte(data)); !legal {
		if err != nil {
			return errEnd // it did not even read all of it
		}
		return s.closed()
	} else if err != nil {
		return err
	}
	if s.protocol&quiet != 0 {
		return nil
	}
	answer, payload, err := s.Read()
	if err != nil {
		return err
	}
	if answer == 's' && code == 'B' && s.protocol&miltertest.ProtoSkip != 0 {
		return nil
	}
	if answer != 'c' || len(payload) > 0 {
		s.t.Fatalf("%q was answered by %q %q", code, answer, payload)
	}
	return nil
}

// closed wants the end of the connection.
func (s *script) closed() error {
	if answer, payload, err := s.Read(); err == nil {
		s.t.Fatalf("a command out of order was answered by %q %q", answer, payload)
	} else if !errors.Is(err, io.EOF) {
		s.t.Fatalf("a command out of order: %v", err)
	}
	return errEnd
}

// end sends the end of the message and looks at what is delivered.
func (s *script) end(last string) error {
	if err := s.Send('E', []byte(last)); err != nil {
		return err
	}
	if !s.inMail {
		return s.closed()
	}
	s.inMail = false
	var edits []miltertest.Edit
	for {
		answer, payload, err := s.Read()
		if err != nil {
			return err
		}
		switch answer {
		case 'i', 'm':
			name, value, ok := strings.Cut(string(payload[4:]), "\x00")
			if !ok || !strings.HasSuffix(value, "\x00") {
				s.t.Fatalf("edit %q", payload)
			}
			edits = append(edits, miltertest.Edit{Code: answer, Index: binary.BigEndian.Uint32(payload), Name: name, Value: strings.TrimSuffix(value, "\x00")})
		case 'y':
			if len(edits) > 0 {
				s.t.Fatalf("a refused message is edited: %v", edits)
			}
			return nil
		case 'c':
			s.delivered(s.Apply(s.header, edits))
			return nil
		default:
			s.t.Fatalf("the end was answered by %q %q", answer, payload)
		}
	}
}

// delivered looks at the header section of a message that was let go.
func (s *script) delivered(header []miltertest.Field) {
	own := 0
	for i, f := range header {
		if s.forged[f.Value] {
			s.t.Fatalf("%s:%s was delivered", f.Name, f.Value)
		}
		if strings.EqualFold(f.Name, "Authentication-Results") && strings.HasPrefix(f.Value, " "+testID+";") {
			if own++; i != 0 {
				s.t.Fatalf("our field stands at %d of %q", i, header)
			}
		}
	}
	if own != 1 {
		s.t.Fatalf("%d fields of ours in %q", own, header)
	}
}
