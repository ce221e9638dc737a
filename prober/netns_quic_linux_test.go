package prober_test

import (
	"time"

	"errno_exporter/internal/faultlab/netlab"
	"errno_exporter/prober/result"
)

// netnsQUICRows are faults of the way to a server over UDP. TCP_INFO has nothing to say of them.
func netnsQUICRows() []netnsRow {
	quic, long := visit{HTTP3: true}, visit{HTTP3: true, Timeout: patient}
	failed := func(reason result.Reason, errno string, origin result.Origin, icmp string) sighting {
		return connectFailure(reason, errno, origin, icmp, "")
	}
	var rows []netnsRow
	for _, f := range []netlab.Family{netlab.V4, netlab.V6} {
		port, host, gone := "3/3 from ", "3/1 from ", "3/1 from 10.9.2.2"
		unreachable, prohibited := failed("quic.address_unreachable", "EHOSTUNREACH", "path", "3/1 from 10.9.1.1"),
			failed("quic.address_unreachable", "EHOSTUNREACH", "path", "3/13 from 10.9.1.1")
		if f == netlab.V6 {
			port, host, gone = "1/4 from ", "1/3 from ", "1/3 from fd09:2::2"
			unreachable, prohibited = failed("quic.address_unreachable", "ENETUNREACH", "path", "1/0 from fd09:1::1"),
				failed("quic.address_unreachable", "EACCES", "path", "1/1 from fd09:1::1")
		}
		noNeighbour := failed("quic.address_unreachable", "EHOSTUNREACH", "local", host+f.Addr(netlab.C).String())
		noHost := failed("quic.address_unreachable", "EHOSTUNREACH", "path", gone)
		noNeighbour.Took, noHost.Took = neighbour, neighbour
		timedOut := failed("quic.timed_out", "", "self", "")
		timedOut.Took = deadline.Round(time.Second)
		rows = append(rows, []netnsRow{
			{f.String() + " QUIC nothing listens", netlab.Healthy(f), quic,
				failed("quic.refused", "ECONNREFUSED", "peer", port+f.Addr(netlab.S).String())},
			{f.String() + " QUIC no route", netlab.NoRoute(f), quic,
				failed("local.no_route", "ENETUNREACH", "local", "")},
			{f.String() + " QUIC prohibit route", netlab.LocalRoute(f, "prohibit"), quic,
				failed("local.denied", "EACCES", "local", "")},
			{f.String() + " QUIC no descriptor left", netlab.Healthy(f), visit{HTTP3: true, ShortOfDescriptors: true},
				failed("local.fd_exhausted", "EMFILE", "local", "")},
			{f.String() + " QUIC own firewall drops", netlab.UDPOutputDropped(f), quic,
				failed("local.denied", "EPERM", "local", "")},
			{f.String() + " QUIC host down on our LAN", netlab.HostDownOnOurLAN(f), long, noNeighbour},
			{f.String() + " QUIC host down on the server's LAN", netlab.HostDownOnServerLAN(f), long, noHost},
			{f.String() + " QUIC blackhole route of r1", netlab.RouterRoute(f, "blackhole"), quic, timedOut},
			{f.String() + " QUIC unreachable route of r1", netlab.RouterRoute(f, "unreachable"), quic, unreachable},
			{f.String() + " QUIC prohibit route of r1", netlab.RouterRoute(f, "prohibit"), quic, prohibited},
		}...)
	}
	return rows
}
