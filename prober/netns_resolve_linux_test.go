package prober_test

import (
	"fmt"
	"time"

	"errno_exporter/internal/faultlab/netlab"
	"errno_exporter/prober/result"
)

// Faults of the phase resolve that need a network: failures.md, section 2.1. What a resolver says is tested on
// loopback.

// netnsResolveRows are name servers that cannot be reached, each by both families.
func netnsResolveRows() []netnsRow {
	failure := func(reason result.Reason, errno string, origin result.Origin) sighting {
		return sighting{Phase: result.Resolve, Reason: reason, Errno: errno, Origin: origin}
	}
	silence := failure("dns.timed_out", "", "self")
	silence.Took = deadline.Round(time.Second)
	var rows []netnsRow
	for _, f := range []netlab.Family{netlab.V4, netlab.V6} {
		asked := visit{Resolver: f.Resolver()}
		often := visit{Resolver: f.Resolver(), Count: again}
		short := visit{Resolver: f.Resolver(), ShortOfDescriptors: true}
		healthy := visit{Resolver: f.Resolver(), PreferIPv6: f == netlab.V6}
		rows = append(rows, []netnsRow{
			{f.String() + " resolver healthy", netlab.ResolverHealthy(f), healthy,
				succeeded("ESTABLISHED or CLOSE_WAIT")},
			{f.String() + " resolver's port closed", netlab.ResolverClosed(), often,
				failure("dns.unreachable", "ECONNREFUSED", "path")},
			{f.String() + " resolver silent", netlab.ResolverSilent(), asked, silence},
			{f.String() + " no route to the resolver", netlab.ResolverNoRoute(f), asked,
				failure("local.no_route", "ENETUNREACH", "local")},
			{f.String() + " own firewall drops questions", netlab.ResolverDropped(), asked,
				failure("local.denied", "EPERM", "local")},
			{f.String() + " own firewall rejects questions", netlab.ResolverRefusedHere(), often,
				failure("local.denied", "EPERM", "local")},
			{f.String() + " no local port left for a question", netlab.ResolverNoPort(), asked,
				failure("local.port_exhausted", "OTHER", "local")},
			{f.String() + " no descriptor left for a question", netlab.ResolverHealthy(f), short,
				failure("local.fd_exhausted", "EMFILE", "local")},
		}...)
	}
	for _, row := range []struct {
		family netlab.Family
		with   string
		errno  string
	}{
		{netlab.V4, "net-unreachable", "ENETUNREACH"},
		{netlab.V4, "host-unreachable", "EHOSTUNREACH"},
		{netlab.V4, "port-unreachable", "ECONNREFUSED"},
		{netlab.V4, "admin-prohibited", "EHOSTUNREACH"},
		{netlab.V6, "no-route", "ENETUNREACH"},
		{netlab.V6, "addr-unreachable", "EHOSTUNREACH"},
		{netlab.V6, "port-unreachable", "ECONNREFUSED"},
		{netlab.V6, "admin-prohibited", "EACCES"},
	} {
		rows = append(rows, netnsRow{
			fmt.Sprintf("%s %s for questions from r1", row.family, row.with),
			netlab.ResolverRejected(row.family, netlab.R1, row.with),
			visit{Resolver: row.family.Resolver(), Count: again},
			failure("dns.unreachable", row.errno, "path"),
		})
	}
	return rows
}
