package prober

import (
	"net/netip"
	"strings"

	"errno_exporter/prober/classify"
	"errno_exporter/prober/result"
	"errno_exporter/prober/socket"
)

// connect makes the TCP connection to the address that was resolved.
func (h *hop) connect(port uint16) error {
	began := h.attempt.elapsed()
	h.Addr = netip.AddrPortFrom(h.Addr.Addr(), port)
	conn, wire, err := h.attempt.connect(h.Addr)
	if err != nil {
		h.Wire = wire
		h.fail(result.Connect, began, classify.Failure(dialEvidence(wire, err, h.attempt.ending(err))))
		return err
	}
	h.own(conn)
	h.attempt.demand(result.TLS)
	established, called := conn.Established()
	h.done(result.Connect, max(began, called), established)
	return nil
}

// connect makes one TCP connection to one address. After a failure the Recorder is nil and the Wire holds what the
// socket knew.
func (a *attempt) connect(addr netip.AddrPort) (*socket.Recorder, *result.Wire, error) {
	return socket.Connect(a.ctx, addr, socket.Options{Start: a.start, Source: a.module.SourceIP,
		MaxSegment: a.segment, TTL: a.ttl, MinTTL: a.minTTL.atConnect(), Panicked: a.caught})
}

// families say which addresses may be dialled.
type families struct {
	preferIPv6 bool
	fallback   bool // the other family will do
}

// pick chooses the address to dial: the first of the preferred family, or with fallback the first of the other.
func (f families) pick(answers []netip.Addr) (netip.Addr, bool) {
	for _, addr := range answers {
		if addr.Is6() == f.preferIPv6 {
			return addr, true
		}
	}
	if f.fallback && len(answers) > 0 {
		return answers[0], true
	}
	return netip.Addr{}, false
}

// literal is the address that a URL's host spells out, without brackets; names are not literals.
func literal(host string) (netip.Addr, bool) {
	if !strings.Contains(host, ":") && (host == "" || host[len(host)-1] > '9') {
		return netip.Addr{}, false // a name: most end in a letter
	}
	addr, err := netip.ParseAddr(host)
	return addr.Unmap(), err == nil
}
