package main

import (
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
)

// barred returns what keeps a user from connecting to a unix socket: a folder on
// the way that he may not enter, or the socket itself; "" where nothing does. It
// goes by the mode bits only, and by nothing where the user is not known.
func barred(socket, name string) string {
	u, err := user.Lookup(name)
	if err != nil || u.Uid == "0" {
		return ""
	}
	groups, err := u.GroupIds()
	if err != nil {
		return ""
	}
	const enter, write = 0o1, 0o2
	var folders []string
	for folder := filepath.Dir(socket); ; folder = filepath.Dir(folder) {
		folders = append(folders, folder)
		if folder == filepath.Dir(folder) {
			break
		}
	}
	for _, folder := range slices.Backward(folders) {
		if !permits(folder, enter, u.Uid, groups) {
			return folder
		}
	}
	if !permits(socket, write, u.Uid, groups) {
		return socket
	}
	return ""
}

// permits reports whether the bit is set in the mode of a file for that user. What
// cannot be read is somebody else's to speak of.
func permits(path string, bit fs.FileMode, uid string, groups []string) bool {
	info, err := os.Stat(path)
	if err != nil {
		return true
	}
	owner, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return true
	}
	mode := info.Mode().Perm()
	switch {
	case strconv.Itoa(int(owner.Uid)) == uid:
		return mode>>6&bit != 0
	case slices.Contains(groups, strconv.Itoa(int(owner.Gid))):
		return mode>>3&bit != 0
	}
	return mode&bit != 0
}
