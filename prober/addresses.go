package prober

import (
	"context"
	"net/netip"
	"slices"

	"errno_exporter/guard"
	"errno_exporter/prober/module"
	"errno_exporter/prober/result"
)

// How every address of a name is probed.
//
//   - The first attempt resolves the name and goes on with the address that would have been chosen anyway. As soon as
//     the answer is there the others begin beside it, each by itself, with its own retries.
//   - What decides is exposed as the probe: a failure if all have to succeed, a success if one is enough.

// probeAddresses probes every address, and puts together what came of it.
func (p *Prober) probeAddresses(ctx context.Context, t Target, r *result.Result, m *module.Module) {
	var others guard.Group
	var probes []result.AddressProbe
	traceID := r.TraceID
	first := p.newAttempt(ctx, t, m, traceID)
	chosen := -1
	first.found = func(h *hop) {
		answers, lookup := h.Answers, h.Lookup // the policy removes some of the hop's while the others read them
		for i, addr := range distinct(h.Answers, h.Addr.Addr()) {
			probes = append(probes, result.AddressProbe{Addr: addr})
			if addr == h.Addr.Addr() {
				chosen = i
				first.addr, first.answers, first.lookup = addr, h.Answers, h.Lookup // for its retries
			}
		}
		for i := range probes {
			if i == chosen {
				continue
			}
			others.Go(func() {
				a := p.newAttempt(ctx, t, m, traceID)
				a.addr, a.answers, a.lookup = probes[i].Addr, answers, lookup
				probes[i].Attempts = p.attempts(a)
				probes[i].Failure = probes[i].Last().Failure
			})
		}
	}
	r.Attempts = p.attempts(first)
	r.Failure = r.Last().Failure
	others.Wait()
	if chosen < 0 {
		return // the name was not resolved
	}
	probes[chosen].Attempts, probes[chosen].Failure = r.Attempts, r.Failure
	r.Addresses = slices.DeleteFunc(slices.Clone(probes),
		func(p result.AddressProbe) bool { return result.DeniedBy(p.Failure) != nil })
	if decisive := decide(probes, chosen, m); decisive != chosen {
		r.Attempts, r.Failure = probes[decisive].Attempts, probes[decisive].Failure
	}
}

// distinct are the first addresses of an answer, each once, the chosen one among them.
func distinct(answers []netip.Addr, chosen netip.Addr) []netip.Addr {
	var all []netip.Addr
	seen := map[netip.Addr]bool{}
	for _, addr := range answers {
		if !seen[addr] && len(all) < module.MaxAddresses {
			seen[addr] = true
			all = append(all, addr)
		}
	}
	if !slices.Contains(all, chosen) {
		all[len(all)-1] = chosen
	}
	return all
}

// decide is the address whose fate is the probe's: the chosen one, unless another one failed, or succeeded where one is
// enough.
func decide(probes []result.AddressProbe, chosen int, m *module.Module) int {
	if (probes[chosen].Failure == nil) == m.AnyAddress {
		return chosen
	}
	for i := range probes {
		if (probes[i].Failure == nil) == m.AnyAddress {
			return i
		}
	}
	return chosen
}
