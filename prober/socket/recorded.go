package socket

import (
	"errors"
	"net/netip"
	"time"

	"errno_exporter/prober/flood"
	"errno_exporter/prober/result"
)

// What a recorder has recorded, and what is added to it. All of it may be called while the connection is in use.

// Start is the time since which times are recorded.
func (r *Recorder) Start() time.Time { return r.start }

// Floods bounds what the peer sends on this connection without bringing the response forward.
func (r *Recorder) Floods() *flood.Guard { return r.floods }

// Stamped reports whether reads have the kernel's timestamps.
func (r *Recorder) Stamped() bool { return r.stamps != nil }

// Wire returns what the socket saw so far, as a value that no longer changes.
func (r *Recorder) Wire() *result.Wire {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.wire.Clone()
}

// Addresses are the connection's two ends.
func (r *Recorder) Addresses() (local, remote netip.AddrPort) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.wire.Local, r.wire.Remote
}

// Established returns when the connection was established, and when connect() was called; that is 0 where the kernel
// did not measure the handshake.
func (r *Recorder) Established() (at, called time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.wire.Established, r.wire.Began
}

// Times returns the end of the last read that brought bytes, and when the last bytes written were accepted. A write in
// progress whose answer was read was accepted, and only waits for a CPU to read the clock.
func (r *Recorder) Times() (lastRead, accepted time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.writing != 0 {
		return r.lastRead, r.writing
	}
	return r.lastRead, r.accepted
}

// Doubts are by how much at most the Times may be wrong: the read's be too late, because something that arrived later
// has its time, and the write's be too early or too late, because this goroutine waited for a CPU beside the call.
func (r *Recorder) Doubts() (lastRead, accepted time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.writing != 0 {
		return r.readDoubt, max(0, r.lastRead-r.writing)
	}
	return r.readDoubt, r.sentDoubt
}

// BeginRequest has FirstWrite and Writes begin with what is written from here on.
func (r *Recorder) BeginRequest() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.firstSent, r.writes = 0, 0
}

// FirstWrite is when the first bytes were sent, and how many writes have succeeded since.
func (r *Recorder) FirstWrite() (began time.Duration, writes int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.firstSent, r.writes
}

// WatchedBy has a lookout note when something arrives.
func (r *Recorder) WatchedBy(l *Lookout) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.stamps != nil {
		r.lookout = l
		r.stamps.watch(l, r.start.Add(r.wire.Established))
	}
}

// Written is how many bytes have been written so far, of all exchanges.
func (r *Recorder) Written() int64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.written
}

// Closed reports whether the connection was closed.
func (r *Recorder) Closed() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.closed
}

// InterruptedAt is when our own deadline or cancel struck; 0 if it did not.
func (r *Recorder) InterruptedAt() time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.endedAt
}

// EndedAt is when the exchange ended: at the first error that was not our doing, else when our own deadline struck,
// else now.
func (r *Recorder) EndedAt() time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	if cause := r.wire.Cause; cause != nil && (r.endedAt == 0 || cause.End <= r.endedAt) {
		return cause.End
	}
	if r.endedAt != 0 {
		return r.endedAt
	}
	return time.Since(r.start)
}

// ReadTCPInfo reads TCP_INFO at the end of an exchange, before the close changes it.
func (r *Recorder) ReadTCPInfo() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.snapshot("close")
}

// SetMinTTL has segments dropped that arrive from now on with less than a TTL. An error says that they are not. Closing
// aborts the connection then.
func (r *Recorder) SetMinTTL(ttl uint8) error {
	if r.raw == nil {
		return errors.ErrUnsupported
	}
	network := "tcp4"
	if r.wire.Remote.Addr().Is6() {
		network = "tcp6"
	}
	var refused error
	if err := r.raw.Control(func(fd uintptr) { refused = setMinTTLAndAbort(int(fd), network, ttl) }); err != nil {
		return err
	}
	return refused
}

// OwnTTL is the TTL (hop limit) of the segments that are sent.
func (r *Recorder) OwnTTL() (ttl int, err error) {
	if r.raw == nil {
		return 0, errors.ErrUnsupported
	}
	refused := r.raw.Control(func(fd uintptr) { ttl, err = ownTTL(int(fd), r.wire.Remote.Addr()) })
	return ttl, errors.Join(refused, err)
}

// SetReset adds who sent the RST that ended the connection.
func (r *Recorder) SetReset(reset *result.Reset) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.wire.Reset = reset
}
