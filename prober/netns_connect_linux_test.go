package prober_test

import (
	"fmt"
	"time"

	"errno_exporter/internal/faultlab/netlab"
	"errno_exporter/prober/result"
)

// Faults of the phase connect: failures.md, section 2.2.

// What TCP_INFO shows of a connect that failed. ICMP finds the socket in use by connect() or not, which decides the
// state.
const (
	unsent      = "CLOSE sent=0"                    // no SYN was built: the error is this host's
	hasReset    = "CLOSE sent=1"                    // a RST answered the SYN
	hasICMP     = "SYN_SENT sent=1 or CLOSE sent=1" // ICMP did
	unanswered  = "SYN_SENT sent=1"                 // nothing did
	gaveUpOnLAN = "CLOSE sent=1 or SYN_SENT sent=1" // nothing left: the neighbour's link address is not known
)

const (
	neighbour = 3 * time.Second           // how long Linux asks for a neighbour's link address
	patient   = neighbour + 2*time.Second // a deadline beyond it
)

func connectFailure(reason result.Reason, errno string, origin result.Origin, icmp, tcp string) sighting {
	return sighting{Phase: result.Connect, Reason: reason, Errno: errno, Origin: origin, ICMP: icmp, TCP: tcp}
}

// silent is a SYN that nothing answers until our own deadline.
var silent = sighting{result.Connect, result.TCPTimedOut, "", result.Self, "", unanswered, deadline.Round(time.Second)}

// silently is a visit to what never answers. The deadline is struck by the context and by the dialer, in either order.
var silently = visit{Count: 4}

// netnsLocalRows are faults of this host, which nothing on the network can be blamed for.
func netnsLocalRows() []netnsRow {
	local := func(reason result.Reason, errno string) sighting {
		return connectFailure(reason, errno, result.Local, "", unsent)
	}
	var rows []netnsRow
	for _, f := range []netlab.Family{netlab.V4, netlab.V6} {
		own := " from " + f.Addr(netlab.C).String()
		port, prohibited, host := "3/3", "3/13", "3/1"
		prohibitedErrno := "EHOSTUNREACH"
		if f == netlab.V6 {
			port, prohibited, host = "1/4", "1/1", "1/3"
			prohibitedErrno = "EACCES"
		}
		noNeighbour := connectFailure("tcp.address_unreachable", "EHOSTUNREACH", "local", host+own, gaveUpOnLAN)
		noNeighbour.Took = neighbour
		rows = append(rows, []netnsRow{
			{f.String() + " no route", netlab.NoRoute(f), visit{}, local("local.no_route", "ENETUNREACH")},
			{f.String() + " interface down", netlab.InterfaceDown(f), visit{}, local("local.no_route", "ENETUNREACH")},
			{f.String() + " unreachable route", netlab.LocalRoute(f, "unreachable"), visit{},
				local("local.no_route", "EHOSTUNREACH")},
			{f.String() + " prohibit route", netlab.LocalRoute(f, "prohibit"), visit{},
				local("local.denied", "EACCES")},
			{f.String() + " blackhole route", netlab.LocalRoute(f, "blackhole"), visit{},
				local("tcp.address_invalid", "EINVAL")},
			{f.String() + " ports exhausted", netlab.PortsExhausted(f), visit{Count: 3},
				local("local.port_exhausted", "EADDRNOTAVAIL")},
			{f.String() + " landlock", netlab.Healthy(f), visit{Landlock: true}, local("local.denied", "EACCES")},
			{f.String() + " no descriptor left", netlab.Healthy(f), visit{ShortOfDescriptors: true},
				connectFailure("local.fd_exhausted", "EMFILE", "local", "", "")},
			{f.String() + " own firewall drops", netlab.OutputDropped(f), silently, silent},
			{f.String() + " own firewall rejects", netlab.OutputRejected(f, "port-unreachable"), visit{Count: again},
				connectFailure("local.denied", "ECONNREFUSED", "local", port+own, hasICMP)},
			{f.String() + " own firewall prohibits", netlab.OutputRejected(f, "admin-prohibited"), visit{Count: again},
				connectFailure("local.denied", prohibitedErrno, "local", prohibited+own, hasICMP)},
			// Only the interface on which the RST arrived could tell that it is our own firewall's.
			{f.String() + " own firewall resets", netlab.OutputReset(f), visit{Count: again},
				connectFailure("tcp.refused", "ECONNREFUSED", "peer", "", hasReset)},
			{f.String() + " host down on our LAN", netlab.HostDownOnOurLAN(f), visit{Timeout: patient}, noNeighbour},
		}...)
	}
	return append(rows, netnsRow{"IPv4 loop through us", netlab.LoopThroughUs(), silently, silent})
}

// netnsConnectRows are faults of the way to the server and of its host.
func netnsConnectRows() []netnsRow {
	var rows []netnsRow
	for _, f := range []netlab.Family{netlab.V4, netlab.V6} {
		refused := connectFailure("tcp.refused", "ECONNREFUSED", "peer", "", hasReset)
		loop, gone := "11/0 from 10.9.2.2", "3/1 from 10.9.2.2"
		if f == netlab.V6 {
			loop, gone = "3/0 from fd09:2::2", "1/3 from fd09:2::2"
		}
		noHost := connectFailure("tcp.address_unreachable", "EHOSTUNREACH", "path", gone,
			"CLOSE sent=3 or CLOSE sent=4")
		noHost.Took = neighbour
		rows = append(rows, []netnsRow{
			{f.String() + " healthy", netlab.Healthy(f), visit{Count: again}, succeeded("ESTABLISHED or CLOSE_WAIT")},
			{f.String() + " two descriptors left", netlab.Healthy(f),
				visit{ShortOfDescriptors: true, DescriptorsLeft: 2},
				succeeded("ESTABLISHED or CLOSE_WAIT")},
			{f.String() + " one descriptor left", netlab.Healthy(f),
				visit{ShortOfDescriptors: true, DescriptorsLeft: 1},
				succeeded("ESTABLISHED or CLOSE_WAIT")},
			{f.String() + " nothing listens", netlab.ClosedPort(f), visit{Count: again}, refused},
			// Without the RST's TTL a router's reset is the server's.
			{f.String() + " r1 resets the SYN", netlab.SYNReset(f, netlab.R1), visit{Count: again}, refused},
			{f.String() + " r2 resets the SYN", netlab.SYNReset(f, netlab.R2), visit{Count: again}, refused},
			{f.String() + " SYN dropped", netlab.SYNDropped(f), silently, silent},
			{f.String() + " SYN-ACK dropped", netlab.SYNACKDropped(f), silently, silent},
			{f.String() + " server's firewall drops", netlab.InputDropped(f), silently, silent},
			{f.String() + " blackhole route of r1", netlab.RouterRoute(f, "blackhole"), silently, silent},
			{f.String() + " accept queue full", netlab.AcceptQueueFull(f), silently, silent},
			{f.String() + " routing loop", netlab.RoutingLoop(f), visit{Count: again},
				connectFailure("tcp.address_unreachable", "EHOSTUNREACH", "path", loop, hasICMP)},
			{f.String() + " host down on the server's LAN", netlab.HostDownOnServerLAN(f), visit{Timeout: patient},
				noHost},
			{f.String() + " first SYN lost", netlab.FirstSYNLost(f), visit{Timeout: 3 * time.Second},
				sighting{TCP: "ESTABLISHED, SYN repeated or CLOSE_WAIT, SYN repeated", Took: time.Second}},
		}...)
	}
	return rows
}

// netnsRejectionRows are routers that answer the SYN with ICMP, by a rule or by their routes.
func netnsRejectionRows() []netnsRow {
	var rows []netnsRow
	for _, row := range []struct {
		family netlab.Family
		with   string
		icmp   string
		reason result.Reason
		errno  string
	}{
		{netlab.V4, "net-unreachable", "3/0", "tcp.address_unreachable", "ENETUNREACH"},
		{netlab.V4, "host-unreachable", "3/1", "tcp.address_unreachable", "EHOSTUNREACH"},
		{netlab.V4, "prot-unreachable", "3/2", "tcp.failed", "ENOPROTOOPT"},
		{netlab.V4, "port-unreachable", "3/3", "tcp.refused", "ECONNREFUSED"},
		{netlab.V4, "net-prohibited", "3/9", "tcp.address_unreachable", "ENETUNREACH"},
		{netlab.V4, "host-prohibited", "3/10", "tcp.address_unreachable", "EHOSTUNREACH"},
		{netlab.V4, "admin-prohibited", "3/13", "tcp.address_unreachable", "EHOSTUNREACH"},
		{netlab.V6, "no-route", "1/0", "tcp.address_unreachable", "ENETUNREACH"},
		{netlab.V6, "admin-prohibited", "1/1", "tcp.address_unreachable", "EACCES"},
		{netlab.V6, "addr-unreachable", "1/3", "tcp.address_unreachable", "EHOSTUNREACH"},
		{netlab.V6, "port-unreachable", "1/4", "tcp.refused", "ECONNREFUSED"},
		{netlab.V6, "policy-fail", "1/5", "tcp.address_unreachable", "EACCES"},
		{netlab.V6, "reject-route", "1/6", "tcp.address_unreachable", "EACCES"},
	} {
		for _, router := range []netlab.Node{netlab.R1, netlab.R2} {
			rows = append(rows, netnsRow{
				fmt.Sprintf("%s %s from %s", row.family, row.with, router),
				netlab.Rejected(row.family, router, row.with), visit{Count: again},
				connectFailure(row.reason, row.errno, "path", row.icmp+" from "+row.family.Addr(router).String(),
					hasICMP),
			})
		}
	}
	unreachable := func(errno, icmp string) sighting {
		return connectFailure("tcp.address_unreachable", errno, "path", icmp, hasICMP)
	}
	return append(rows, []netnsRow{
		{"IPv4 unreachable route of r1", netlab.RouterRoute(netlab.V4, "unreachable"), visit{},
			unreachable("EHOSTUNREACH", "3/1 from 10.9.1.1")},
		{"IPv4 prohibit route of r1", netlab.RouterRoute(netlab.V4, "prohibit"), visit{},
			unreachable("EHOSTUNREACH", "3/13 from 10.9.1.1")},
		{"IPv4 no route on r1", netlab.RouterNoRoute(netlab.V4), visit{},
			unreachable("ENETUNREACH", "3/0 from 10.9.1.1")},
		{"IPv6 unreachable route of r1", netlab.RouterRoute(netlab.V6, "unreachable"), visit{},
			unreachable("ENETUNREACH", "1/0 from fd09:1::1")},
		{"IPv6 prohibit route of r1", netlab.RouterRoute(netlab.V6, "prohibit"), visit{},
			unreachable("EACCES", "1/1 from fd09:1::1")},
		{"IPv6 no route on r1", netlab.RouterNoRoute(netlab.V6), visit{},
			unreachable("ENETUNREACH", "1/0 from fd09:1::1")},
	}...)
}

// succeeded is a probe that met no fault.
func succeeded(tcp string) sighting { return sighting{TCP: tcp} }
