package socket

import (
	"bytes"
	"net/netip"
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// FiltersTTL reports whether the kernel drops segments of a connection by their TTL.
const FiltersTTL = true

// setMinTTL has the kernel drop the socket's segments that arrive with less than a TTL (ip(7), IP_MINTTL) or hop limit
// (RFC 5082, net/ipv6/tcp_ipv6.c). It needs no privilege.
func setMinTTL(fd int, network string, ttl uint8) error {
	if network == "tcp6" {
		return os.NewSyscallError("setsockopt IPV6_MINHOPCOUNT",
			unix.SetsockoptInt(fd, unix.IPPROTO_IPV6, unix.IPV6_MINHOPCOUNT, int(ttl)))
	}
	return os.NewSyscallError("setsockopt IP_MINTTL", unix.SetsockoptInt(fd, unix.IPPROTO_IP, unix.IP_MINTTL, int(ttl)))
}

// setMinTTLAndAbort has closing abort the connection, too (socket(7), SO_LINGER with no time). Otherwise what was not
// acknowledged is sent again after the close, for minutes, and its answers disturb the measurements that follow.
func setMinTTLAndAbort(fd int, network string, ttl uint8) error {
	if err := unix.SetsockoptLinger(fd, unix.SOL_SOCKET, unix.SO_LINGER, &unix.Linger{Onoff: 1}); err != nil {
		return os.NewSyscallError("setsockopt SO_LINGER", err)
	}
	return setMinTTL(fd, network, ttl)
}

// DroppedByTTL is how many segments the network namespace of the calling thread has dropped for their TTL:
// TCPMinTTLDrop of TcpExt (Linux, Documentation/networking/snmp_counter.rst). It reports false where that cannot be
// read.
func DroppedByTTL() (uint64, bool) {
	text, err := os.ReadFile("/proc/thread-self/net/netstat")
	if err != nil {
		return 0, false
	}
	return netstatCounter(text, "TcpExt:", "TCPMinTTLDrop")
}

// LoopbackReceived is how many packets have arrived over the loopback interface in the network namespace of the calling
// thread. It reports false where that cannot be read.
func LoopbackReceived() (uint64, bool) {
	text, err := os.ReadFile("/proc/thread-self/net/dev")
	if err != nil {
		return 0, false
	}
	for line := range bytes.Lines(text) {
		if name, values, _ := bytes.Cut(bytes.TrimSpace(line), []byte(":")); string(name) == "lo" {
			if fields := bytes.Fields(values); len(fields) > 1 { // bytes, packets
				n, err := strconv.ParseUint(string(fields[1]), 10, 64)
				return n, err == nil
			}
		}
	}
	return 0, false
}

// netstatCounter reads a counter of /proc/net/netstat: a line of names, and one of values.
func netstatCounter(text []byte, group, name string) (uint64, bool) {
	var names [][]byte
	for line := range bytes.Lines(text) {
		fields := bytes.Fields(line)
		if len(fields) == 0 || string(fields[0]) != group {
			continue
		}
		if names == nil {
			names = fields
			continue
		}
		for i, n := range names {
			if string(n) == name && i < len(fields) {
				value, err := strconv.ParseUint(string(fields[i]), 10, 64)
				return value, err == nil
			}
		}
	}
	return 0, false
}

// ownTTL is the TTL or hop limit of a socket's own segments.
func ownTTL(fd int, peer netip.Addr) (int, error) {
	if peer.Is6() {
		ttl, err := unix.GetsockoptInt(fd, unix.IPPROTO_IPV6, unix.IPV6_UNICAST_HOPS)
		return ttl, os.NewSyscallError("getsockopt IPV6_UNICAST_HOPS", err)
	}
	ttl, err := unix.GetsockoptInt(fd, unix.IPPROTO_IP, unix.IP_TTL)
	return ttl, os.NewSyscallError("getsockopt IP_TTL", err)
}
