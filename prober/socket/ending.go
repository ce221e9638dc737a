package socket

import (
	"time"

	"errno_exporter/prober/result"
)

// How a recorder ends: by our deadline, or by the close. A write that failed before that may wait for the response.

// Interrupt ends the connection's reads and writes because our deadline struck or we were cancelled.
func (r *Recorder) Interrupt() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed || r.endedAt != 0 {
		return
	}
	r.snapshot("deadline")
	r.endedAt = time.Since(r.start)
	_ = r.Conn.SetDeadline(time.Unix(1, 0)) // fails only on a closed connection, which needs no interrupting
}

// GiveUp is Interrupt for a response that arrived before the deadline: the connection may be closed by now, and yet our
// deadline struck.
func (r *Recorder) GiveUp() {
	r.Interrupt()
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.endedAt == 0 {
		r.endedAt = time.Since(r.start)
	}
}

// HoldWrites makes failed writes wait for the response: for protocols whose reads and writes are concurrent.
func (r *Recorder) HoldWrites() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.holding = true
}

// ReleaseWrites lets failed writes return: the response was read.
func (r *Recorder) ReleaseWrites() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.release()
}

func (r *Recorder) release() {
	if r.holding {
		r.holding = false
		close(r.released)
	}
}

// waitReleased waits with a failed write for the response.
func (r *Recorder) waitReleased() {
	timer := time.NewTimer(writeHold)
	defer timer.Stop()
	select {
	case <-r.released:
	case <-timer.C:
	}
}

// Renew prepares the recorder for another exchange on the same connection.
func (r *Recorder) Renew() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.wire = result.Wire{Local: r.wire.Local, Remote: r.wire.Remote, Established: r.wire.Established,
		KernelTimes: r.wire.KernelTimes, Events: make([]result.Event, 0, 8)}
	r.lastRead, r.accepted, r.firstSent, r.cut, r.holding = 0, 0, 0, false, false
	r.readDoubt, r.sentDoubt, r.readStamp = 0, 0, time.Time{}
	r.base = r.now()
	r.released = make(chan struct{})
}

// Close reads what the socket still knows and closes it. It may be called more than once.
func (r *Recorder) Close() error {
	r.mu.Lock()
	if r.closed {
		r.mu.Unlock()
		return nil
	}
	r.snapshot("close")
	if cause := r.wire.Cause; cause != nil && cause.Op == result.OpWrite && r.raw != nil {
		r.unread = readArrived(r.raw, MaxUnread)
		r.wire.BytesReceived += int64(len(r.unread))
	}
	r.closed = true
	if r.stamps != nil {
		r.stamps.forget()
	}
	r.release()
	now := time.Since(r.start)
	r.wire.Append(result.Event{Op: result.OpClose, Start: now, End: now, Calls: 1})
	r.mu.Unlock()
	return r.Conn.Close()
}

// Settle waits for the writes in progress to return, which they do because the connection is closed, and reports
// whether all that was written while it was alive was accepted.
func (r *Recorder) Settle() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	for r.writing != 0 {
		r.quiet.Wait()
	}
	return r.accepted != 0 && !r.cut
}

// The deadlines of the layers above end with ours: TLS would give its close_notify five seconds more.

// SetDeadline sets both deadlines unless our own has struck.
func (r *Recorder) SetDeadline(t time.Time) error { return r.unlessEnded(r.Conn.SetDeadline, t) }

// SetReadDeadline sets the read deadline unless our own has struck.
func (r *Recorder) SetReadDeadline(t time.Time) error {
	return r.unlessEnded(r.Conn.SetReadDeadline, t)
}

// SetWriteDeadline sets the write deadline unless our own has struck.
func (r *Recorder) SetWriteDeadline(t time.Time) error {
	return r.unlessEnded(r.Conn.SetWriteDeadline, t)
}

func (r *Recorder) unlessEnded(set func(time.Time) error, t time.Time) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.endedAt != 0 || r.floods.Err() != nil {
		return nil
	}
	return set(t)
}

// keepAliver is a connection whose keepalive by the kernel can be switched: a *net.TCPConn is one.
type keepAliver interface{ SetKeepAlive(on bool) error }

// StartKeepAlive switches the kernel's keepalive on, on connections that have it.
func (r *Recorder) StartKeepAlive() {
	if c, ok := r.Conn.(keepAliver); ok {
		_ = c.SetKeepAlive(true) // fails only on a connection that has ended, which the next read reports
	}
}

// StopKeepAlive switches it off.
func (r *Recorder) StopKeepAlive() {
	if c, ok := r.Conn.(keepAliver); ok {
		_ = c.SetKeepAlive(false)
	}
}
