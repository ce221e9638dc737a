package netlab

// Faults on the way to the server: what answers our SYN, or nothing does.

// ClosedPort has no listener: s answers the SYN with a RST.
func ClosedPort(f Family) Fault {
	return func(*Net) string { return httpURL(f.Addr(S), closedPort) }
}

// Rejected has a router answer the SYN with ICMP of a type of nft: "net-unreachable", "host-unreachable",
// "prot-unreachable", "port-unreachable", "net-prohibited", "host-prohibited", "admin-prohibited"; for IPv6 "no-route",
// "admin-prohibited", "addr-unreachable", "port-unreachable", "policy-fail", "reject-route".
func Rejected(f Family, router Node, with string) Fault {
	return forwardFilter(f, router, f.toServer(f.reject(with)))
}

// SYNReset has a router answer the SYN with a RST that bears the server's address.
func SYNReset(f Family, router Node) Fault {
	return forwardFilter(f, router, f.toServer("reject with tcp reset"))
}

// SYNDropped has r1 drop the SYN.
func SYNDropped(f Family) Fault {
	return forwardFilter(f, R1, f.toServer("tcp flags & (syn | ack) == syn drop"))
}

// SYNACKDropped has r1 drop the server's SYN-ACK: the server has heard of us, we have not heard of it.
func SYNACKDropped(f Family) Fault {
	return forwardFilter(f, R1, "tcp flags & (syn | ack) == (syn | ack) drop")
}

func forwardFilter(f Family, router Node, rules ...string) Fault {
	return func(n *Net) string {
		n.Filter(router, "forward", rules...)
		return n.serve(f, answer)
	}
}

// InputDropped has the server's own firewall drop the SYN.
func InputDropped(f Family) Fault {
	return func(n *Net) string {
		n.Filter(S, "input", f.toServer("drop"))
		return n.serve(f, answer)
	}
}

// FirstSYNLost has r1 drop the first SYN of each connection and let its repetition pass, a second later.
func FirstSYNLost(f Family) Fault {
	return func(n *Net) string {
		n.NFT(R1, `table inet lab {
set seen { type inet_service; flags dynamic; size 1000; }
chain forward {
type filter hook forward priority 0
tcp flags & (syn | ack) == syn tcp sport != @seen add @seen { tcp sport } drop
}
}
`)
		return n.serve(f, answer)
	}
}

// RouterRoute has a route on r1 to the server of a kind that forbids. IPv4: "unreachable" answers with ICMP host
// unreachable, "prohibit" with administratively prohibited; IPv6: no route, administratively prohibited. "blackhole" is
// silent.
func RouterRoute(f Family, kind string) Fault {
	return func(n *Net) string {
		n.IP(R1, f.flag(), "route", "add", kind, f.Addr(S).String())
		return n.serve(f, answer)
	}
}

// RouterNoRoute has no route on r1 to the server's network: it answers with ICMP net unreachable, or for IPv6 no route.
func RouterNoRoute(f Family) Fault {
	return func(n *Net) string {
		n.IP(R1, f.flag(), "route", "del", f.network(S))
		return n.serve(f, answer)
	}
}

// HostDownOnServerLAN is an address of the server's link that no host has: r2 gets no answer for its link address, and
// after three seconds answers with ICMP host unreachable, or for IPv6 address unreachable.
func HostDownOnServerLAN(f Family) Fault {
	return func(*Net) string { return httpURL(absent(f, S), port) }
}

// RoutingLoop is a network that r1 routes to r2 and r2 to r1: the SYN goes to and fro until its TTL is used up, and r2
// says so with ICMP time exceeded. (Linux sends with TTL 64, of which each router takes one: an odd one arrives at r2.)
func RoutingLoop(f Family) Fault {
	return func(n *Net) string {
		nowhere, target := "10.9.9.0/24", "http://10.9.9.9/"
		if f == V6 {
			nowhere, target = "fd09:9::/64", "http://[fd09:9::9]/"
		}
		n.IP(R1, f.flag(), "route", "add", nowhere, "via", f.Addr(R2).String())
		n.IP(R2, f.flag(), "route", "add", nowhere, "via", f.farSide())
		return target
	}
}

// farSide is r1's address on the middle link.
func (f Family) farSide() string {
	if f == V4 {
		return "10.9.2.1"
	}
	return "fd09:2::1"
}

// network is the network of the link on which the node has its address.
func (f Family) network(at Node) string {
	bits := 24
	if f == V6 {
		bits = 64
	}
	prefix, err := f.Addr(at).Prefix(bits)
	if err != nil {
		panic(err) // the lengths above fit the families
	}
	return prefix.String()
}
