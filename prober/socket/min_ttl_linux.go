package socket

import (
	"os"

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
