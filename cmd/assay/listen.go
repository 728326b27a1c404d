package main

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/coreos/go-systemd/v22/activation"

	"assay/config"
)

// sockets are what we listen on.
type sockets struct {
	milter    []net.Listener
	addresses []config.Address // of milter, in the same order
	status    []net.Listener   // of listen.status, or passed under the name "status"
	passed    bool             // systemd has opened milter
}

// statusSocket is the FileDescriptorName= of a socket that is not for MTAs. Every
// other name is, also that which systemd gives to a socket without one.
const statusSocket = "status"

// openSockets returns the sockets that systemd has opened for us (LISTEN_FDS). Where
// none of them is for MTAs it opens those of listen.milter, where none is for the
// status that of listen.status; all or none.
func openSockets(c config.Config) (s sockets, err error) {
	defer func() {
		if err != nil {
			s.close()
			s = sockets{}
		}
	}()
	for _, f := range activation.Files(true) {
		l, err := listenerOf(f)
		if err != nil {
			return s, hinted{fmt.Errorf("socket %q, passed by systemd: %w", f.Name(), err), "a socket unit for assay has ListenStream= lines, and no Accept="}
		}
		if f.Name() == statusSocket {
			s.status = append(s.status, l)
			continue
		}
		s.passed = true
		s.milter = append(s.milter, l)
		s.addresses = append(s.addresses, config.Address{Network: l.Addr().Network(), Addr: l.Addr().String()})
	}
	if !s.passed {
		s.addresses = c.Listen.Milter
		if s.milter, err = listen("listen.milter", 0o666, s.addresses...); err != nil {
			return s, err
		}
	}
	if len(s.status) == 0 && !c.Listen.Status.IsZero() {
		s.status, err = listen("listen.status", 0o660, config.Address(c.Listen.Status))
	}
	return s, err
}

// listenerOf makes a listener of a file, and closes the file. A socket of another kind
// would be taken here, and fail with the first connection.
func listenerOf(f *os.File) (net.Listener, error) {
	defer f.Close() // the listener has a copy
	listens, err := syscall.GetsockoptInt(int(f.Fd()), syscall.SOL_SOCKET, syscall.SO_ACCEPTCONN)
	if err != nil {
		return nil, err
	}
	if listens == 0 {
		return nil, errors.New("it does not listen")
	}
	return net.FileListener(f)
}

func (s *sockets) close() {
	for _, l := range append(s.milter, s.status...) {
		l.Close()
	}
}

// listen opens all addresses of a setting or none. Any local user may connect to a
// milter's unix socket: the folder it lies in says who gets there, and the MTA runs
// as another user than we do. That of the status is for our group.
func listen(setting string, mode fs.FileMode, addresses ...config.Address) (listeners []net.Listener, err error) {
	for _, a := range addresses {
		l, err := listenOn(a, mode)
		if err != nil {
			for _, l := range listeners {
				l.Close()
			}
			return nil, fmt.Errorf("%s: %w", setting, addressError(a, err))
		}
		listeners = append(listeners, l)
	}
	return listeners, nil
}

// listenOn opens one address. A unix socket that nobody listens on any more is
// taken over; mode is what it gets.
func listenOn(a config.Address, mode fs.FileMode) (net.Listener, error) {
	if a.Network != "unix" {
		return net.Listen(a.Network, a.Addr)
	}
	// Of two that start at once one could take the socket of the other for
	// abandoned, which it is until listen follows bind. So they take turns.
	turn, err := lock(a.Addr + ".lock")
	if err != nil {
		return nil, err
	}
	defer turn.Close()
	if err := clearStale(a.Addr); err != nil {
		return nil, err
	}
	l, err := net.Listen(a.Network, a.Addr)
	if err != nil {
		return nil, err
	}
	if err := os.Chmod(a.Addr, mode); err != nil {
		l.Close()
		return nil, err
	}
	return l, nil
}

// lock waits for the lock on a file that nobody else can open, or anybody could
// make us wait. The file stays: were it removed, two could each hold the lock on
// a file of that name.
func lock(path string) (*os.File, error) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR|syscall.O_NOFOLLOW, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX); err != nil {
		file.Close()
		return nil, fmt.Errorf("lock %s: %w", path, err)
	}
	return file, nil
}

var errInUse = errors.New("another process listens there")

func clearStale(path string) error {
	info, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if info.Mode()&fs.ModeSocket == 0 {
		return fmt.Errorf("%s exists and is no socket", path)
	}
	if c, err := net.DialTimeout("unix", path, time.Second); err == nil {
		c.Close()
		return errInUse
	} else if !errors.Is(err, syscall.ECONNREFUSED) {
		return err
	}
	return os.Remove(path)
}

// addressError says what is wrong with an address, and what to do, for the errors
// that operators meet.
func addressError(a config.Address, err error) error {
	folder := filepath.Dir(a.Addr)
	switch {
	case errors.Is(err, errInUse), errors.Is(err, syscall.EADDRINUSE):
		return hinted{fmt.Errorf("%s: %w", a, errInUse), `"ss -lxtp" shows which; stop it, or name another address`}
	case a.Network != "unix":
		return err
	case errors.Is(err, fs.ErrNotExist):
		return hinted{fmt.Errorf("%s: there is no folder %s", a, folder), "make it for the user that assay runs as, or let systemd open the socket: contrib/systemd/assay.socket"}
	case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.EROFS):
		return hinted{fmt.Errorf("%s: %w", a, err), "let the user that assay runs as write to " + folder + ", or let systemd open the socket: contrib/systemd/assay.socket"}
	}
	return fmt.Errorf("%s: %w", a, err)
}
