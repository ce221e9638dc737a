package socket

import (
	"encoding/binary"
	"net"
	"net/netip"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"errno_exporter/prober/result"
)

// parseSockaddr is the address in a struct sockaddr_in or sockaddr_in6 (ip(7), ipv6(7)); the zero address if there is
// none.
func parseSockaddr(b []byte) netip.Addr {
	switch {
	case len(b) >= unix.SizeofSockaddrInet4 && binary.NativeEndian.Uint16(b) == unix.AF_INET:
		return netip.AddrFrom4([4]byte(b[4:8]))
	case len(b) >= 24 && binary.NativeEndian.Uint16(b) == unix.AF_INET6:
		return netip.AddrFrom16([16]byte(b[8:24])).Unmap()
	}
	return netip.Addr{}
}

// ReportICMP makes a resolver's UDP socket fail at once when a router reports that the server cannot be reached;
// otherwise the kernel reports only closed ports (udp(7)).
func ReportICMP(network, _ string, raw syscall.RawConn) error {
	if !strings.HasPrefix(network, "udp") {
		return nil
	}
	return raw.Control(func(fd uintptr) { RecvErr(int(fd), network, 1) })
}

// RecvErr switches the reports of ICMP messages of a socket (IP_RECVERR) on, 1, or off, 0.
func RecvErr(fd int, network string, on int) {
	if strings.HasSuffix(network, "6") {
		_ = unix.SetsockoptInt(fd, unix.IPPROTO_IPV6, unix.IPV6_RECVERR, on) // evidence only: absent if refused
		return
	}
	_ = unix.SetsockoptInt(fd, unix.IPPROTO_IP, unix.IP_RECVERR, on)
}

// ErrorQueue returns the first ICMP message on a UDP socket's error queue, nil if there is none.
func ErrorQueue(conn *net.UDPConn) *result.ICMP {
	var icmp *result.ICMP
	raw, err := conn.SyscallConn()
	if err != nil || raw.Control(func(fd uintptr) { icmp = ReadErrorQueue(int(fd)) }) != nil {
		return nil // closed meanwhile
	}
	return icmp
}

// IgnoreICMP undoes ReportICMP: from here on the kernel reports only closed ports.
func IgnoreICMP(conn *net.UDPConn) {
	network := "udp4"
	if AddrPort(conn.LocalAddr()).Addr().Is6() {
		network = "udp6"
	}
	if raw, err := conn.SyscallConn(); err == nil {
		_ = raw.Control(func(fd uintptr) { RecvErr(int(fd), network, 0) }) // fails only on a closed socket
	}
}

// ReadErrorQueue returns the first ICMP message on the socket's error queue, nil if there is none (ip(7),
// sock_extended_err).
func ReadErrorQueue(fd int) *result.ICMP {
	var oob [512]byte
	_, oobn, _, _, err := unix.Recvmsg(fd, nil, oob[:], unix.MSG_ERRQUEUE|unix.MSG_DONTWAIT)
	if err != nil {
		return nil
	}
	messages, err := unix.ParseSocketControlMessage(oob[:oobn])
	if err != nil {
		return nil
	}
	for _, m := range messages {
		v4 := m.Header.Level == unix.IPPROTO_IP && m.Header.Type == unix.IP_RECVERR
		v6 := m.Header.Level == unix.IPPROTO_IPV6 && m.Header.Type == unix.IPV6_RECVERR
		if (v4 || v6) && len(m.Data) >= 16 {
			return parseExtendedErr(m.Data)
		}
	}
	return nil
}

// parseExtendedErr reads struct sock_extended_err (linux/errqueue.h) and the offender's address behind it.
func parseExtendedErr(b []byte) *result.ICMP {
	const originICMP, originICMP6 = 2, 3
	origin := b[4]
	if origin != originICMP && origin != originICMP6 {
		return nil
	}
	icmp := &result.ICMP{Errno: syscall.Errno(binary.NativeEndian.Uint32(b)), Type: b[5], Code: b[6]}
	icmp.From = parseSockaddr(b[16:])
	return icmp
}
