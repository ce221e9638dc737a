package prober

import (
	"context"
	"time"

	"errno_exporter/prober/result"
	"errno_exporter/prober/socket"
)

// Who sends the resets, without a capture and its privilege: a socket's minimum TTL (Linux).
//
//   - The TTL of the server's own segments is the largest minimum with which a connection still comes about. It is
//     found by bisection.
//   - Then the failing attempt is repeated with a minimum one above it, from the moment at which the server has nothing
//     left to say. A RST that still arrives has a larger TTL than the server's segments: its sender is nearer. One that
//     arrives with exactly the server's TTL as the minimum comes from as far away as the server.
//   - Where the RST's TTL belongs to another initial value than the server's (64, 128, 255), or is smaller, the two
//     cannot be compared: a stack may send its own RSTs with another one than its sockets' segments.

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

// The bounds of the measurement's waits. A filtered RST shows as silence; our request is retransmitted meanwhile, and
// is answered by another RST.
const (
	minKnock           = 150 * time.Millisecond
	maxKnock           = time.Second // then the SYN is repeated
	minSilence         = 800 * time.Millisecond
	maxSilence         = 3 * time.Second
	longestMeasurement = 20 * time.Second
)

// measurable reports whether the experiment can tell who sent the RST by which an attempt ended: a steady one in answer
// to what we send, of which the capture does not know the sender.
func measurable(f *result.Failure, a *result.Attempt) bool {
	hop := a.LastHop()
	sent := f.Phase == result.TLS || f.Phase == result.Request || f.Phase == result.Processing
	return socket.FiltersTTL && f.Reason == result.TCPReset && sent && len(a.Hops) == 1 && hop.Wire != nil &&
		hop.Wire.Reset == nil && !socket.IsLocal(hop.Addr.Addr())
}

// distance measures from how far away the RST comes that ends the attempt.
func (p *Prober) distance(ctx context.Context, s *subject) result.Experiment {
	c := result.Experiment{Kind: result.ResetDistance}
	if forbidden(&s.target, s.addr().Addr()) {
		return c
	}
	ttl := p.serverTTL(ctx, s)
	if ttl == 0 {
		return c
	}
	c.TTL = ttl
	switch p.repeated(ctx, s, ttl+1) {
	case arrives:
		c.Sender = result.Ambiguous
		if initial := result.InitialTTL(ttl); initial < 255 && p.repeated(ctx, s, initial+1) == filtered {
			c.Sender = result.Middlebox
		}
	case filtered:
		switch p.repeated(ctx, s, ttl) {
		case arrives:
			c.Sender = result.EndHost
		case filtered:
			c.Sender = result.Ambiguous
		}
	}
	return c
}

// serverTTL is the TTL of the segments that answer our SYN: the largest minimum that a connection comes about with; 0
// if it cannot be measured. That a lost SYN-ACK is taken for a filtered one shows when the next larger minimum works.
func (p *Prober) serverTTL(ctx context.Context, s *subject) uint8 {
	knock := minKnock
	if connect, ok := s.result.Last().LastHop().Span(result.Connect); ok {
		knock = min(max(knock, 2*connect.Duration+minKnock/2), maxKnock)
	}
	works := func(ttl int) bool {
		ctx, cancel := context.WithTimeout(ctx, knock)
		defer cancel()
		a := p.newAttempt(ctx, Target{}, s.module, "")
		a.minTTL = minTTL{from: result.Connect, ttl: uint8(ttl)}
		conn, _, err := a.connect(s.addr())
		if err == nil {
			_ = conn.Close() // it has done its work
		}
		return err == nil
	}
	low, high := 1, 255
	for low < high && ctx.Err() == nil {
		if middle := (low + high + 1) / 2; works(middle) {
			low = middle
		} else {
			high = middle - 1
		}
	}
	if ctx.Err() != nil || low == 1 || low == 255 || works(low+1) || !works(low) {
		return 0
	}
	return uint8(low)
}

// arrival is what becomes of a RST under a minimum TTL.
type arrival int

const (
	unknown  arrival = iota // the attempt became something else
	arrives                 // it ends the attempt
	filtered                // nothing arrives
)

// repeated repeats the attempt with a minimum TTL.
func (p *Prober) repeated(ctx context.Context, s *subject, ttl uint8) arrival {
	last := s.result.Last()
	within, cancel := context.WithTimeout(ctx, min(max(3*last.Elapsed, minSilence), maxSilence, s.result.Timeout))
	defer cancel()
	a := p.newAttempt(within, s.target, s.module, "")
	a.answers, a.lookup = last.Hops[0].Answers, last.Hops[0].Lookup
	a.addr = s.addr().Addr()
	a.minTTL = minTTL{from: result.Request, ttl: ttl}
	if s.result.Failure.Phase == result.TLS {
		a.minTTL.from = result.TLS
	}
	a.run()
	f := a.record.Failure
	switch {
	case ctx.Err() != nil || a.minTTL.err != nil || f == nil || f.Phase == result.Connect || f.Phase == result.Resolve:
		return unknown
	case f.Reason == result.TCPReset:
		return arrives
	case f.Reason == result.TCPAborted || f.Reason == result.TLSTimedOut || f.Reason == result.HTTPResponseTimedOut:
		return filtered
	}
	return unknown
}
