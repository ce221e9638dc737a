package prober

import (
	"context"
	"net/netip"
	"time"

	"errno_exporter/prober/result"
	"errno_exporter/prober/socket"
)

// With which TTL a host answers our SYNs, without a capture: the largest minimum TTL with which an answer still
// arrives.

// The bounds of a measurement.
const (
	maxSYNs       = 8 // for one TTL
	minKnock      = 300 * time.Millisecond
	maxKnock      = time.Second // then the SYN is repeated
	maxHopsBehind = 31          // routers between: longer paths are not measured
)

// measurement is one run of the experiment.
type measurement struct {
	p       *Prober
	ctx     context.Context
	s       *subject
	counted bool // the kernel reports what it drops for its TTL
	left    int  // SYNs that may still be sent to find a TTL
}

func (p *Prober) newMeasurement(ctx context.Context, s *subject) *measurement {
	m := &measurement{p: p, ctx: ctx, s: s}
	_, m.counted = socket.DroppedByTTL()
	return m
}

func (m *measurement) path() pathTo { return pathTo{m.s.addr(), m.s.module.SourceIP} }

func (m *measurement) drops() uint64 {
	n, _ := socket.DroppedByTTL()
	return n
}

// serverTTL is the TTL of the segments that answer our SYN; 0 if it cannot be measured. One that is remembered is
// checked.
func (m *measurement) serverTTL() uint8 {
	m.left = maxSYNs
	addr, distances := m.s.addr(), m.p.options.Distances
	if ttl := distances.at(m.path(), time.Now()); ttl != 0 {
		m.left--
		if m.send(syn{to: addr, minTTL: ttl}) == synAck && m.above(addr, ttl) {
			return ttl
		}
	}
	ttl := m.bisect(addr, synAck)
	if ttl != 0 {
		distances.note(m.path(), ttl, time.Now())
	}
	return ttl
}

// largest is the TTL of what answers our SYN in one way; 0 if it cannot be measured.
func (m *measurement) largest(to netip.AddrPort, answer heard) uint8 {
	m.left = maxSYNs
	return m.bisect(to, answer)
}

// plausible are the TTLs with which segments arrive that were sent with an initial one and passed a few routers, in
// ascending order.
func plausible() []uint8 {
	var ttls []uint8
	for _, initial := range []int{64, 128, 255} {
		for ttl := initial - maxHopsBehind; ttl <= initial; ttl++ {
			ttls = append(ttls, uint8(ttl))
		}
	}
	return ttls
}

// bisect finds the largest minimum TTL with which the answer arrives. A segment that was lost is not taken for one that
// was dropped: the kernel counts those. Where it does not, the result is checked by the next larger minimum.
func (m *measurement) bisect(to netip.AddrPort, answer heard) uint8 {
	ttls := plausible()
	low, high := -1, len(ttls)
	for high-low > 1 {
		if m.left == 0 || m.ctx.Err() != nil {
			return 0
		}
		m.left--
		middle := (low + high) / 2
		switch m.send(syn{to: to, minTTL: ttls[middle]}) {
		case answer:
			low = middle
		case dropped:
			high = middle
		case silent: // lost, or late: again
		default:
			return 0
		}
	}
	if low < 0 {
		return 0
	}
	next := high < len(ttls) && ttls[high] == ttls[low]+1
	if m.counted && next || m.above(to, ttls[low]) {
		return ttls[low]
	}
	return 0
}

// above reports whether what arrives has no larger TTL.
func (m *measurement) above(to netip.AddrPort, ttl uint8) bool {
	if ttl == 255 {
		return true
	}
	for ; m.left > 0; m.left-- {
		if answer := m.send(syn{to: to, minTTL: ttl + 1}); answer != silent {
			m.left--
			return answer == dropped
		}
	}
	return false
}

// syn is a SYN, and which answers to it are let through.
type syn struct {
	to     netip.AddrPort
	minTTL uint8 // 0 for none
}

// heard is what becomes of a SYN.
type heard int

const (
	impossible heard = iota // it was not sent, or answered by something else
	synAck
	rst
	dropped // what answered had less than the minimum TTL
	silent
)

// send sends a SYN. Where the kernel does not count what it drops, silence under a minimum TTL is taken for that.
func (m *measurement) send(sent syn) heard {
	knock := minKnock
	if connect, ok := m.s.result.Last().LastHop().Span(result.Connect); ok {
		knock = min(max(knock, 2*connect.Duration+minKnock/2), maxKnock)
	}
	ctx, cancel := context.WithTimeout(m.ctx, knock)
	defer cancel()
	a := m.p.newAttempt(ctx, Target{}, m.s.module, "")
	a.minTTL = minTTL{from: result.Connect, ttl: sent.minTTL}
	drops := m.drops()
	conn, wire, err := a.connect(sent.to)
	switch {
	case err == nil:
		_ = conn.Close() // it has done its work
		return synAck
	case refusedByRST(wire, err):
		return rst
	case m.ctx.Err() != nil || wire.ICMP != nil || ctx.Err() == nil:
		return impossible
	case sent.minTTL > 0 && (!m.counted || m.drops() > drops):
		return dropped
	}
	return silent
}

// arrivalOver is over which interface an answer comes.
type arrivalOver int

const (
	overUnknown arrivalOver = iota
	overNetwork
	overLoopback // what this host sends to itself
)

// The bounds of telling them apart.
const (
	loopbackTries = 3
	quietAtLeast  = 20 * time.Millisecond
)

// over says over which interface an answer comes that a function waits for; the function reports false if there was
// none. If the loopback interface receives nothing meanwhile, the answer came over the network. If it receives
// something each time, and nothing in pauses in between that are as long, it was the answer.
func (m *measurement) over(answered func() bool) arrivalOver {
	quiet := true
	for range loopbackTries {
		before, known := socket.LoopbackReceived()
		began := time.Now()
		if !known || !answered() {
			return overUnknown
		}
		after, _ := socket.LoopbackReceived()
		if after == before {
			return overNetwork
		}
		select {
		case <-m.ctx.Done():
			return overUnknown
		case <-time.After(max(time.Since(began), quietAtLeast)):
		}
		later, _ := socket.LoopbackReceived()
		quiet = quiet && later == after
	}
	if quiet {
		return overLoopback
	}
	return overUnknown
}
