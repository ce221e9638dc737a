package incidents

import (
	"fmt"
	"strings"

	"errno_exporter/internal/faultlab/netlab"
)

// The second router is a host whose ports lead to servers in containers, here nginx on the node S. What happens is that
// a container is gone: the host then answers in its place, one hop nearer.

// natHost is the host's address. Connections to its lossy ports, ten above the others, lose packets.
const natHost = "10.9.2.2"

// The host's ports.
const (
	removedPort     = 8971 // its rule is removed with the container
	rejectedPort    = 8972 // the host rejects, as kube-proxy does for a service without endpoints
	unreachablePort = 8973 // the container's network is gone, the rule is not
	lossyPorts      = 10
)

var natPorts = []int{removedPort, rejectedPort, unreachablePort}

// hostContainers has the host's ports lead to a healthy server.
func (s *site) hostContainers() {
	s.net.Sysctl(netlab.R2, "net.netfilter.nf_conntrack_tcp_be_liberal", "1") // lost packets make no segment invalid
	s.net.IP(netlab.R2, "route", "add", "10.9.4.0/24", "via", quietAddress)
	s.net.Filter(netlab.R2, "forward", "ip daddr 10.9.4.2 reject with icmp host-unreachable") // the kernel's are limited
	s.net.Filter(netlab.R2, "input", fmt.Sprintf("tcp dport { %d, %d } reject with icmp port-unreachable", rejectedPort,
		rejectedPort+lossyPorts))
	s.net.Filter(netlab.R1, "prerouting",
		fmt.Sprintf("ip daddr %s tcp dport %d-%d numgen inc mod 20 == 7 drop", natHost, removedPort+lossyPorts,
			unreachablePort+lossyPorts),
		fmt.Sprintf("ip saddr %s tcp sport %d-%d numgen inc mod 20 == 7 drop", natHost, removedPort+lossyPorts,
			unreachablePort+lossyPorts))
	elements := ""
	for _, port := range natPorts {
		elements += leads(port, quietAddress+" . 8109")
	}
	s.net.NFT(netlab.R2, "table ip host {\nmap containers { type inet_service : ipv4_addr . inet_service; }\n"+
		"chain prerouting {\ntype nat hook prerouting priority -100\n"+
		"ip daddr "+natHost+" dnat ip to tcp dport map @containers\n}\n}\n"+elements)
}

// leads are the commands by which a port and its lossy one lead to a server.
func leads(port int, to string) string {
	text := ""
	for _, at := range []int{port, port + lossyPorts} {
		text += fmt.Sprintf("add element ip host containers { %d : %s }\n", at, to)
	}
	return text
}

// endsHere are the commands by which they lead nowhere else.
func endsHere(port int) string {
	return fmt.Sprintf("delete element ip host containers { %d, %d }\n", port, port+lossyPorts)
}

func ofNAT() []incident {
	at := func(port int, name, labels, right, commands string) incident {
		return incident{name: "nginx: " + name, needs: "nginx", url: fmt.Sprintf("http://HOST:%d/", port),
			labels: labels, party: "server", right: right,
			happen: func(s *site) { s.net.NFT(netlab.R2, commands) }}
	}
	refused := "connect tcp.refused ECONNREFUSED peer|connect tcp.refused ECONNREFUSED path"
	return []incident{
		at(removedPort, "its container is removed, the host refuses", refused, "server_restarted|not_listening",
			endsHere(removedPort)),
		at(rejectedPort, "its container is removed, the host rejects", refused,
			"firewall_reject|server_restarted|not_listening", endsHere(rejectedPort)),
		at(unreachablePort, "its container's network is removed, the host has no route",
			"connect tcp.address_unreachable EHOSTUNREACH path",
			"firewall_reject|server_restarted|not_listening",
			endsHere(unreachablePort)+leads(unreachablePort, "10.9.4.2 . 80")),
	}
}

// atHost is a URL whose HOST is the host, for a kind.
func atHost(url string, k kind) string {
	for _, port := range natPorts {
		from, to := fmt.Sprintf("HOST:%d", port), port
		if k.noisy {
			to += lossyPorts
		}
		url = strings.ReplaceAll(url, from, fmt.Sprintf("%s:%d", natHost, to))
	}
	return url
}
