package incidents

import (
	"fmt"
	"net/url"
	"strings"

	"errno_exporter/internal/faultlab/netlab"
)

// redirect has the ports of incidents lead to healthy servers, also those of squid's targets, until the incidents
// happen. A new connection is then one to the port's own server.
func (s *site) redirect(all []incident) {
	s.net.Sysctl(netlab.S, "net.netfilter.nf_conntrack_tcp_be_liberal", "1") // lost packets make no segment invalid
	elements := ""
	for n := range all {
		i := &all[n]
		if i.was == "" {
			continue
		}
		port := i.port()
		elements += fmt.Sprintf("add element ip was ports { %s : %s }\n", port, i.was)
		i.happen = func(s *site) {
			s.net.NFT(netlab.S, "delete element ip was ports { "+port+" }\n")
		}
	}
	chain := func(hook string) string {
		return "chain " + hook + " {\ntype nat hook " + hook + " priority -100\n" +
			"ip daddr != { " + quietAddress + ", " + noisyAddress + " } accept\n" + // the test asks the servers themselves
			"meta l4proto tcp redirect to :tcp dport map @ports\nmeta l4proto udp redirect to :udp dport map @ports\n}\n"
	}
	s.net.NFT(netlab.S, "table ip was {\nmap ports { type inet_service : inet_service; }\n"+chain("prerouting")+
		chain("output")+"}\n"+elements)
}

// port is where what is wrong with an incident's target is: of the resolver or the proxy that its module has for itself,
// else of the URL.
func (i *incident) port() string {
	for _, key := range moduleKeys[i.module] {
		if _, port, there := strings.Cut(key, "ADDRESS:"); there && i.module != "proxied" && i.module != "tinyproxied" {
			return strings.TrimRight(port, "']}")
		}
	}
	at, err := url.Parse(i.url)
	if err != nil {
		panic(err) // a literal
	}
	return at.Port()
}
