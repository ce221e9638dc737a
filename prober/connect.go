package prober

import (
	"net/netip"
	"time"

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
		h.failConnect(began, wire, err)
		return err
	}
	h.own(conn)
	h.attempt.demand(result.TLS)
	established, called := conn.Established()
	if called > began {
		h.doneWithin(result.Connect, called, established, 0) // its length is TCP_INFO's
	} else {
		h.done(result.Connect, began, established)
	}
	return nil
}

func (h *hop) failConnect(began time.Duration, wire *result.Wire, err error) {
	h.Wire = wire
	h.fail(result.Connect, began, classify.Failure(dialEvidence(wire, err, h.attempt.ending(err))))
}

// connect makes one TCP connection to one address. After a failure the Recorder is nil and the Wire holds what the
// socket knew.
func (a *attempt) connect(addr netip.AddrPort) (*socket.Recorder, *result.Wire, error) {
	return socket.Connect(a.ctx, addr, socket.Options{Start: a.start, Source: a.module.SourceIP,
		MaxSegment: a.segment, TTL: a.ttl, MinTTL: a.minTTL.atConnect(), Panicked: a.caught,
		Own: a.prober.options.Own})
}

// minTTL is a minimum TTL of the segments that arrive from a phase on; the zero one is none.
type minTTL struct {
	from result.Phase // Connect, TLS or Request
	ttl  uint8
	err  error // why it could not be demanded
}

func (m *minTTL) atConnect() uint8 {
	if m.from == result.Connect {
		return m.ttl
	}
	return 0
}

// demand applies the minimum TTL that begins with a phase.
func (a *attempt) demand(phase result.Phase) {
	if a.minTTL.ttl > 0 && a.minTTL.from == phase {
		a.minTTL.err = a.hop.socket.SetMinTTL(a.minTTL.ttl)
	}
}
