package netlab

// namedURL is met through the name server on s, whether it is there or not.
func namedURL() string { return "http://" + Name + "/" }

// ResolverClosed has no name server: s answers each question with ICMP port unreachable from its own address.
func ResolverClosed() Fault {
	return func(*Net) string { return namedURL() }
}

// ResolverSilent drops the questions at s: no answer of any kind.
func ResolverSilent() Fault {
	return func(n *Net) string {
		n.Filter(S, "input", "udp dport 53 drop", "tcp dport 53 drop")
		return namedURL()
	}
}

// ResolverRejected has a router answer the questions with ICMP of a type of nft, such as "host-unreachable" or, for
// IPv6, "no-route".
func ResolverRejected(f Family, router Node, with string) Fault {
	return func(n *Net) string {
		n.Filter(router, "forward", "udp dport 53 "+f.reject(with), "tcp dport 53 "+f.reject(with))
		return namedURL()
	}
}

// ResolverNoRoute leaves c without a default route: the query has no route and no packet is sent.
func ResolverNoRoute(f Family) Fault {
	return func(n *Net) string {
		n.IP(C, f.flag(), "route", "del", "default")
		return namedURL()
	}
}

// ResolverNoPort leaves c without a local port for UDP: other sockets have the two that there are.
func ResolverNoPort() Fault {
	return func(n *Net) string {
		n.Sysctl(C, "net.ipv4.ip_local_port_range", "40000 40001") // of IPv6 too
		n.ListenPacket(C, "udp", "[::]:40000")
		n.ListenPacket(C, "udp", "[::]:40001")
		return namedURL()
	}
}

// ResolverDropped drops the questions in c's own firewall: no packet leaves, sending fails with EPERM.
func ResolverDropped() Fault {
	return func(n *Net) string {
		n.Filter(C, "output", "udp dport 53 drop", "tcp dport 53 drop")
		return namedURL()
	}
}

// ResolverRefusedHere rejects the questions in c's own firewall: no packet leaves, sending fails with EPERM, and an
// ICMP port unreachable from c's own address is queued.
func ResolverRefusedHere() Fault {
	return func(n *Net) string {
		n.Filter(C, "output", "udp dport 53 reject", "tcp dport 53 reject")
		return namedURL()
	}
}
