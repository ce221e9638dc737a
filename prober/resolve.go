package prober

import (
	"net/netip"

	"errno_exporter/prober/dns"
	"errno_exporter/prober/result"
)

// resolve returns the name's addresses in the resolver's order, and what was seen on the wire.
func (a *attempt) resolve(host string) ([]netip.Addr, *result.Lookup, error) {
	resolver := a.module.Resolver
	if resolver == nil {
		return a.askSystem(host)
	}
	servers := dns.Servers{Addresses: resolver.Servers, Protocol: resolver.Protocol, TLS: a.module.TLS}
	return a.query(host).Configured(a.ctx, &servers)
}

// askSystem asks the system's resolver.
func (a *attempt) askSystem(host string) ([]netip.Addr, *result.Lookup, error) {
	return a.query(host).System(a.ctx, a.prober.options.Resolver)
}

// query asks for one family only when the other would not be used anyway.
func (a *attempt) query(host string) *dns.Query {
	q := &dns.Query{Host: host, Network: "ip4", Start: a.start, Panicked: a.caught}
	switch {
	case a.module.IPProtocolFallback:
		q.Network = "ip"
	case a.module.PreferIPv6:
		q.Network = "ip6"
	}
	return q
}
