package netlab

import (
	"fmt"
	"strings"
	"time"
)

// build makes the namespaces, links, addresses and routes. Segmentation offload is off, so that what a router sees is
// what a wire would carry; duplicate address detection is off, so that the addresses work at once.
func (n *Net) build() {
	n.host.Helper()
	c, r1, r2, s := n.names[C], n.names[R1], n.names[R2], n.names[S]
	n.run(lines("netns add "+c, "netns add "+r1, "netns add "+r2, "netns add "+s), "ip", "-batch", "-")
	for node := C; node <= S; node++ {
		for key, value := range sysctls {
			n.Sysctl(node, key, value)
		}
	}
	n.run(lines(link(c, r1), link(r1, r2), link(r2, s)), "ip", "-batch", "-")
	for node, commands := range wiring {
		n.run(lines(commands...), "ip", "-n", n.names[node], "-batch", "-")
	}
	n.awaitLinks()
	for _, router := range []Node{R1, R2} {
		n.Sysctl(router, "net.ipv4.ip_forward", "1")
		n.Sysctl(router, "net.ipv6.conf.all.forwarding", "1")
	}
}

// The link addresses of a link's two ends.
const (
	rightMAC = "02:00:00:00:00:01" // of the interface "right", on the link's left
	leftMAC  = "02:00:00:00:00:02"
)

// link is the command that joins two namespaces.
func link(left, right string) string {
	return fmt.Sprintf("link add right address %s netns %s type veth peer name left address %s netns %s", rightMAC,
		left, leftMAC, right)
}

// awaitLinks waits until every link carries packets: the kernel notices that both ends are up in its own time, and
// drops what is sent before.
func (n *Net) awaitLinks() {
	n.host.Helper()
	until := time.Now().Add(linksUp)
	for node, ends := range [4]int{C: 1, R1: 2, R2: 2, S: 1} {
		for strings.Count(n.run("", "ip", "-o", "-n", n.names[node], "link", "show", "type", "veth"),
			"state UP") != ends {
			if time.Now().After(until) {
				n.host.Fatalf("the links of %s are not up after %v", Node(node), linksUp)
			}
		}
	}
}

// linksUp bounds the wait for the links; they take milliseconds.
const linksUp = 10 * time.Second

// sysctls hold in every namespace. ICMP is not limited in rate: a limit would turn a router's word into silence. High
// limits are not enough: the bucket of a new namespace is empty, and while one CPU fills it, another that looks finds
// it so and drops its message (icmp_global_allow in net/ipv4/icmp.c). Hence the masks, by which the limits hold for no
// type of message.
var sysctls = map[string]string{
	"net.ipv6.conf.default.accept_dad": "0",
	"net.ipv6.conf.default.accept_ra":  "0",
	"net.ipv4.conf.all.rp_filter":      "0",
	"net.ipv4.conf.default.rp_filter":  "0",
	"net.ipv4.icmp_ratelimit":          "0",
	"net.ipv4.icmp_ratemask":           "0",
	"net.ipv6.icmp.ratelimit":          "0",
	"net.ipv6.icmp.ratemask":           "255", // a type that does not exist
}

// wiring is each node's interfaces, addresses, routes and neighbours, as commands of ip. The neighbours are permanent:
// the kernel has one table of the others for all namespaces, and a few hundred Nets would fill it.
var wiring = [4][]string{
	C: {"link set lo up", "link set right up gso_max_segs 1",
		"addr add 10.9.1.2/24 dev right", "addr add fd09:1::2/64 dev right nodad",
		"route add default via 10.9.1.1", "route add default via fd09:1::1",
		rightNeighbour("10.9.1.1"), rightNeighbour("fd09:1::1")},
	R1: {"link set lo up", "link set left up gso_max_segs 1", "link set right up gso_max_segs 1",
		"addr add 10.9.1.1/24 dev left", "addr add fd09:1::1/64 dev left nodad",
		"addr add 10.9.2.1/24 dev right", "addr add fd09:2::1/64 dev right nodad",
		"route add 10.9.3.0/24 via 10.9.2.2", "route add fd09:3::/64 via fd09:2::2",
		leftNeighbour("10.9.1.2"), leftNeighbour("fd09:1::2"), rightNeighbour("10.9.2.2"), rightNeighbour("fd09:2::2")},
	R2: {"link set lo up", "link set left up gso_max_segs 1", "link set right up gso_max_segs 1",
		"addr add 10.9.2.2/24 dev left", "addr add fd09:2::2/64 dev left nodad",
		"addr add 10.9.3.1/24 dev right", "addr add fd09:3::1/64 dev right nodad",
		"route add 10.9.1.0/24 via 10.9.2.1", "route add fd09:1::/64 via fd09:2::1",
		leftNeighbour("10.9.2.1"), leftNeighbour("fd09:2::1"), rightNeighbour("10.9.3.2"), rightNeighbour("fd09:3::2")},
	S: {"link set lo up", "link set left up gso_max_segs 1",
		"addr add 10.9.3.2/24 dev left", "addr add fd09:3::2/64 dev left nodad",
		"route add default via 10.9.3.1", "route add default via fd09:3::1",
		leftNeighbour("10.9.3.1"), leftNeighbour("fd09:3::1")},
}

// rightNeighbour is the command that makes known who is at the other end of the interface "right".
func rightNeighbour(addr string) string {
	return "neigh add " + addr + " lladdr " + leftMAC + " dev right nud permanent"
}

// leftNeighbour is the same for the interface "left".
func leftNeighbour(addr string) string {
	return "neigh add " + addr + " lladdr " + rightMAC + " dev left nud permanent"
}
