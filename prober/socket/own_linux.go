package socket

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// noteFD notes a socket by its file descriptor. A kernel that refuses the cookie gives it to nobody.
func (o *Own) noteFD(fd int) {
	if !o.wanted() {
		return
	}
	if cookie, err := unix.GetsockoptUint64(fd, unix.SOL_SOCKET, unix.SO_COOKIE); err == nil {
		o.note(cookie)
	}
}

// Control notes the socket of a net.Dialer, which calls it.
func (o *Own) Control(_, _ string, c syscall.RawConn) error {
	return c.Control(func(fd uintptr) { o.noteFD(int(fd)) })
}
