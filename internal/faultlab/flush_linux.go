package faultlab

import (
	"net"
	"runtime"
	"syscall"

	"golang.org/x/sys/unix"
)

// siocOutqNSD asks for the bytes not yet sent (linux/sockios.h, SIOCOUTQNSD).
const siocOutqNSD = 0x894b

// flush waits until all that was written has left this host: a RST would throw away the rest. On loopback what has left
// has arrived. It gives up on a connection that the peer has ended.
func flush(conn *net.TCPConn) {
	raw, err := conn.SyscallConn()
	if err != nil {
		return
	}
	for unsent(raw) {
		runtime.Gosched()
	}
}

func unsent(raw syscall.RawConn) bool {
	pending := 0
	err := raw.Control(func(fd uintptr) {
		info, err := unix.GetsockoptTCPInfo(int(fd), unix.IPPROTO_TCP, unix.TCP_INFO)
		const closed = 7 // TCP_CLOSE, net/tcp_states.h
		if err != nil || info.State == closed {
			return
		}
		pending, _ = unix.IoctlGetInt(int(fd), siocOutqNSD) // 0 when it fails
	})
	return err == nil && pending > 0
}
