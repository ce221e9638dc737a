package prober

import (
	"math"
	"slices"
	"time"
)

// When the request left, and when it was acknowledged, by the kernel: what asks for the stamps and what reads them is
// in stamps_linux.go.

// asks tells that a small request is about to be written: when it is acknowledged is asked for and, unless this probe
// is alone, when it leaves.
func (r *recorder) asks(alone bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.stamps == nil || r.stampBase >= 0 {
		return
	}
	r.stampBase = r.written
	stampRequest(r.raw, alone)
}

// maxStamped is how many writes are stamped. A stamp that is not read counts as the socket's receive memory: a peer that
// makes us answer often, as a flood of PINGs does, would have them close the receive window.
const maxStamped = 32

// limitStamps ends the stamping after so many writes. The caller holds mu.
func (r *recorder) limitStamps() {
	if r.stamps == nil || r.stampBase < 0 || r.stampings > maxStamped {
		return
	}
	if r.stampings++; r.stampings > maxStamped {
		stopStamping(r.raw)
		r.acks = r.stamps.readQueue(r.acks, math.MaxInt32)
	}
}

// sent is how many bytes have been written by now, of all exchanges.
func (r *recorder) sent() int64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.written
}

// left is when the request left, whose last byte is the one before upTo; 0 where the kernel did not tell.
func (r *recorder) left(upTo int64) time.Duration { return r.stamped(upTo, true) }

// acknowledge notes when the request was acknowledged, which left at a time.
func (r *recorder) acknowledge(upTo int64, left time.Duration) {
	if at := r.stamped(upTo, false); at > 0 {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.wire.Acknowledged = max(1, at-left)
	}
}

// stamped is when the kernel sent the byte before upTo, or took in its acknowledgement; 0 where it did not tell.
func (r *recorder) stamped(upTo int64, sent bool) time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.stamps == nil || r.stampBase < 0 || r.closed || upTo <= r.stampBase {
		return 0
	}
	last := uint32(upTo - r.stampBase - 1)
	if !acknowledges(r.acks, last, false) { // which comes after the other
		r.acks = r.stamps.readQueue(r.acks, last)
	}
	for _, ack := range r.acks {
		if ack.sent == sent && int32(ack.last-last) >= 0 && !ack.at.IsZero() {
			if now := r.now(); r.since(ack.at, now) != now.since {
				return r.since(ack.at, now)
			}
		}
	}
	return 0
}

// acknowledges reports whether one of the stamps is of a byte's sending, or of its acknowledgement.
func acknowledges(acks []acknowledgement, last uint32, sent bool) bool {
	return slices.ContainsFunc(acks, func(ack acknowledgement) bool {
		return ack.sent == sent &&
			int32(ack.last-last) >= 0
	})
}

// acknowledgement is that of a byte and all before it.
type acknowledgement struct {
	last uint32 // its number, counted from stampRequest
	at   time.Time
	sent bool // it is no acknowledgement: the byte was sent
}

// maxAcknowledgements bounds those that are kept of a connection.
const maxAcknowledgements = 64
