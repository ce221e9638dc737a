//go:build unix

package web

import "golang.org/x/sys/unix"

// peek reports whether a socket has bytes to read, and leaves them there (recv(2), MSG_PEEK).
func peek(fd uintptr) bool {
	var one [1]byte
	n, _, err := unix.Recvfrom(int(fd), one[:], unix.MSG_PEEK|unix.MSG_DONTWAIT)
	return err == nil && n > 0
}
