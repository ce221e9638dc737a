package egress

import (
	"net/netip"

	"errno_exporter/prober/result"
)

// The rule.
//
//   - Reference targets decide where they are configured and were checked.
//   - Without them egress is down if at least minTargets targets are out of reach that are at least half of all, and
//     were in at least minNetworks networks (/24 or /48) when they were last dialled, within a day: three targets on
//     one host that is gone are no loss of egress.

const (
	minTargets  = 3
	minNetworks = 2
)

// Seen is what is known of one target.
type Seen struct {
	Failure *result.Failure // of the last probe; nil if it succeeded
	Network netip.Prefix    // of its result
	Dialed  netip.Prefix    // the network that was last dialed, within a day; zero for none
}

// Assessment is what is known of our own egress.
type Assessment struct {
	State
	Targets    int // configured
	OutOfReach int // of them
	networks   int // of those out of reach, when they were last dialed
	// reached reports for each network of now whether a target in it is reached. Targets whose name was not resolved
	// are in the zero network.
	reached map[netip.Prefix]bool
}

// Assess applies the rule to the last check of the reference targets and to the last results of the configured targets,
// of which there may be more.
func Assess(state State, configured int, targets []Seen) Assessment {
	a := Assessment{State: state, Targets: configured, reached: map[netip.Prefix]bool{}}
	dialed := map[netip.Prefix]bool{}
	for _, t := range targets {
		out := OutOfReach(t.Failure)
		a.reached[t.Network] = a.reached[t.Network] || !out
		if !out {
			continue
		}
		a.OutOfReach++
		if t.Dialed.IsValid() {
			dialed[t.Dialed] = true
		}
	}
	a.networks = len(dialed)
	return a
}

// Down reports whether our own egress is down.
func (a *Assessment) Down() bool {
	if a.Known {
		return !a.Up
	}
	return a.OutOfReach >= minTargets && 2*a.OutOfReach >= a.Targets && a.networks >= minNetworks
}

// Beside counts the networks other than a target's own, and those of them in which no target is reached.
func (a *Assessment) Beside(own netip.Prefix) (unreached, others int) {
	for network, reached := range a.reached {
		if network == own {
			continue
		}
		others++
		if !reached {
			unreached++
		}
	}
	return unreached, others
}

// Network is the network of the address that was last dialed, /24 or /48; zero if none was.
func Network(r *result.Result) netip.Prefix {
	addr := r.Last().LastHop().Addr.Addr()
	if !addr.IsValid() {
		return netip.Prefix{}
	}
	return networkOf(addr)
}

// networkOf is the /24 or /48 of a valid address.
func networkOf(addr netip.Addr) netip.Prefix {
	bits := 48
	if addr = addr.Unmap(); addr.Is4() {
		bits = 24
	}
	prefix, _ := addr.WithZone("").Prefix(bits) // every address has as many
	return prefix
}

// OutOfReach reports whether a failure of our own egress would explain a failure: the name is not resolved though the
// resolver did not answer that it does not exist, or the connection, or the one to the proxy, is not established, and
// it is not the peer that refuses. nil is no failure. target:probe_egress_failing:info (monitoring/recording.yml) is
// the same in PromQL.
func OutOfReach(f *result.Failure) bool {
	if f == nil {
		return false
	}
	switch f.Reason {
	case result.DNSNameNotResolved, result.DNSNoData, result.DNSRefused, result.LocalFDExhausted,
		result.LocalOverloaded,
		result.LocalPortExhausted, result.ProbeConfig, result.Abandoned:
		return false
	}
	return f.Phase == result.Resolve || (f.Phase == result.Connect || f.Phase == result.Proxy) &&
		f.Origin != result.Peer
}
