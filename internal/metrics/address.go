package metrics

import (
	"hash/fnv"
	"net/netip"

	"errno_exporter/internal/egress"
	"errno_exporter/prober/module"
	"errno_exporter/prober/result"
)

// addAddress adds what the first hop's name resolved to. Nothing is known, and nothing exposed, where the name is left
// to the proxy.
func (e *Exposition) addAddress(h *result.Hop, m *module.Module) {
	lookup, resolved := h.Span(result.Resolve)
	if h.Proxy != "" && !resolved {
		return
	}
	if resolved {
		e.gauge("probe_dns_lookup_time_seconds", "Duration of resolving the target's name, in seconds.",
			lookup.Duration.Seconds())
		e.gauge("probe_addresses", "Addresses that the target's name resolved to.", float64(len(h.Answers)))
	}
	addr := chosen(h, m)
	e.gauge("probe_ip_protocol", "IP version of the chosen address: 4 or 6, or 0 if there was none.", ipVersion(addr))
	e.gauge("probe_ip_addr_hash", "FNV-1a hash of the chosen address, to detect changes.", addrHash(addr))
}

// chosen is the target's address that the probe used: what was dialled, or through a proxy the answer that would have
// been.
func chosen(h *result.Hop, m *module.Module) netip.Addr {
	if h.Proxy == "" && h.Addr.IsValid() {
		return h.Addr.Addr().Unmap()
	}
	for _, answer := range h.Answers {
		if answer.Unmap().Is6() == m.PreferIPv6 {
			return answer.Unmap()
		}
	}
	if len(h.Answers) > 0 && m.IPProtocolFallback {
		return h.Answers[0].Unmap()
	}
	return netip.Addr{}
}

// addNetwork adds the network that was last dialed, by which the recording rule of our egress counts.
func (e *Exposition) addNetwork(r *result.Result) {
	if network := egress.Network(r); network.IsValid() {
		e.gauge("probe_ip_network_hash", "FNV-1a hash of the network (/24 or /48) of the address that was last "+
			"dialed; absent if none was.",
			addrHash(network.Addr()))
	}
}

func ipVersion(addr netip.Addr) float64 {
	switch {
	case addr.Is4():
		return 4
	case addr.Is6():
		return 6
	default:
		return 0
	}
}

// addrHash is the 32-bit FNV-1a hash of the address's 4 or 16 bytes, 0 for no address.
func addrHash(addr netip.Addr) float64 {
	if !addr.IsValid() {
		return 0
	}
	hash := fnv.New32a()
	_, _ = hash.Write(addr.AsSlice()) // a hash's Write never fails
	return float64(hash.Sum32())
}
