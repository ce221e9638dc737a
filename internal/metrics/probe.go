package metrics

import (
	"hash/fnv"
	"net/netip"
	"slices"
	"strconv"
	"time"

	"errno_exporter/internal/egress"
	"errno_exporter/prober/module"
	"errno_exporter/prober/result"
)

// Probe adds the samples of one probe: those of blackbox_exporter's http prober under their names, and ours. They
// describe the last attempt. What was not measured has no sample, except where blackbox_exporter's users rely on a
// zero.
func (e *Exposition) Probe(r *result.Result, m *module.Module) {
	attempt := r.Last()
	e.addVerdict(r, m)
	e.addAddress(&attempt.Hops[0], m)
	e.addNetwork(r)
	e.addDurations(attempt)
	e.addOwnDelay(r)
	e.addHTTP(attempt, m, r.Failure)
	e.addTLS(attempt)
	e.addBytes(attempt)
	e.addTCP(attempt)
	e.addAddresses(r)
	e.addFamilies(&attempt.Hops[0])
	e.addExtended(&attempt.Hops[0])
	e.addComparison(&attempt.Hops[0])
}

func (e *Exposition) addVerdict(r *result.Result, m *module.Module) {
	e.gauge("probe_success", "1 if the probe succeeded, 0 if not.", number(r.Failure == nil))
	e.gauge("probe_duration_seconds", "Duration of the whole probe, in seconds.", r.Elapsed.Seconds())
	if e.detail != Scraped {
		e.gauge("probe_timeout_seconds", "Deadline of the probe, in seconds after its start.", r.Timeout.Seconds())
	}
	if m.Retry.Attempts > 1 || e.detail == Whole {
		e.gauge("probe_attempts_made", "Number of attempts of this probe.", float64(len(r.Attempts)))
	}
	if failure := r.Failure; failure != nil {
		e.gauge("probe_failure_info", "1 if the probe failed, with phase, reason, errno and origin; absent if it "+
			"succeeded.", 1,
			label{"errno", result.ErrnoName(failure.Errno)},
			label{"origin", string(failure.Origin)},
			label{"phase", string(failure.Phase)},
			label{"reason", string(failure.Reason)})
		if failure.Check != "" {
			e.gauge("probe_failed_check_info", "1 with the kind of rule that refused the response, and which of them, from "+
				"0; absent if none did.", 1,
				label{"check", string(failure.Check)}, label{"index", strconv.Itoa(failure.Index)})
		}
	}
}

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

// addDurations adds each phase's time, summed over the hops. A phase that failed has the time until it failed; one that
// never began has no sample. Judging takes no time worth a sample, and idle is for idle connections.
func (e *Exposition) addDurations(a *result.Attempt) {
	for _, row := range result.Phases {
		if row.Phase == result.Validate || row.Phase == result.Idle {
			continue
		}
		if spent, began := spentIn(a, row.Phase); began {
			e.gauge("probe_http_duration_seconds",
				"Duration of each phase that began, in seconds, summed over the redirects that were followed.",
				spent.Seconds(), label{"phase", string(row.Phase)})
		}
	}
}

// addOwnDelay adds what of the probe's duration is in no phase.
func (e *Exposition) addOwnDelay(r *result.Result) {
	a := r.Last()
	own := a.Elapsed
	for i := range a.Hops {
		for _, s := range a.Hops[i].Spans {
			own -= s.Duration
		}
	}
	e.gauge("probe_own_delay_seconds", "Time of the last attempt outside of all phases, in seconds: the exporter "+
		"waited for a CPU, or computed.", max(0, own).Seconds())
}

// spentIn sums a phase's time over the hops and reports whether the phase began at all.
func spentIn(a *result.Attempt, p result.Phase) (time.Duration, bool) {
	var spent time.Duration
	began := false
	for i := range a.Hops {
		if span, ok := a.Hops[i].Span(p); ok {
			spent += span.Duration
			began = true
		}
	}
	return spent, began
}

// differs reports whether the time of a phase has a sample of each address: finding the name is one for all of them,
// and writing the request takes microseconds.
func (e *Exposition) differs(p result.Phase) bool {
	if e.detail == Whole {
		return p != result.Validate
	}
	return p == result.Connect || p == result.TLS || p == result.Processing || p == result.Transfer
}

// addAddresses adds what became of each address, where all were probed.
func (e *Exposition) addAddresses(r *result.Result) {
	if len(r.Addresses) == 0 {
		return
	}
	texts := make([]string, len(r.Addresses))
	for i := range r.Addresses {
		p := &r.Addresses[i]
		texts[i] = p.Addr.String()
		address := label{"address", texts[i]}
		e.gauge("probe_address_success", "1 if the probe of this address succeeded.", number(p.Failure == nil), address)
		if f := p.Failure; f != nil {
			e.gauge("probe_address_failure_info", "1 if the probe of this address failed, with phase, reason, errno "+
				"and origin.", 1, address,
				label{"errno", result.ErrnoName(f.Errno)}, label{"origin", string(f.Origin)},
				label{"phase", string(f.Phase)}, label{"reason", string(f.Reason)})
		}
		for _, row := range result.Phases {
			if !e.differs(row.Phase) {
				continue
			}
			if d, began := spentIn(p.Last(), row.Phase); began {
				e.gauge("probe_address_duration_seconds", "Duration of each phase with this address, in seconds.",
					d.Seconds(), address, label{"phase", string(row.Phase)})
			}
		}
	}
	slices.Sort(texts)
	sum := fnv.New32a()
	for _, text := range texts {
		_, _ = sum.Write([]byte(text + "\n")) // a hash takes everything
	}
	e.gauge("probe_addresses_hash", "FNV-1a hash of the set of addresses, to detect changes.", float64(sum.Sum32()))
}
