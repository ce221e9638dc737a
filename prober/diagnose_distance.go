package prober

import (
	"context"
	"net/netip"
	"sync"
	"time"

	"errno_exporter/prober/result"
	"errno_exporter/prober/socket"
)

// Who sends the resets and refusals, without a capture and its privilege: a socket's minimum TTL (Linux).
//
//   - The TTL of the server's own segments is the largest minimum with which a connection still comes about. It is
//     found by bisection (diagnose_ttl.go).
//   - Then the failing attempt is repeated with a minimum one above it, from the moment at which the server has nothing
//     left to say. A RST that still arrives has a larger TTL than the server's segments: its sender is nearer. One that
//     arrives with exactly the server's TTL as the minimum comes from as far away as the server.
//   - Where the RST's TTL belongs to another initial value than the server's (64, 128, 255), or is smaller, the two
//     cannot be compared: a stack may send its own RSTs with another one than its sockets' segments.
//   - A RST with an initial value has passed no router: the first router sent it, or this host, whose own arrive over
//     the loopback interface. That one's counter of packets tells.
//   - Of a server that refuses, only the RST's TTL can be measured. It is compared with the server's as an earlier
//     experiment found it, and with that of a closed port of the same host (diagnose_path.go).

// The bounds of the measurement's waits. A filtered RST shows as silence; our request is retransmitted meanwhile, and
// is answered by another RST.
const (
	minSilence         = 800 * time.Millisecond
	maxSilence         = 3 * time.Second
	longestMeasurement = 20 * time.Second
)

// measurable reports whether the experiment can tell who sent the RST by which an attempt ended: a steady one in answer
// to what we send, of which the capture does not know the sender.
func measurable(f *result.Failure, a *result.Attempt) bool {
	hop := a.LastHop()
	sent := f.Phase == result.TLS || f.Phase == result.Request || f.Phase == result.Processing
	if !socket.FiltersTTL || len(a.Hops) != 1 || hop.Wire == nil || hop.Wire.Reset != nil ||
		socket.IsLocal(hop.Addr.Addr()) {
		return false
	}
	return f.Reason == result.TCPReset && sent ||
		f.Reason == result.TCPRefused && f.Phase == result.Connect && hop.Wire.ICMP == nil
}

// distance measures from how far away the RST comes that ends the attempt.
func (p *Prober) distance(ctx context.Context, s *subject) result.Experiment {
	c := result.Experiment{Kind: result.ResetDistance}
	if forbidden(&s.target, s.addr().Addr()) {
		return c
	}
	m := p.newMeasurement(ctx, s)
	if s.result.Failure.Reason == result.TCPRefused {
		m.refuser(&c)
		return c
	}
	if c.TTL = m.serverTTL(); c.TTL != 0 {
		c.Sender = m.resetter(c.TTL)
	}
	return c
}

// resetter is who sends the resets, by a server's TTL; empty if it does not show.
func (m *measurement) resetter(ttl uint8) result.Sender {
	above := unknown
	if ttl < 255 {
		above = m.repeated(ttl + 1)
	}
	switch {
	case above == arrives:
		return m.nearer(ttl)
	case ttl < 255 && above != filtered:
		return ""
	}
	switch m.repeated(ttl) {
	case arrives:
		connects := func() bool { return m.send(syn{to: m.s.addr()}) == synAck }
		if ttl == result.InitialTTL(ttl) && m.over(connects) != overNetwork {
			return result.Ambiguous // no router between: the server, or a redirection of this host to itself
		}
		return result.EndHost
	case filtered:
		return result.Ambiguous
	}
	return ""
}

// nearer is who sends resets with a larger TTL than the server's.
func (m *measurement) nearer(ttl uint8) result.Sender {
	initial := result.InitialTTL(ttl)
	if initial < 255 && m.repeated(initial+1) != filtered {
		return result.Ambiguous
	}
	switch m.repeated(initial) {
	case filtered:
		return result.Middlebox
	case unknown:
		return result.Ambiguous
	}
	switch m.over(func() bool { return m.repeated(0) == arrives }) {
	case overNetwork:
		return result.Middlebox
	case overLoopback:
		return result.ThisHost
	}
	return result.Ambiguous
}

// refuser measures the TTL of the RST that answers the SYN, and says who sends it.
func (m *measurement) refuser(c *result.Experiment) {
	addr := m.s.addr()
	if c.RSTTTL = m.largest(addr, rst); c.RSTTTL == 0 {
		return
	}
	c.Sender = result.Ambiguous
	if c.RSTTTL == result.InitialTTL(c.RSTTTL) {
		switch m.over(func() bool { return m.send(syn{to: addr}) == rst }) {
		case overLoopback:
			c.Sender = result.ThisHost
			return
		case overUnknown:
			return
		}
	}
	m.s.refusalTTL = c.RSTTTL
	c.TTL = m.p.options.Distances.at(m.path(), time.Now())
	switch {
	case c.TTL == 0 || result.InitialTTL(c.TTL) != result.InitialTTL(c.RSTTTL):
	case c.RSTTTL > c.TTL:
		c.Sender = result.Middlebox
	case c.RSTTTL == c.TTL:
		c.Sender = result.EndHost
	}
}

// arrival is what becomes of a RST under a minimum TTL.
type arrival int

const (
	unknown  arrival = iota // the attempt became something else
	arrives                 // it ends the attempt
	filtered                // nothing arrives
)

// repeated repeats the attempt with a minimum TTL; 0 is none.
func (m *measurement) repeated(ttl uint8) arrival {
	s, last := m.s, m.s.result.Last()
	within, cancel := context.WithTimeout(m.ctx, min(max(3*last.Elapsed, minSilence), maxSilence, s.result.Timeout))
	defer cancel()
	a := m.p.newAttempt(within, s.target, s.module, "")
	a.answers, a.lookup = last.Hops[0].Answers, last.Hops[0].Lookup
	a.addr = s.addr().Addr()
	a.minTTL = minTTL{from: result.Request, ttl: ttl}
	if s.result.Failure.Phase == result.TLS {
		a.minTTL.from = result.TLS
	}
	drops := m.drops()
	a.run()
	f := a.record.Failure
	switch {
	case m.ctx.Err() != nil || a.minTTL.err != nil || f == nil || f.Phase == result.Connect || f.Phase == result.Resolve:
		return unknown
	case f.Reason == result.TCPReset:
		return arrives
	case f.Reason == result.TCPAborted || f.Reason == result.TLSTimedOut || f.Reason == result.HTTPResponseTimedOut:
		if ttl > 0 && m.counted && m.drops() == drops {
			return unknown // nothing came that could have been dropped
		}
		return filtered
	}
	return unknown
}

// The bounds of Distances. A path may change: what is older is measured again.
const (
	maxDistances = 1024
	distanceAge  = time.Hour
)

// Distances remembers the TTLs with which the segments of servers arrive, between experiments. It belongs to whoever
// owns the Prober, and may be used by many goroutines. A nil one remembers nothing.
type Distances struct {
	mu    sync.Mutex // guards what follows
	known map[pathTo]distance
}

// pathTo is what a server's TTL depends on.
type pathTo struct {
	server netip.AddrPort
	source netip.Addr // the zero one is the kernel's choice
}

type distance struct {
	ttl        uint8
	measuredAt time.Time
}

// NewDistances returns an empty one.
func NewDistances() *Distances { return &Distances{known: map[pathTo]distance{}} }

// at is the TTL of a server as it is known at a time; 0 for none.
func (d *Distances) at(to pathTo, now time.Time) uint8 {
	if d == nil {
		return 0
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if known := d.known[to]; now.Sub(known.measuredAt) <= distanceAge {
		return known.ttl
	}
	delete(d.known, to)
	return 0
}

// note remembers a measured TTL, in the place of the oldest one if there are too many.
func (d *Distances) note(to pathTo, ttl uint8, now time.Time) {
	if d == nil {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if _, known := d.known[to]; !known && len(d.known) >= maxDistances {
		var oldest pathTo
		for other, known := range d.known {
			if at := d.known[oldest].measuredAt; at.IsZero() || known.measuredAt.Before(at) {
				oldest = other
			}
		}
		delete(d.known, oldest)
	}
	d.known[to] = distance{ttl, now}
}
