package cause

import (
	"net/netip"

	"errno_exporter/internal/host"
	"errno_exporter/prober/result"
)

// counted are situations in which the kernel's counters settle something, or rise for other reasons.
func counted() []situation {
	const unknown = "unknown unknown low; not transient; open [no_egress accept_queue_full firewall_drop path_outage]"
	full := host.Record{Conntrack: 960, ConntrackLimit: 1000}
	half := host.Record{Conntrack: 500, ConntrackLimit: 1000}
	local := failed(result.Resolve, result.LocalDenied, result.Local, func(o *Digest) { o.Addr = netip.Addr{} })
	silent := func(words string, change ...func(*Digest)) Evidence {
		return after(n(2, seen(unanswered, append(change, sentTwice, rose(words))...)))
	}
	lost := func(words string) Evidence { return after(n(2, seen(dead, small, sentTwice, rose(words)))) }
	queued := after(n(4, worked(1)), n(3, worked(1, synAgain)),
		n(2, seen(unanswered, sentTwice, rose("TcpRetransSegs=1, TcpExtTCPRetransFail=1"))))
	return []situation{
		{"a rule of this host drops SYNs", silent("TcpRetransSegs=1, TcpExtTCPRetransFail=1"),
			"firewall_drop us high; not accept_queue_full path_outage transient"},
		{"a rule of this host drops SYNs, once",
			after(n(1, seen(unanswered, sentTwice, rose("TcpRetransSegs=1, TcpExtTCPRetransFail=1")))),
			"firewall_drop us medium; not accept_queue_full path_outage; open [no_egress transient]"},
		{"a rule of this host dropped SYNs, and no longer does",
			after(healthy, n(1, seen(unanswered, sentTwice, rose("TcpRetransSegs=1, TcpExtTCPRetransFail=1"))),
				n(1, worked(1))),
			"transient unknown medium; not accept_queue_full path_outage; open [no_egress firewall_drop]"},
		{"a rule of this host drops SYNs, where SYNs had to be repeated before", queued,
			"firewall_drop us high; not accept_queue_full path_outage transient"},
		{"a rule of this host drops what is established", lost("TcpRetransSegs=3, TcpExtTCPRetransFail=3"),
			"firewall_drop us high; not path_outage pmtu_black_hole transient"},
		{"the counters of the newest failure are awaited, those of the one before are known",
			after(n(1, seen(unanswered, sentTwice, rose("TcpRetransSegs=1, TcpExtTCPRetransFail=1"))),
				n(1, seen(unanswered, sentTwice, awaits))),
			"firewall_drop us high; not accept_queue_full path_outage transient"},
		{"the counters of another failure in this run are known",
			after(n(1, seen(dead, sentTwice, rose("TcpRetransSegs=1, TcpExtTCPRetransFail=1"))),
				n(1, seen(unanswered, sentTwice, awaits))), unknown},
		{"silence, and a rule of this host drops others", silent("TcpRetransSegs=2, TcpExtTCPRetransFail=1"), unknown},
		{"silence, and nothing was sent again",
			after(n(2, seen(unanswered, rose("TcpRetransSegs=1, TcpExtTCPRetransFail=1")))), unknown},
		{"silence, and all retransmissions were sent", silent("TcpRetransSegs=1"), unknown},
		{"silence, and only others' were not sent", silent("TcpExtTCPRetransFail=0"), unknown},
		{"the path is dead, and a rule of this host drops others", lost("TcpRetransSegs=4, TcpExtTCPRetransFail=3"),
			"path_outage unknown medium; not pmtu_black_hole transient"},
		{"resets, and a rule of this host drops others",
			after(n(3, seen(resetLive, sentTwice, rose("TcpRetransSegs=1, TcpExtTCPRetransFail=1")))),
			"server_aborts server high; not firewall_reject request_rejected transient"},

		{"the connection tracker is full: none was sent",
			silent("TcpRetransSegs=1, TcpExtTCPRetransFail=1, conntrack drop=2").host(half),
			"egress_impaired us high; not accept_queue_full path_outage transient"},
		{"the connection tracker is full, others were sent again",
			silent("TcpRetransSegs=9, TcpExtTCPRetransFail=1, conntrack drop=2").host(full),
			"egress_impaired us medium; not transient; open [no_egress accept_queue_full firewall_drop path_outage]"},
		{"two connections have the same port by NAT",
			silent("TcpRetransSegs=1, TcpExtTCPRetransFail=1, conntrack insert_failed=2"),
			"egress_impaired us high; not accept_queue_full path_outage transient"},
		{"the connection tracker dropped less than was sent",
			silent("TcpRetransSegs=9, TcpExtTCPRetransFail=1, conntrack drop=1").host(full), unknown},
		{"the connection tracker dropped as much as was sent, and is not full",
			silent("TcpRetransSegs=9, TcpExtTCPRetransFail=1, conntrack drop=2").host(half),
			"unknown unknown low; not transient; open [no_egress egress_impaired accept_queue_full firewall_drop " +
				"path_outage]"},
		{"the connection tracker dropped as much, and is not known",
			silent("TcpRetransSegs=9, conntrack drop=2"),
			"unknown unknown low; not transient; open [no_egress egress_impaired accept_queue_full firewall_drop " +
				"path_outage]"},
		{"the connection tracker is full, and a closed port answers",
			silent("TcpRetransSegs=9, conntrack drop=2").host(full).closed(0),
			"unknown unknown low; not no_egress path_outage transient; open [egress_impaired accept_queue_full " +
				"firewall_drop]"},
		{"the connection tracker is full, and nothing was dropped", silent("TcpRetransSegs=1").host(full), unknown},
		{"the connection tracker drops others, and it is reset",
			after(n(3, seen(resetLive, rose("conntrack drop=9")))).host(full),
			"server_aborts server high; not firewall_reject request_rejected transient"},
		{"the connection tracker drops others, and it answers 500",
			after(n(2, status(500, rose("conntrack drop=9")))).host(full),
			"server_error server high"},
		{"the connection tracker is full: a question is refused",
			after(n(2, seen(local, rose("conntrack drop=1")))).host(full),
			"egress_impaired us medium; not firewall_reject"},
		{"a rule refuses a question, and the connection tracker drops others",
			after(n(2, seen(local, rose("conntrack drop=1")))).host(half),
			"firewall_reject us high"},
		{"a rule refuses a question", after(n(2, seen(local, rose("IpOutDiscards=1")))).host(full),
			"firewall_reject us high"},

		{"a listener of this host is full", silent("TcpExtListenOverflows=2", nearby),
			"accept_queue_full server high; not transient"},
		{"a listener of this host has a full SYN queue, once",
			after(n(1, seen(unanswered, nearby, rose("TcpExtTCPReqQFullDrop=1")))),
			"accept_queue_full server medium; open [no_egress firewall_drop path_outage transient]"},
		{"a listener of this host was full, and is not any longer",
			after(healthy, n(1, seen(unanswered, nearby, rose("TcpExtListenOverflows=1"))), n(1, worked(1))),
			"transient unknown medium; open [no_egress accept_queue_full firewall_drop path_outage]"},
		{"a listener of this host is full, and a rule of this host drops SYNs",
			silent("TcpExtListenOverflows=2, TcpRetransSegs=1, TcpExtTCPRetransFail=1", nearby),
			"firewall_drop us high; not accept_queue_full path_outage transient"},
		{"a listener of this host dropped less than was sent", silent("TcpExtListenOverflows=1", nearby), unknown},
		{"a listener of this host is full, and the target is elsewhere", silent("TcpExtListenOverflows=2"), unknown},

		{"rp_filter drops what arrives", silent("TcpExtIPReversePathFilter=2"),
			"unknown unknown low; not transient; open [no_egress egress_impaired accept_queue_full firewall_drop " +
				"path_outage]"},
		{"rp_filter dropped less than was sent", silent("TcpExtIPReversePathFilter=1"), unknown},
		{"segments arrive damaged", after(n(2, seen(hangs, rose("TcpInCsumErrors=1")))),
			"server_unresponsive server medium; not transient; open [pmtu_black_hole path_outage]"},
	}
}
