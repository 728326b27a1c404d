package main

import (
	"io"
	"net"
	"strings"
	"testing"
	"time"
)

// serveDNS is a name server, or a way to one that spoils something: "udp" passes no
// TCP, "ad" sets the AD bit of every answer over UDP.
func serveDNS(t *testing.T, server, how string) string {
	t.Helper()
	how = strings.TrimSpace(how)
	if how == "" {
		return server
	}
	front, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { front.Close() })
	if how == "ad" {
		tcp, err := net.Listen("tcp", front.LocalAddr().String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { tcp.Close() })
		go connect(tcp, server)
	}
	go relay(front, server, func(answer []byte) {
		if how == "ad" {
			answer[3] |= 0x20 // RFC 4035 §3.2.3
		}
	})
	return front.LocalAddr().String()
}

// relay passes datagrams on until front is closed.
func relay(front net.PacketConn, server string, spoil func(answer []byte)) {
	packet := make([]byte, 4096)
	for {
		n, client, err := front.ReadFrom(packet)
		if err != nil {
			return
		}
		back, err := net.Dial("udp", server)
		if err != nil {
			continue
		}
		back.SetDeadline(time.Now().Add(patience))
		if _, err = back.Write(packet[:n]); err == nil {
			if n, err = back.Read(packet); err == nil {
				spoil(packet[:n])
				front.WriteTo(packet[:n], client)
			}
		}
		back.Close()
	}
}

// connect passes connections on until front is closed.
func connect(front net.Listener, server string) {
	for {
		client, err := front.Accept()
		if err != nil {
			return
		}
		back, err := net.Dial("tcp", server)
		if err != nil {
			client.Close()
			continue
		}
		pass := func(to, from net.Conn) {
			io.Copy(to, from)
			to.Close()
		}
		go pass(client, back)
		go pass(back, client)
	}
}
