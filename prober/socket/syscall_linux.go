package socket

import (
	"net"
	"net/netip"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

// The system calls by way of golang.org/x/sys/unix, repeated where a signal interrupts them (EINTR).

// newSockaddr is an address in the form of connect(2).
func newSockaddr(a netip.AddrPort) (unix.Sockaddr, error) {
	if a.Addr().Is4() {
		return &unix.SockaddrInet4{Port: int(a.Port()), Addr: a.Addr().As4()}, nil
	}
	s := &unix.SockaddrInet6{Port: int(a.Port()), Addr: a.Addr().As16()}
	if zone := a.Addr().Zone(); zone != "" {
		index, err := zoneIndex(zone)
		if err != nil {
			return nil, err
		}
		s.ZoneId = index
	}
	return s, nil
}

// zoneIndex is the number of an interface, by its name or itself (RFC 4007 section 11.2).
func zoneIndex(zone string) (uint32, error) {
	if index, err := strconv.ParseUint(zone, 10, 32); err == nil {
		return uint32(index), nil
	}
	own, err := net.InterfaceByName(zone)
	if err != nil {
		return 0, err
	}
	return uint32(own.Index), nil
}

// beginConnect starts a connection: EINPROGRESS is success.
func beginConnect(fd int, to unix.Sockaddr) error {
	if err := unix.Connect(fd, to); err != nil && err != unix.EINPROGRESS && err != unix.EINTR {
		return err
	}
	return nil
}

// ownAddress is a socket's local address; the zero one if the kernel does not report it. It is package syscall's
// Getsockname because that of unix also reads the socket's protocol, which a sandbox may refuse.
func ownAddress(fd int) netip.AddrPort {
	own, err := syscall.Getsockname(fd)
	if err != nil {
		return netip.AddrPort{}
	}
	switch own := own.(type) {
	case *syscall.SockaddrInet4:
		return netip.AddrPortFrom(netip.AddrFrom4(own.Addr), uint16(own.Port))
	case *syscall.SockaddrInet6:
		return netip.AddrPortFrom(netip.AddrFrom16(own.Addr).Unmap(), uint16(own.Port))
	}
	return netip.AddrPort{}
}

// writeNow writes what the kernel takes without waiting.
func writeNow(fd uintptr, p []byte) (int, error) {
	for {
		n, err := unix.Write(int(fd), p)
		if err != unix.EINTR {
			return max(0, n), err
		}
	}
}

// receiveNow reads what has arrived, and its control messages (recvmsg(2)).
func receiveNow(fd uintptr, p, oob []byte, flags int) (n, oobn int, err error) {
	for {
		n, oobn, _, _, err = unix.Recvmsg(int(fd), p, oob, flags)
		if err != unix.EINTR {
			return max(0, n), oobn, err
		}
	}
}

// readNow reads what has arrived.
func readNow(fd uintptr, p []byte) (int, error) {
	for {
		n, err := unix.Read(int(fd), p)
		if err != unix.EINTR {
			return max(0, n), err
		}
	}
}
