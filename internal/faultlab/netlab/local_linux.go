package netlab

import (
	"fmt"
	"net"
	"net/netip"

	"golang.org/x/sys/unix"
)

// Faults of c itself: nothing, or nothing but a SYN to itself, leaves the host.

// NoRoute leaves c without a default route.
func NoRoute(f Family) Fault {
	return func(n *Net) string {
		n.IP(C, f.flag(), "route", "del", "default")
		return n.serve(f, answer)
	}
}

// InterfaceDown takes c's only interface down, and its routes with it.
func InterfaceDown(f Family) Fault {
	return func(n *Net) string {
		n.IP(C, "link", "set", "right", "down")
		return n.serve(f, answer)
	}
}

// LocalRoute has a route on c of a kind that forbids: "unreachable", "prohibit" or "blackhole".
func LocalRoute(f Family, kind string) Fault {
	return func(n *Net) string {
		n.IP(C, f.flag(), "route", "add", kind, f.Addr(S).String())
		return n.serve(f, answer)
	}
}

// OutputDropped drops the SYN in c's own firewall. TCP is not told: it counts the SYN as sent and repeats it.
func OutputDropped(f Family) Fault { return outputFilter(f, "drop") }

// OutputRejected rejects the SYN in c's own firewall with ICMP of a type of nft; it comes from c's own address.
func OutputRejected(f Family, with string) Fault { return outputFilter(f, f.reject(with)) }

// OutputReset rejects the SYN in c's own firewall with a RST that seems to come from the server.
func OutputReset(f Family) Fault { return outputFilter(f, "reject with tcp reset") }

func outputFilter(f Family, verdict string) Fault {
	return func(n *Net) string {
		n.Filter(C, "output", f.toServer(verdict))
		return n.serve(f, answer)
	}
}

// UDPOutputDropped drops datagrams to the server in c's own firewall. UDP is told: EPERM.
func UDPOutputDropped(f Family) Fault {
	return func(n *Net) string {
		n.Filter(C, "output", fmt.Sprintf("%s daddr %s udp dport %d drop", f.nft(), f.Addr(S), port))
		return n.serve(f, answer)
	}
}

// HostDownOnOurLAN is an address of c's own link that no host has: the SYN is never sent, since its neighbour's link
// address gets no answer. The kernel gives up after three questions, a second apart.
func HostDownOnOurLAN(f Family) Fault {
	return func(*Net) string { return httpURL(absent(f, C), port) }
}

// LoopThroughUs is a route of r1 that leads back to c, which forwards: the SYN comes back to its sender, who drops it
// as one from nowhere, since it bears the sender's own address. IPv4 only: IPv6 forwards it until its hop limit is
// reached.
func LoopThroughUs() Fault {
	return func(n *Net) string {
		n.Sysctl(C, "net.ipv4.ip_forward", "1")
		n.IP(R1, "route", "add", "10.9.9.0/24", "via", V4.Addr(C).String())
		return "http://10.9.9.9/"
	}
}

// PortsExhausted gives c two ephemeral ports, and both are in use towards the server.
func PortsExhausted(f Family) Fault {
	return func(n *Net) string {
		target := n.serve(f, stayAway)
		n.Sysctl(C, "net.ipv4.ip_local_port_range", "40000 40001") // of IPv6 too
		n.hold(f.Addr(S))
		n.hold(f.Addr(S))
		return target
	}
}

// AcceptQueueFull is a server that accepts nothing and whose queue holds one connection, which is there already: it
// drops every further SYN.
func AcceptQueueFull(f Family) Fault {
	return func(n *Net) string {
		listener := n.Listen(S, "tcp", netip.AddrPortFrom(f.Addr(S), port).String())
		raw, err := listener.(*net.TCPListener).SyscallConn()
		if err == nil {
			// seen below: the queue would not be full
			err = raw.Control(func(fd uintptr) { _ = unix.Listen(int(fd), 0) })
		}
		if err != nil {
			n.host.Fatalf("shorten the accept queue: %v", err)
		}
		n.hold(f.Addr(S))
		return httpURL(f.Addr(S), port)
	}
}

// toServer is a rule of nft on packets to the server's port.
func (f Family) toServer(verdict string) string {
	return fmt.Sprintf("%s daddr %s tcp dport %d %s", f.nft(), f.Addr(S), port, verdict)
}

// nft is nft's name of the family's header: "ip" or "ip6".
func (f Family) nft() string {
	if f == V4 {
		return "ip"
	}
	return "ip6"
}

// reject is nft's verdict with ICMP of a type.
func (f Family) reject(with string) string {
	if f == V4 {
		return "meta nfproto ipv4 reject with icmp type " + with
	}
	return "meta nfproto ipv6 reject with icmpv6 type " + with
}

// absent is an address that no host has, on the link at which the node has its own.
func absent(f Family, near Node) netip.Addr {
	bytes := f.Addr(near).AsSlice()
	bytes[len(bytes)-1] = 99
	addr, _ := netip.AddrFromSlice(bytes) // as long as it was
	return addr
}
