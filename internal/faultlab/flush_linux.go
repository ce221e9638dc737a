package faultlab

import (
	"net"
	"runtime"

	"golang.org/x/sys/unix"
)

// flush waits until the peer's kernel has acknowledged all that was written (SIOCOUTQ, tcp(7)): a RST would throw away the rest.
func flush(conn *net.TCPConn) {
	raw, err := conn.SyscallConn()
	if err != nil {
		return
	}
	for pending := 1; pending > 0; runtime.Gosched() {
		pending = 0
		if raw.Control(func(fd uintptr) { pending, _ = unix.IoctlGetInt(int(fd), unix.TIOCOUTQ) }) != nil {
			return
		}
	}
}
