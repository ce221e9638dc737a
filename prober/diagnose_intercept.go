package prober

import (
	"context"
	"net/netip"
	"slices"

	"errno_exporter/prober/classify"
	"errno_exporter/prober/result"
	"errno_exporter/prober/socket"
)

// Whether something near us answers in place of the server: a sidecar, a transparent proxy, a rule that redirects. Then
// the phase connect measures it and not the server. Both experiments count only by an accepted connection: silence,
// ICMP and a RST show nothing.
//
//   - An address that is never routed accepts: who accepts it accepts everything on this port.
//   - The target accepts a SYN with a TTL of 1, although its address is a public one and none of our own links'.
//     A network may hide its routers, so it counts only with a round trip that is too short for a way (internal/cause).

// The addresses that are never routed: of documentation (RFC 5737, RFC 3849).
var (
	neverRoutedV4 = netip.AddrFrom4([4]byte{192, 0, 2, 1})
	neverRoutedV6 = netip.AddrFrom16([16]byte{0x20, 0x01, 0x0d, 0xb8, 15: 1})
)

// neverRoutedLike is the one of an address's family.
func neverRoutedLike(addr netip.Addr) netip.Addr {
	if addr.Is4() {
		return neverRoutedV4
	}
	return neverRoutedV6
}

// sharedSpace is not public, as private networks are not (RFC 6598).
var sharedSpace = netip.PrefixFrom(netip.AddrFrom4([4]byte{100, 64, 0, 0}), 10)

// maybeIntercepted reports whether a failure may be that of something in between: the connection was accepted, by an
// address of another host.
func maybeIntercepted(f *result.Failure, addr netip.Addr) bool {
	accepted := []result.Phase{result.TLS, result.Request, result.Processing, result.Transfer}
	return (slices.Contains(accepted, f.Phase) || f.Reason == result.HTTPError) && addr.IsValid() &&
		addr != neverRoutedLike(addr) && !socket.IsLocal(addr)
}

// farAway reports whether there has to be a router before an address: it is public, and on no link of ours.
func farAway(addr netip.Addr) bool {
	return addr.IsGlobalUnicast() && !addr.IsPrivate() && !sharedSpace.Contains(addr) && !socket.IsOnLink(addr)
}

// accepted sends a SYN to a port of the target's, at the address that is never routed or, living for one hop, at its
// own.
func (p *Prober) accepted(ctx context.Context, kind result.ExperimentKind, s *subject) result.Experiment {
	addr := s.addr()
	e := result.Experiment{Kind: kind, Failure: &result.Failure{Phase: result.Connect, Reason: result.LocalDenied,
		Origin: result.Self}}
	ctx, cancel := context.WithTimeout(ctx, knockPatience)
	defer cancel()
	a := p.newAttempt(ctx, Target{}, s.module, "")
	target := s.target
	if kind == result.NeverRouted {
		addr = netip.AddrPortFrom(neverRoutedLike(addr.Addr()), addr.Port())
		target.Configured = false // the operator has not named this address
	} else {
		a.ttl = 1
	}
	if forbidden(&target, addr.Addr()) {
		return e
	}
	conn, wire, err := a.connect(addr)
	if err != nil {
		f := classify.Failure(dialEvidence(wire, err, a.ending(err)))
		f.Phase, e.Failure = result.Connect, &f
		return e
	}
	defer conn.Close() // it has done its work
	if ttl, err := conn.OwnTTL(); a.ttl > 0 && (err != nil || ttl != a.ttl) {
		return e // this system does not let us choose it
	}
	established, called := conn.Established()
	e.Failure, e.RoundTrip = nil, established-called
	return e
}
