package cause

import "errno_exporter/prober/result"

// limitedMessages are situations in which routers or hosts answer some SYNs by ICMP, and leave others unanswered.
func limitedMessages() []situation {
	forbids := failed(result.Connect, result.TCPAddressUnreachable, result.Path, icmp(router, 3, 13), quickly)
	hostForbids := failed(result.Connect, result.TCPAddressUnreachable, result.Path, icmp(target, 3, 13), quickly)
	noNet := failed(result.Connect, result.TCPAddressUnreachable, result.Path, icmp(router, 3, 0), quickly)
	hostRoute := failed(result.Connect, result.TCPAddressUnreachable, result.Path, icmp(target, 3, 1), quickly)
	lastHop := failed(result.Connect, result.TCPAddressUnreachable, result.Path, icmp(router, 3, 1))
	closed := failed(result.Connect, result.TCPRefused, result.Path, icmp(target, 3, 3), quickly)
	closedBy := failed(result.Connect, result.TCPRefused, result.Path, icmp(router, 3, 3), quickly)
	own := failed(result.Connect, result.TCPAddressUnreachable, result.Local, icmp(self, 3, 1), quickly)
	elsewhere := seen(noNet, func(o *Digest) { o.Addr = other })
	up := Egress{Known: true, Up: true}
	const nothing = "unknown unknown low; not transient; open [no_egress accept_queue_full firewall_drop path_outage]"
	return []situation{
		{"a router prohibits, then silence", after(healthy, n(1, forbids), n(2, unanswered)).egress(up).silent(),
			"firewall_reject path medium; not no_egress transient; open [accept_queue_full firewall_drop path_outage]"},
		{"a router prohibits, then silence, and other networks are reached",
			after(healthy, n(1, forbids), n(2, unanswered)).egress(Egress{Others: 2, Unreached: 1}).silent(),
			"firewall_reject path medium; not no_egress transient; open [accept_queue_full firewall_drop path_outage]"},
		{"a router prohibits, now and then", after(healthy, n(1, forbids), n(1, unanswered), n(1, forbids),
			n(1, unanswered)),
			"firewall_reject path high; not transient"},
		{"a host prohibits, then silence", after(healthy, n(1, hostForbids), n(2, unanswered)),
			"firewall_reject server medium; not transient; open [no_egress accept_queue_full firewall_drop path_outage]"},
		{"a router has no route, then silence", after(healthy, n(1, noNet), n(5, unanswered)).egress(up).silent(),
			"path_outage path medium; not no_egress transient; open [accept_queue_full firewall_drop]"},
		{"a router has no route, then silence, and other networks are reached",
			after(healthy, n(1, noNet), n(5, unanswered)).egress(Egress{Others: 2, Unreached: 1}).silent(),
			"path_outage path medium; not no_egress transient; open [accept_queue_full firewall_drop]"},
		{"a router has no route, now and then", after(n(2, noNet), n(1, unanswered)),
			"path_outage path high; not transient"},
		{"a router had no route, and a closed port answers now", after(n(2, noNet), n(2, unanswered)).closed(0),
			"unknown unknown low; not no_egress path_outage transient; open [accept_queue_full firewall_drop]"},
		{"a router did not find the host, and a closed port answers now",
			after(n(2, lastHop), n(2, unanswered)).closed(0),
			"unknown unknown low; not no_egress path_outage transient; open [accept_queue_full firewall_drop]"},
		{"the host has no route, then silence", after(healthy, n(1, hostRoute), n(2, unanswered)),
			"firewall_reject server medium; not transient; open [no_egress accept_queue_full firewall_drop path_outage]"},
		{"a router does not find the host, then silence", after(healthy, n(1, lastHop), n(2, unanswered)),
			"path_outage unknown medium; not transient; open [no_egress accept_queue_full firewall_drop]"},
		{"a router without a route says so at once, then silence", after(healthy, n(1, seen(lastHop, quickly)),
			n(2, unanswered)),
			"path_outage path medium; not transient; open [no_egress accept_queue_full firewall_drop]"},
		{"port unreachable from the server, now and then", after(healthy, n(1, closed), n(1, unanswered), n(1, closed),
			n(1, unanswered)),
			"firewall_reject server high; not transient"},
		{"port unreachable from another, then silence", after(healthy, n(1, closedBy), n(2, unanswered)),
			"firewall_reject unknown medium; not transient; open [no_egress accept_queue_full firewall_drop path_outage]"},
		{"an ICMP message before the last success", after(n(1, forbids), n(3, worked(1)), n(3, unanswered)),
			nothing},
		{"an ICMP message for another address", after(healthy, n(1, elsewhere), n(3, unanswered)),
			nothing},
		{"an ICMP message, then a connection, then silence", after(healthy, n(1, forbids), n(1, closedFIN),
			n(2, unanswered)),
			nothing},
		{"an ICMP message, then a refusal, then silence", after(healthy, n(1, forbids), n(1, refused),
			n(2, unanswered)),
			nothing},
		{"an ICMP message long ago", after(healthy, n(1, forbids), n(70, unanswered)),
			nothing},
		{"an ICMP message of this host, then silence", after(healthy, n(1, own), n(2, unanswered)),
			nothing},
		{"a router prohibits, then silence, and this host sends nothing", after(healthy, n(1, forbids),
			n(2, seen(unanswered, sentTwice, rose("TcpRetransSegs=1, TcpExtTCPRetransFail=1")))),
			"firewall_drop us high; not accept_queue_full path_outage transient"},
	}
}
