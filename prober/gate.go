package prober

import (
	"bufio"
	"context"
	"net"
	"time"

	"errno_exporter/prober/socket"
)

// A gate on computing. A handshake computes for the better part of a millisecond; a hundred of them at once keep each
// other, and everybody who only waits to look at the clock, from the CPUs for a tenth of a second. So no more of them
// compute at a time than there are CPUs. What is gated is computing and not waiting: the slot is given back while the
// peer's answer is awaited. Time that is spent waiting for a slot counts in no phase.

// gate is a connection under a handshake.
type gate struct {
	net.Conn
	// of the connection: TLS would read a flight in pieces of half a kilobyte; nil when the handshake is over
	ahead   *bufio.Reader
	ctx     context.Context
	lookout *socket.Lookout
	slots   chan struct{} // nil when the handshake is over
	holds   bool          // one of them
	queued  time.Duration // waited for the first turn, before anything was sent
	waited  time.Duration // for all
}

// newGate is the gate of a handshake over a connection.
func (h *hop) newGate(over net.Conn) *gate {
	p := h.attempt.prober
	ahead := p.flights.Get().(*bufio.Reader)
	ahead.Reset(over)
	return &gate{Conn: over, ahead: ahead, ctx: h.attempt.ctx, lookout: p.lookout, slots: p.computing}
}

// over ends the gate with the handshake, however that ended. What had been read ahead stays to be read.
func (p *Prober) over(g *gate) {
	if g.holds {
		g.leave()
	}
	g.slots = nil
	if g.ahead.Buffered() == 0 {
		g.ahead.Reset(nil)
		p.flights.Put(g.ahead)
		g.ahead = nil
	}
}

// flightSize is in bytes what a server sends at once in a handshake, with two certificates of RSA.
const flightSize = 4 << 10

// enter waits for a slot.
func (g *gate) enter() error {
	g.lookout.Look()
	select {
	case g.slots <- struct{}{}:
		g.holds = true
		return nil
	default:
	}
	began := time.Now()
	defer func() { g.waited += time.Since(began) }()
	select {
	case g.slots <- struct{}{}:
		g.holds = true
		return nil
	case <-g.ctx.Done():
		return g.ctx.Err()
	}
}

func (g *gate) leave() {
	g.holds = false
	<-g.slots
	g.lookout.Look()
}

// pause waits for a time without a slot.
func (g *gate) pause(d time.Duration) error {
	g.leave()
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-g.ctx.Done():
	}
	if ended := g.enter(); ended != nil {
		g.slots = make(chan struct{}, 1) // as in Read
		_ = g.enter()                    // there is room
		return ended
	}
	return nil
}

// Read waits for the peer without a slot.
func (g *gate) Read(p []byte) (int, error) {
	if g.ahead == nil {
		return g.Conn.Read(p)
	}
	if g.slots == nil || g.ahead.Buffered() > 0 {
		return g.ahead.Read(p)
	}
	g.leave()
	n, err := g.ahead.Read(p)
	if ended := g.enter(); ended != nil {
		g.slots = make(chan struct{}, 1) // what is left to compute is an alert: nobody has to wait for that
		_ = g.enter()                    // there is room
		return n, ended
	}
	return n, err
}
