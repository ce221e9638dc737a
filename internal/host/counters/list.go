package counters

// Counter is one counter of the kernel.
type Counter struct {
	Name     string // as nstat(8) prints it; those of conntrack and softnet with the file's name before theirs
	Sentence string // what happened when it rose
}

// All are the counters that are read: those that rise when something goes wrong. What counts ordinary traffic is left
// out. They count what happened in this network namespace, but for softnet's, which are the whole machine's. Their
// meanings are those of RFC 4293 (Ip, Ip6), RFC 4022 (Tcp), RFC 4113 (Udp), RFC 4443 and RFC 792 (Icmp),
// Documentation/networking/snmp_counter.rst and the code (TcpExt, IpExt), conntrack(8) (conntrack), and
// net/core/net-procfs.c (softnet).
var All = [...]Counter{
	// /proc/net/snmp
	{"IpInAddrErrors", "an IPv4 packet arrived for an address that is not of this host"},
	{"IpInDiscards", "an IPv4 packet that had arrived was dropped for lack of memory or by a rule"},
	{"IpOutDiscards", "an IPv4 packet of this host was dropped before it was sent, for lack of memory or by a rule"},
	{"IpOutNoRoutes", "an IPv4 packet was not sent: this host has no route to its destination"},
	{"IpReasmFails", "fragments of an IPv4 packet were incomplete or did not fit together"},
	{"IpFragFails", "an IPv4 packet was too large for its link and may not be fragmented"},
	{"IcmpInErrors", "a malformed ICMP message arrived"},
	{"IcmpInDestUnreachs", "ICMP destination unreachable arrived: a router or host could not deliver a packet"},
	{"IcmpInTimeExcds", "ICMP time exceeded arrived: a packet's TTL ran out, on a loop or in a path trace"},
	{"TcpAttemptFails", "a connection failed before it was established"},
	{"TcpEstabResets", "an established connection was reset"},
	{"TcpRetransSegs", "a TCP segment was retransmitted"},
	{"TcpInErrs", "a malformed TCP segment arrived"},
	{"TcpOutRsts", "this host sent a RST"},
	{"TcpInCsumErrors", "a TCP segment with a wrong checksum arrived, and was dropped"},
	{"UdpNoPorts", "a UDP packet arrived at a port where nothing listens (any longer)"},
	{"UdpRcvbufErrors", "a UDP packet was dropped: the receive buffer of its socket was full"},
	{"UdpSndbufErrors", "a UDP packet was not sent: the send buffer was full"},
	{"UdpInCsumErrors", "a UDP packet with a wrong checksum arrived, and was dropped"},
	{"UdpMemErrors", "a UDP packet was dropped: the memory for UDP (udp_mem) was used up"},
	// /proc/net/snmp6
	{"Ip6InHdrErrors", "an IPv6 packet with a bad header arrived"},
	{"Ip6InNoRoutes", "an IPv6 packet arrived for which there is no route"},
	{"Ip6InAddrErrors", "an IPv6 packet arrived for an address that is not of this host"},
	{"Ip6InDiscards", "an IPv6 packet that had arrived was dropped for lack of memory or by a rule"},
	{"Ip6OutDiscards", "an IPv6 packet of this host was dropped before it was sent, for lack of memory or by a rule"},
	{"Ip6OutNoRoutes", "an IPv6 packet was not sent: this host has no route to its destination"},
	{"Ip6ReasmFails", "fragments of an IPv6 packet were incomplete or did not fit together"},
	{"Ip6FragFails", "an IPv6 packet was too large for its link and could not be fragmented"},
	{"Icmp6InErrors", "a malformed ICMPv6 message arrived"},
	{"Icmp6InDestUnreachs", "ICMPv6 destination unreachable arrived: a router or host could not deliver a packet"},
	{"Icmp6InPktTooBigs", "ICMPv6 packet too big arrived: a link on the path has a smaller MTU"},
	{"Icmp6InTimeExcds", "ICMPv6 time exceeded arrived: a hop limit ran out, on a loop or in a path trace"},
	{"Udp6NoPorts", "a UDP packet arrived over IPv6 at a port where nothing listens (any longer)"},
	{"Udp6RcvbufErrors", "a UDP packet was dropped over IPv6: the receive buffer of its socket was full"},
	{"Udp6SndbufErrors", "a UDP packet was not sent over IPv6: the send buffer was full"},
	{"Udp6InCsumErrors", "a UDP packet with a wrong checksum arrived over IPv6, and was dropped"},
	// /proc/net/netstat
	{"IpExtInNoRoutes", "an IPv4 packet arrived for which there is no route"},
	{"IpExtInCsumErrors", "an IPv4 packet with a wrong header checksum arrived, and was dropped"},
	{"TcpExtOutOfWindowIcmps", "an ICMP error was ignored: it did not fit the connection that it was about"},
	{"TcpExtPAWSActive", "a SYN-ACK was dropped because of its timestamp (PAWS, RFC 7323)"},
	{"TcpExtPAWSEstab", "a segment was dropped because its timestamp is older than the last (PAWS, RFC 7323), as " +
		"happens when a NAT or a balancer mixes several hosts"},
	{"TcpExtListenOverflows", "a connection to a listener of this network namespace was dropped: its accept queue was " +
		"full"},
	{"TcpExtListenDrops", "a connection to a listener of this network namespace was dropped"},
	{"TcpExtTCPReqQFullDrop", "a SYN to a listener of this network namespace was dropped: its SYN queue was full"},
	{"TcpExtTCPReqQFullDoCookies", "a listener of this network namespace answered with SYN cookies: its SYN queue was " +
		"full"},
	{"TcpExtTCPTimeouts", "a retransmission timer ran out: what was sent was not acknowledged in time"},
	{"TcpExtTCPSynRetrans", "a SYN or SYN-ACK was retransmitted"},
	{"TcpExtTCPRetransFail", "a retransmission could not be sent: no route, no memory, or a rule of this host"},
	{"TcpExtTCPAbortOnData", "a program of this network namespace aborted a connection that had data in flight"},
	{"TcpExtTCPAbortOnClose", "a program of this network namespace closed a connection with unread data, which sends " +
		"a RST"},
	{"TcpExtTCPAbortOnMemory", "a connection was reset: TCP was out of memory (tcp_mem), or there were too many orphans " +
		"(tcp_max_orphans)"},
	{"TcpExtTCPAbortOnTimeout", "a connection was given up: nothing came back for as long as its timers allow"},
	{"TcpExtTCPAbortFailed", "a RST could not be sent for lack of memory"},
	{"TcpExtTCPMemoryPressures", "TCP ran short of memory (tcp_mem)"},
	{"TcpExtTCPTimeWaitOverflow", "a connection was ended without TIME_WAIT: there were tcp_max_tw_buckets of them"},
	{"TcpExtTCPBacklogDrop", "a segment was dropped: its socket was busy and had too many waiting"},
	{"TcpExtTCPRcvQDrop", "a segment was dropped: the receive buffer of its socket was full"},
	{"TcpExtTCPZeroWindowDrop", "a segment was dropped: its socket had announced that it takes no more"},
	{"TcpExtTCPOFODrop", "a segment that was out of order was dropped: the receive buffer of its socket was full"},
	{"TcpExtRcvPruned", "received segments were dropped: the receive buffer of their socket was full"},
	{"TcpExtTCPMinTTLDrop", "a segment came from farther away than its socket demands, as in the experiment " +
		"reset_distance"},
	{"TcpExtIPReversePathFilter", "a packet was dropped by rp_filter: answers to its sender leave through another " +
		"interface"},
	{"TcpExtTCPChallengeACK", "a RST or SYN that did not fit its connection was answered with a challenge ACK (RFC " +
		"5961)"},
	{"TcpExtTCPSYNChallenge", "a SYN arrived within an established connection, and was answered with a challenge ACK " +
		"(RFC 5961)"},
	// /proc/net/stat/nf_conntrack
	{"conntrack invalid", "a packet belonged to no connection that the tracker knows: NAT leaves such packets as they " +
		"are"},
	{"conntrack insert_failed", "a connection could not be entered into the tracker, and its packet was dropped: two " +
		"connections were given the same address and port (NAT)"},
	{"conntrack drop", "a packet was dropped by the connection tracker: its table was full or it had no memory"},
	{"conntrack early_drop", "the connection tracker forgot a connection to make room for another: its table was full"},
	{"conntrack icmp_error", "the connection tracker could not assign an ICMP error to a connection"},
	// /proc/net/softnet_stat
	{"softnet dropped", "the machine dropped a packet that had arrived: the queue of a CPU (netdev_max_backlog) was full"},
	{"softnet time_squeeze", "the machine had more packets than its CPUs could take in one turn, and took the rest later"},
}
