package socket

import (
	"math"
	"slices"
	"syscall"
	"time"
)

// When the kernel sent the request, and when it received the acknowledgement: the system calls that request these
// timestamps and read them are in timestamps_linux.go.

// StampAcknowledgement makes the kernel timestamp the acknowledgement of a small request that is about to be written.
func (r *Recorder) StampAcknowledgement() { r.stampFromHere(stampAcknowledgement) }

// StampRequest makes the kernel timestamp the sending of a small request, too.
func (r *Recorder) StampRequest() { r.stampFromHere(stampRequest) }

// stampFromHere requests timestamps of what is written from here on, unless that was done before.
func (r *Recorder) stampFromHere(request func(syscall.RawConn)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.stamps == nil || r.requested {
		return
	}
	if r.requested = true; r.stampBase < 0 {
		r.stampBase = r.written // else the kernel goes on counting from there
	}
	request(r.raw)
}

// StopStamping ends the timestamps of what is written: a large request would fill the error queue with them.
func (r *Recorder) StopStamping() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.stamps != nil && r.stampBase >= 0 && !r.requested {
		r.requested = true
		stopStamping(r.raw)
	}
}

// maxStamped is how many writes are timestamped. A timestamp that is not read counts as the socket's receive memory: a
// peer that makes us answer often, as a flood of PINGs does, would have them close the receive window.
const maxStamped = 32

// limitStamps ends the timestamping after maxStamped writes. The caller holds mu.
func (r *Recorder) limitStamps() {
	if r.stamps == nil || r.stampBase < 0 || r.stampings > maxStamped {
		return
	}
	if r.stampings++; r.stampings > maxStamped {
		stopStamping(r.raw)
		r.acks = r.stamps.readQueue(r.acks, math.MaxInt32)
	}
}

// SentAt is when the request was sent, whose last byte is the one before upTo; 0 where the kernel did not report it.
func (r *Recorder) SentAt(upTo int64) time.Duration { return r.stampedAt(upTo, sent) }

// SetAcknowledged records when the request was acknowledged, which was sent at a time.
func (r *Recorder) SetAcknowledged(upTo int64, sentAt time.Duration) {
	if at := r.stampedAt(upTo, acknowledged); at > 0 {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.wire.Acknowledged = max(1, at-sentAt)
	}
}

// stampedAt is when the kernel sent the byte before upTo, or received its acknowledgement; 0 where it did not report
// that.
func (r *Recorder) stampedAt(upTo int64, kind stampKind) time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.stamps == nil || r.stampBase < 0 || r.closed || upTo <= r.stampBase {
		return 0
	}
	last := uint32(upTo - r.stampBase - 1)
	if !hasAcknowledgement(r.acks, last) { // which comes after the other kind
		r.acks = r.stamps.readQueue(r.acks, last)
	}
	at, _ := r.stampOf(last, kind)
	return at
}

// stampOf is when what a timestamp of a byte is of happened, by those that were read; it is false where there is none.
// The caller holds mu.
func (r *Recorder) stampOf(last uint32, kind stampKind) (time.Duration, bool) {
	for _, s := range r.acks {
		if s.of(kind, last) && !s.at.IsZero() {
			if now := r.now(); r.since(s.at, now) != now.since {
				return r.since(s.at, now), true
			}
		}
	}
	return 0, false
}

// hasAcknowledgement reports whether one of the timestamps is of the acknowledgement of a byte.
func hasAcknowledgement(stamps []stamp, last uint32) bool {
	return slices.ContainsFunc(stamps, func(s stamp) bool { return s.of(acknowledged, last) })
}

// stamp is a timestamp of a byte and all before it.
type stamp struct {
	last uint32 // the byte's number, counted from stampFromHere
	at   time.Time
	kind stampKind
}

// of reports whether a timestamp is of one kind, and of a byte or one after it.
func (s stamp) of(kind stampKind, last uint32) bool {
	return s.kind == kind && int32(s.last-last) >= 0
}

// stampKind is what happened at the time of a stamp.
type stampKind uint8

const (
	acknowledged stampKind = iota
	sent
)

// maxStamps bounds those that are kept of a connection.
const maxStamps = 64
