package prober

import (
	"errors"
	"net/netip"

	"errno_exporter/prober/classify"
	"errno_exporter/prober/dns"
	"errno_exporter/prober/result"
)

// resolve finds the target's addresses; an address literal has itself.
func (h *hop) resolve(host string) bool {
	began := h.attempt.elapsed()
	if h.attempt.pinned(h) {
		h.Answers, h.Lookup, h.Addr = h.attempt.answers, h.attempt.lookup, netip.AddrPortFrom(h.attempt.addr, 0)
		h.done(result.Resolve, began, began)
		return true
	}
	if addr, ok := literal(host); ok {
		h.Answers = []netip.Addr{addr}
	} else {
		if r := h.attempt.module.Resolver; r != nil && r.CompareSystem && len(h.attempt.record.Hops) == 1 {
			h.attempt.compared = h.attempt.compare(host)
		}
		var err error
		h.Answers, h.Lookup, err = h.attempt.resolve(host)
		if err != nil {
			h.fail(result.Resolve, began, classify.Failure(lookupEvidence(h.Lookup, err, h.attempt.ending(err))))
		}
		h.Lookup.Cut()
		if err != nil {
			return false
		}
	}
	m := h.attempt.module
	addr, ok := families{m.PreferIPv6, m.IPProtocolFallback}.pick(h.Answers)
	if !ok {
		h.fail(result.Resolve, began, result.Failure{Reason: result.DNSNoData, Origin: result.Peer, Err: errNoFamily})
		return false
	}
	h.Addr = netip.AddrPortFrom(addr, 0)
	h.done(result.Resolve, began, h.attempt.elapsed())
	if found := h.attempt.found; found != nil {
		h.attempt.found = nil
		found(h)
	}
	return true
}

var errNoFamily = errors.New("no address of the preferred family, and ip_protocol_fallback is off")

// resolve returns the name's addresses in the resolver's order, and what was seen on the wire.
func (a *attempt) resolve(host string) ([]netip.Addr, *result.Lookup, error) {
	resolver := a.module.Resolver
	if resolver == nil {
		return a.askSystem(host)
	}
	servers := dns.Servers{Addresses: resolver.Servers, Protocol: resolver.Protocol, TLS: a.module.ResolverTLS()}
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
