package main

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"assay/config"
)

// TestBarred: who may not pass where.
func TestBarred(t *testing.T) {
	folder := openFolder(t)
	inner, socket := filepath.Join(folder, "assay"), filepath.Join(folder, "assay", "milter.sock")
	if err := os.Mkdir(inner, 0o755); err != nil {
		t.Fatal(err)
	}
	l, err := listenOn(config.Address{Network: "unix", Addr: socket}, 0o666)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	is := func(folderMode, socketMode fs.FileMode, user, want string) {
		t.Helper()
		if err := errors.Join(os.Chmod(inner, folderMode), os.Chmod(socket, socketMode)); err != nil {
			t.Fatal(err)
		}
		if got := barred(socket, user); got != want {
			t.Errorf("%v, %v, %s: got %q, want %q", folderMode, socketMode, user, got, want)
		}
	}
	is(0o755, 0o666, "nobody", "")
	is(0o750, 0o666, "nobody", inner)
	is(0o755, 0o660, "nobody", socket)
	is(0o700, 0o600, "root", "")
	is(0o700, 0o600, "no such user", "")
	is(0o755, 0o666, "nobody", "")
}

// TestDoctorSocket: Postfix's own user has to get to the socket.
func TestDoctorSocket(t *testing.T) {
	folder := openFolder(t)
	a := config.Address{Network: "unix", Addr: filepath.Join(folder, "assay", "milter.sock")}
	if err := os.Mkdir(filepath.Dir(a.Addr), 0o700); err != nil {
		t.Fatal(err)
	}
	p := &postfix{main: map[string]string{"queue_directory": "/var/spool/postfix", "mail_owner": "nobody"}}
	u := use{doctor: &doctor{postfix: p, reached: a}, service: &smtpd{name: "smtp/inet"}, entry: milterEntry{address: a.String()}}
	u.socket()
	want := found(failing, "its user nobody may not pass %s/assay on the way to %s", folder, a).
		next("chmod o+x the folders and o+rw the socket, or put nobody into the group that owns them")
	if len(u.findings) != 1 || u.findings[0] != want {
		t.Errorf("got  %+v\nwant %+v", u.findings, want)
	}
}
