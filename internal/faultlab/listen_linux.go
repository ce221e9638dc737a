package faultlab

import (
	"context"
	"net"
	"net/netip"
	"syscall"

	"golang.org/x/sys/unix"
)

// closedPort binds a port without listening on it and returns its address.
func closedPort(h Host) string {
	h.Helper()
	address, fd := bound(h)
	h.Cleanup(func() { _ = unix.Close(fd) })
	return address
}

// listenBacklog listens with a backlog, accepts nothing, and returns the address.
func listenBacklog(h Host, backlog int) string {
	h.Helper()
	address, fd := bound(h)
	h.Cleanup(func() { _ = unix.Close(fd) })
	if err := unix.Listen(fd, backlog); err != nil {
		h.Fatalf("faultlab: listen on %s: %v", address, err)
	}
	return address
}

// bound makes a socket bound to a free port of 127.0.0.1.
func bound(h Host) (address string, fd int) {
	h.Helper()
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		h.Fatalf("faultlab: socket: %v", err)
	}
	if err := unix.Bind(fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		h.Fatalf("faultlab: bind: %v", err)
	}
	name, err := unix.Getsockname(fd)
	if err != nil {
		h.Fatalf("faultlab: getsockname: %v", err)
	}
	port := name.(*unix.SockaddrInet4).Port
	return netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), uint16(port)).String(), fd
}

// smallWindow listens with a receive buffer of a few KiB; accepted connections inherit it.
func smallWindow(h Host) *net.TCPListener {
	h.Helper()
	config := net.ListenConfig{Control: func(_, _ string, raw syscall.RawConn) error {
		return raw.Control(func(fd uintptr) { _ = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RCVBUF, 4096) })
	}}
	l, err := config.Listen(context.Background(), "tcp4", "127.0.0.1:0")
	if err != nil {
		h.Fatalf("faultlab: listen: %v", err)
	}
	return l.(*net.TCPListener)
}

// segmentLength is in bytes how long the segments are that a server of listenSegments gets.
const segmentLength = 1400

// listenSegments listens with a maximum segment size.
func listenSegments(h Host, address string) *net.TCPListener {
	h.Helper()
	config := net.ListenConfig{Control: func(_, _ string, raw syscall.RawConn) error {
		return raw.Control(func(fd uintptr) {
			_ = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_MAXSEG, segmentLength)
		})
	}}
	config.SetMultipathTCP(false) // which has segments of its own
	l, err := config.Listen(context.Background(), "tcp", address)
	if err != nil {
		h.Fatalf("faultlab: listen on %s: %v", address, err)
	}
	return l.(*net.TCPListener)
}

// dataSegments is how many segments with data arrived (tcpi_data_segs_in).
func dataSegments(conn *net.TCPConn) int {
	segments := 0
	raw, err := conn.SyscallConn()
	if err != nil {
		return segments
	}
	_ = raw.Control(func(fd uintptr) { // fails only on a closed one, which has none
		if info, err := unix.GetsockoptTCPInfo(int(fd), unix.IPPROTO_TCP, unix.TCP_INFO); err == nil {
			segments = int(info.Data_segs_in)
		}
	})
	return segments
}
