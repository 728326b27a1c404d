package miltertest

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strings"
	"testing"
)

// scripted is a filter that says what it is told to say.
type scripted struct {
	version, actions, protocol uint32
	lists                      string // macro lists, as they go on the wire

	// answers has what to send back on a command instead of continue or, where
	// no answer is due, of nothing.
	answers map[byte]func(n int, payload []byte) []byte

	got  []string // packets received, as text; read it only after wait
	done chan struct{}
}

// agreeable offers to do what the profile offers, without the bits that
// make commands or answers go away.
func agreeable(p Profile) *scripted {
	return &scripted{version: p.Version, actions: p.Actions, protocol: p.Protocol & (ProtoSkip | ProtoLeadSpace)}
}

// on makes the filter answer the command with these packets, each time.
func (s *scripted) on(cmd byte, packets ...[]byte) *scripted {
	return s.onEach(cmd, func(int, []byte) []byte { return join(packets...) })
}

// onEach makes the filter answer the n-th such command, counted from 0, with
// what answer returns.
func (s *scripted) onEach(cmd byte, answer func(n int, payload []byte) []byte) *scripted {
	if s.answers == nil {
		s.answers = map[byte]func(int, []byte) []byte{}
	}
	s.answers[cmd] = answer
	return s
}

// dial starts the filter and connects to it.
func (s *scripted) dial(t testing.TB, p Profile) (*Conn, error) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.done = make(chan struct{})
	go func() {
		defer close(s.done)
		nc, err := listener.Accept()
		if err != nil {
			return
		}
		defer nc.Close()
		s.serve(nc)
	}()
	c, err := Dial("tcp", listener.Addr().String(), p)
	t.Cleanup(func() {
		listener.Close()
		if c != nil {
			c.Close()
		}
		<-s.done
	})
	return c, err
}

// mustDial is dial for tests of what comes after.
func (s *scripted) mustDial(t testing.TB, p Profile) *Conn {
	t.Helper()
	c, err := s.dial(t, p)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// wait ends the connection and returns what the filter got since the
// negotiation.
func (s *scripted) wait(t testing.TB, c *Conn) []string {
	t.Helper()
	if err := c.Quit(); err != nil {
		t.Errorf("quit: %v", err)
	}
	<-s.done
	return s.got[1:]
}

func (s *scripted) serve(nc net.Conn) {
	in := bufio.NewReader(nc)
	seen := map[byte]int{}
	for {
		code, payload, err := readPacket(in)
		if err != nil {
			return
		}
		s.got = append(s.got, packetText(code, payload))
		if code == CmdQuit {
			return
		}
		if _, err := nc.Write(s.answer(seen[code], code, payload)); err != nil {
			return
		}
		seen[code]++
	}
}

func (s *scripted) answer(n int, code byte, payload []byte) []byte {
	if answer := s.answers[code]; answer != nil {
		return answer(n, payload)
	}
	silent := map[byte]uint32{
		CmdConnect: ProtoNRConnect, CmdHelo: ProtoNRHelo, CmdMail: ProtoNRMail, CmdRcpt: ProtoNRRcpt, CmdData: ProtoNRData,
		CmdHeader: ProtoNRHeader, CmdEOH: ProtoNREOH, CmdBody: ProtoNRBody, CmdUnknown: ProtoNRUnknown,
	}
	switch {
	case code == CmdOptNeg:
		return packet(CmdOptNeg, words32(s.version, s.actions, s.protocol)+s.lists)
	case code == CmdMacro || code == CmdAbort || code == CmdQuitNC || s.protocol&silent[code] != 0:
		return nil
	}
	return packet(RepContinue)
}

func readPacket(in io.Reader) (code byte, payload []byte, err error) {
	var head [4]byte
	if _, err := io.ReadFull(in, head[:]); err != nil {
		return 0, nil, err
	}
	length := binary.BigEndian.Uint32(head[:])
	if length == 0 || length > MaxChunk+1 {
		return 0, nil, errors.New("bad length")
	}
	data := make([]byte, length)
	_, err = io.ReadFull(in, data)
	return data[0], data[1:], err
}

// packet builds a packet of the joined texts.
func packet(code byte, texts ...string) []byte {
	return appendPacket(nil, code, []byte(strings.Join(texts, "")))
}

// field builds the packet of an edit of a field.
func field(code byte, index uint32, name, value string) []byte {
	if code == RepAddHeader {
		return packet(code, name, "\x00", value, "\x00")
	}
	return packet(code, words32(index), name, "\x00", value, "\x00")
}

func words32(values ...uint32) string {
	var text []byte
	for _, v := range values {
		text = binary.BigEndian.AppendUint32(text, v)
	}
	return string(text)
}

func join(packets ...[]byte) []byte {
	var all []byte
	for _, p := range packets {
		all = append(all, p...)
	}
	return all
}

// packetText shows a packet with NULs as bars and long bodies as their length.
func packetText(code byte, payload []byte) string {
	if code == CmdBody || len(payload) > 200 {
		return fmt.Sprintf("%c %d", code, len(payload))
	}
	return strings.TrimSpace(string(code) + " " + strings.ReplaceAll(string(payload), "\x00", "|"))
}

var testClient = netip.MustParseAddrPort("192.0.2.7:4711")

// message is a message with the given content, from a client that is known.
func message(raw string) Message {
	return Message{
		Client: testClient, ClientName: "out.example.net", Helo: "helo.example.net",
		From: "a@example.net", Rcpts: []string{"b@rcpt.test"}, Raw: []byte(raw),
	}
}

func same(t *testing.T, what string, got, want []string) {
	t.Helper()
	if g, w := strings.Join(got, "\n"), strings.Join(want, "\n"); g != w {
		t.Errorf("%s: got\n%s\nwant\n%s", what, g, w)
	}
}
