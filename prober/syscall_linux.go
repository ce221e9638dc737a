package prober

import (
	"encoding/binary"
	"net"
	"net/netip"
	"strconv"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// System calls on sockets that do not block. They are made without telling Go's scheduler: it would take one that lasts for twenty microseconds, as
// one that sends a packet does, for one that blocks, give its processor to another thread, and need a third to take the goroutine up again. A
// twentieth of a probe's cost was that.

// sockaddr is a struct sockaddr_in or sockaddr_in6 (ip(7), ipv6(7)).
type sockaddr struct {
	bytes [unix.SizeofSockaddrInet6]byte
	size  uint32
}

func newSockaddr(a netip.AddrPort) (sockaddr, error) {
	s := sockaddr{size: unix.SizeofSockaddrInet4}
	binary.BigEndian.PutUint16(s.bytes[2:], a.Port())
	if a.Addr().Is4() {
		binary.NativeEndian.PutUint16(s.bytes[:], unix.AF_INET)
		copy(s.bytes[4:], a.Addr().AsSlice())
		return s, nil
	}
	s.size = unix.SizeofSockaddrInet6
	binary.NativeEndian.PutUint16(s.bytes[:], unix.AF_INET6)
	copy(s.bytes[8:], a.Addr().AsSlice())
	if zone := a.Addr().Zone(); zone != "" {
		index, err := zoneIndex(zone)
		if err != nil {
			return s, err
		}
		binary.NativeEndian.PutUint32(s.bytes[24:], index)
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

// parseSockaddr is the address that such a struct holds; the zero one if it holds none.
func parseSockaddr(b []byte) netip.AddrPort {
	if len(b) < unix.SizeofSockaddrInet4 {
		return netip.AddrPort{}
	}
	port := binary.BigEndian.Uint16(b[2:])
	switch family := binary.NativeEndian.Uint16(b); {
	case family == unix.AF_INET:
		return netip.AddrPortFrom(netip.AddrFrom4([4]byte(b[4:8])), port)
	case family == unix.AF_INET6 && len(b) >= 24:
		return netip.AddrPortFrom(netip.AddrFrom16([16]byte(b[8:24])).Unmap(), port)
	}
	return netip.AddrPort{}
}

// callConnect begins a connection: EINPROGRESS is success.
func callConnect(fd int, to *sockaddr) error {
	_, _, errno := syscall.RawSyscall(unix.SYS_CONNECT, uintptr(fd), uintptr(unsafe.Pointer(&to.bytes)), uintptr(to.size))
	if errno == 0 || errno == unix.EINPROGRESS || errno == unix.EINTR {
		return nil
	}
	return errno
}

// ownAddress is the address of a socket's own end.
func ownAddress(fd int) netip.AddrPort {
	s := sockaddr{size: uint32(len(sockaddr{}.bytes))}
	_, _, errno := syscall.RawSyscall(unix.SYS_GETSOCKNAME, uintptr(fd), uintptr(unsafe.Pointer(&s.bytes)), uintptr(unsafe.Pointer(&s.size)))
	if errno != 0 {
		return netip.AddrPort{}
	}
	return parseSockaddr(s.bytes[:s.size])
}

func setOption(fd, level, option, value int) error {
	v := int32(value)
	_, _, errno := syscall.RawSyscall6(unix.SYS_SETSOCKOPT, uintptr(fd), uintptr(level), uintptr(option), uintptr(unsafe.Pointer(&v)), unsafe.Sizeof(v), 0)
	if errno != 0 {
		return errno
	}
	return nil
}

// getOption fills value, of a size in bytes.
func getOption(fd, level, option int, value unsafe.Pointer, size uintptr) error {
	n := uint32(size)
	_, _, errno := syscall.RawSyscall6(unix.SYS_GETSOCKOPT, uintptr(fd), uintptr(level), uintptr(option), uintptr(value), uintptr(unsafe.Pointer(&n)), 0)
	if errno != 0 {
		return errno
	}
	return nil
}

// callWrite writes what the kernel takes now.
func callWrite(fd uintptr, p []byte) (int, syscall.Errno) {
	for {
		n, _, errno := syscall.RawSyscall(unix.SYS_WRITE, fd, uintptr(unsafe.Pointer(unsafe.SliceData(p))), uintptr(len(p)))
		if errno != unix.EINTR {
			return int(n), errno
		}
	}
}

// callReceive reads what is there now, with its control messages (recvmsg(2)).
func callReceive(fd uintptr, header *unix.Msghdr, flags uintptr) (int, syscall.Errno) {
	for {
		n, _, errno := syscall.RawSyscall(unix.SYS_RECVMSG, fd, uintptr(unsafe.Pointer(header)), flags)
		if errno != unix.EINTR {
			return int(n), errno
		}
	}
}
