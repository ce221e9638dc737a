package web

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// cork holds back what is not a full packet, or sends it (tcp(7), TCP_CORK). Where it fails nothing is held back.
func cork(raw syscall.RawConn, on int) {
	_ = raw.Control(func(fd uintptr) { _ = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_CORK, on) })
}
