package dns

import (
	"net"
	"syscall"

	"golang.org/x/sys/unix"
)

// arrived is a datagram that the kernel has received for a socket whose read deadline has passed; nil if there is none.
// On a starved CPU the deadline is noticed before the answer that arrived in time.
func arrived(conn net.Conn) []byte {
	socket, ok := conn.(syscall.Conn)
	if !ok {
		return nil
	}
	raw, err := socket.SyscallConn()
	if err != nil {
		return nil
	}
	var datagram []byte
	_ = raw.Control(func(fd uintptr) { // fails only on a closed socket, which has none
		buffer := make([]byte, maxMessage)
		if n, _, err := unix.Recvfrom(int(fd), buffer, unix.MSG_DONTWAIT); err == nil && n > 0 {
			datagram = buffer[:n]
		}
	})
	return datagram
}
