package prober

import (
	"context"
	"net/netip"
	"syscall"

	"errno_exporter/prober/classify"
	"errno_exporter/prober/module"
	"errno_exporter/prober/result"
)

// Experiments that send SYNs alone: where they end, and what the same host does with a port that is closed.

// tracePath sends SYNs that live for 1, 2, … hops to the address that failed, until one arrives or the path is silent.
// They leave as the probe's packets do: from the module's source address, and only to where the policy allows.
func (p *Prober) tracePath(ctx context.Context, s *subject) []result.PathHop {
	addr := s.addr()
	if forbidden(&s.target, addr.Addr()) {
		return nil
	}
	var hops []result.PathHop
	silent := 0
	for ttl := 1; ttl <= maxTrace && silent < maxSilentTraces && ctx.Err() == nil; ttl++ {
		hop := p.traceHop(ctx, addr, s.module, ttl)
		hops = append(hops, hop)
		if hop.Reached {
			break
		}
		if silent++; hop.From.IsValid() {
			silent = 0
		}
	}
	return hops
}

// forbidden reports whether the policy denies the target an address.
func forbidden(t *Target, addr netip.Addr) bool {
	if t.Policy == nil || t.Configured {
		return false
	}
	_, denied := t.Policy.Denies(addr)
	return denied
}

// knock sends one SYN to a port of the same host that should be closed: who refuses it, and whether the host is there
// at all.
func (p *Prober) knock(ctx context.Context, s *subject) result.Experiment {
	addr := netip.AddrPortFrom(s.addr().Addr(), closedPort)
	c := result.Experiment{Kind: result.ClosedPort}
	if forbidden(&s.target, addr.Addr()) {
		c.Failure = &result.Failure{Phase: result.Connect, Reason: result.LocalDenied, Origin: result.Self}
		return c
	}
	patient := ctx
	ctx, cancel := context.WithTimeout(ctx, knockPatience)
	defer cancel()
	a := p.newAttempt(ctx, Target{}, s.module, "")
	conn, wire, err := a.connect(addr)
	if err == nil {
		_ = conn.Close() // it has done its work
		return c
	}
	f := classify.Failure(dialEvidence(wire, err, a.ending(err)))
	f.Phase, c.Failure = result.Connect, &f
	if resets := p.options.Resets; resets != nil && f.Reason == result.TCPRefused {
		if reset := resets.Refused(addr, a.start); reset != nil {
			c.TTL = reset.TTL
		}
	}
	if s.refusalTTL != 0 && refusedByRST(wire, err) {
		c.Than = p.newMeasurement(patient, s).beside(addr, s.refusalTTL)
	}
	return c
}

// beside compares the TTL of the RSTs from an address with a known one, by three SYNs at most. A larger one may be of
// another initial value.
func (m *measurement) beside(addr netip.AddrPort, ttl uint8) result.Than {
	refuses := func(minimum uint8) bool { return m.send(syn{to: addr, minTTL: minimum}) == rst }
	least := map[uint8]uint8{64: 1, 128: 65, 255: 129}[result.InitialTTL(ttl)]
	switch {
	case ttl < 255 && refuses(ttl+1):
		return result.Nearer
	case refuses(ttl):
		return result.Alike
	case refuses(least):
		return result.Farther
	}
	return ""
}

// refusedByRST reports whether a connect failed by a RST, not by ICMP.
func refusedByRST(wire *result.Wire, err error) bool {
	errno, _ := classify.Errno(err)
	return errno == syscall.ECONNREFUSED && wire.ICMP == nil
}

// traceHop sends one SYN with a TTL.
func (p *Prober) traceHop(ctx context.Context, addr netip.AddrPort, m *module.Module, ttl int) result.PathHop {
	ctx, cancel := context.WithTimeout(ctx, tracePatience)
	defer cancel()
	a := p.newAttempt(ctx, Target{}, m, "")
	a.ttl = ttl
	conn, wire, err := a.connect(addr)
	switch {
	case err == nil:
		_ = conn.Close() // it has done its work
		return result.PathHop{From: addr.Addr(), Reached: true}
	case wire.ICMP != nil:
		return result.PathHop{From: wire.ICMP.From, Reached: wire.ICMP.From == addr.Addr()}
	}
	if errno, _ := classify.Errno(err); errno == syscall.ECONNREFUSED || errno == syscall.ECONNRESET {
		return result.PathHop{From: addr.Addr(), Reached: true} // it answered with a RST
	}
	return result.PathHop{} // silence, or an error of our own such as a source address that this host does not have
}
