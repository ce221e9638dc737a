package metrics

import (
	"hash/fnv"
	"slices"

	"errno_exporter/prober/result"
)

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
			if d, began := spentIn(p.Last(), row.Phase); began && row.Phase != result.Validate {
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
