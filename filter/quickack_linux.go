package filter

import (
	"net"
	"syscall"

	"golang.org/x/sys/unix"
)

// quickAck keeps a TCP connection from delaying acknowledgements. An MTA that
// sends two packets without an answer in between has Nagle's algorithm on, and
// would wait 40 ms for ours; the kernel forgets the setting, so that it is
// made whenever we wait for more and have not answered.
type quickAck struct {
	raw syscall.RawConn
	set func(fd uintptr)
}

func newQuickAck(c net.Conn) quickAck {
	tcp, ok := c.(*net.TCPConn)
	if !ok {
		return quickAck{}
	}
	raw, err := tcp.SyscallConn()
	if err != nil {
		return quickAck{}
	}
	return quickAck{raw, func(fd uintptr) {
		// A failure costs time, nothing else.
		_ = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_QUICKACK, 1)
	}}
}

func (q quickAck) again() {
	if q.raw != nil {
		_ = q.raw.Control(q.set)
	}
}
