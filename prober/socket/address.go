package socket

import (
	"net"
	"net/netip"
)

// IsLocal reports whether an address is one of this host's own, in the network namespace of the process.
func IsLocal(addr netip.Addr) bool {
	return addr.IsLoopback() || onInterface(func(p netip.Prefix) bool { return p.Addr().Unmap() == addr.Unmap() })
}

// IsOnLink reports whether an address belongs to the network of an interface: no router is needed.
func IsOnLink(addr netip.Addr) bool {
	return addr.IsLoopback() || onInterface(func(p netip.Prefix) bool { return p.Contains(addr.Unmap()) })
}

// onInterface reports whether an interface has an address, with its network, that is wanted.
func onInterface(wanted func(netip.Prefix) bool) bool {
	own, err := net.InterfaceAddrs()
	if err != nil {
		return false
	}
	for _, a := range own {
		if prefix, err := netip.ParsePrefix(a.String()); err == nil && wanted(prefix) {
			return true
		}
	}
	return false
}

// AddrPort is the address of a TCP or UDP endpoint, IPv4 in its own form.
func AddrPort(addr net.Addr) netip.AddrPort {
	if a, ok := addr.(interface{ AddrPort() netip.AddrPort }); ok {
		ap := a.AddrPort()
		return netip.AddrPortFrom(ap.Addr().Unmap(), ap.Port())
	}
	return netip.AddrPort{}
}
