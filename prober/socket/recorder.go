package socket

import (
	"io"
	"math"
	"net"
	"sync"
	"syscall"
	"time"

	"errno_exporter/guard"
	"errno_exporter/prober/classify"
	"errno_exporter/prober/flood"
	"errno_exporter/prober/result"
)

// How a connection's system calls are recorded.
//
//   - The recorder sits under TLS and net/http. It counts every read's and write's bytes and notes when each ended and
//     with which errno.
//   - Linux delivers a reset's errno exactly once, to whichever system call comes first; later reads return 0 and later
//     writes EPIPE. The recorder keeps the first error that was not our own doing, the cause, and returns it again
//     instead of what follows.
//   - Bytes that arrived before a reset stay readable after it. So a failed write does not end the reading, and it
//     returns to net/http only once the response was read or the connection closed: net/http gives up at the first
//     write error and would lose a 413 that is in the receive buffer. What was not read when the connection is closed
//     is kept: it may be the alert or the GOAWAY that says why.
//   - TCP_INFO is read at the cause, at our deadline, or at the start of the close, whichever comes first: it is gone
//     after.

// writeHold bounds how long a failed write waits for the response that may already be here. What ends the wait is an
// event (the response or the close); the bound is for the case that neither comes.
const writeHold = 200 * time.Millisecond

// MaxUnread bounds what is kept of bytes that had arrived and were never read.
const MaxUnread = 64 << 10

// Recorder is a connection that records what its socket saw.
type Recorder struct {
	net.Conn
	raw    syscall.RawConn // nil when the connection has no file descriptor
	start  time.Time       // the attempt's beginning: times are since then
	stamps *stamps         // reads with the kernel's timestamps; nil where there are none
	floods *flood.Guard    // bounds what the peer sends without bringing the response forward
	reads  *flood.Budget

	mu        sync.Mutex // guards what follows
	base      moment     // when the exchange began
	wire      result.Wire
	lastRead  time.Duration // end of the last read that brought bytes
	readDoubt time.Duration // by how much it may be too late: see lookout_linux.go
	readStamp time.Time     // the kernel's, of it; zero where its time is by the clock
	drained   bool          // it took all that was there
	lookout   *Lookout      // nil where none was given
	written   int64         // bytes, of all exchanges
	acks      []stamp       // of requests, as they were read from the error queue
	stampBase int64         // bytes written before acknowledgements were requested; -1 until then
	stampings int           // writes since then
	requested bool          // the acknowledgement of the request was requested, too
	recording bool          // flights of a handshake
	flights   []flight
	firstSent time.Duration // start of the first write, of the request where one was begun; 0 before
	writes    int           // that succeeded since then
	accepted  time.Duration // when the kernel took the last bytes written while the connection was alive; 0 before
	sentDoubt time.Duration // how long that call took
	writing   time.Duration // start of the write in progress; 0 when there is none
	cut       bool          // a write failed that began while the connection was alive
	quiet     sync.Cond     // signalled when no write is in progress
	holding   bool          // failed writes wait for the response
	endedAt   time.Duration // when our own deadline or cancel struck; 0 if it did not
	closed    bool
	unread    []byte        // had arrived when the connection was closed after a failed write
	released  chan struct{} // closed when failed writes need not wait any longer
}

// NewRecorder returns a Recorder of a connection; its times are since start.
func NewRecorder(conn net.Conn, start time.Time) *Recorder {
	r := &Recorder{Conn: conn, start: start, released: make(chan struct{}), stampBase: -1}
	r.base = r.now()
	r.wire.Local, r.wire.Remote = AddrPort(conn.LocalAddr()), AddrPort(conn.RemoteAddr())
	r.wire.Events = make([]result.Event, 0, 8)
	r.quiet.L = &r.mu
	r.floods = &flood.Guard{Stop: func() { _ = conn.SetDeadline(time.Unix(1, 0)) }} // fails only on a closed connection
	r.reads = r.floods.Layer("reads", flood.FreeUnits, flood.UnitPrice)
	if sc, ok := conn.(syscall.Conn); ok {
		r.raw, _ = sc.SyscallConn()
	}
	return r
}

// Read reads from the connection. After a failure it returns the first one's error.
func (r *Recorder) Read(p []byte) (got int, err error) {
	defer guard.Catch(&err)
	if n := r.readUnread(p); n > 0 {
		return n, nil
	}
	began := time.Since(r.start)
	n, at, err := r.receive(p)
	return r.endRead(readCall{began, len(p), n, at}, err)
}

// readCall is one call that read from the connection.
type readCall struct {
	began     time.Duration
	room, got int       // bytes
	at        time.Time // when the kernel received its last packet; zero where it does not report that
}

// endRead notes how a read ended. Without it the stack frame of Read is small, in which a thousand probes may wait.
func (r *Recorder) endRead(call readCall, err error) (int, error) {
	now, n := r.now(), call.got
	if flood := r.reads.Charge(1, int64(n)); flood != nil {
		return 0, flood
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.wire.BytesReceived += int64(n)
	if n > 0 {
		arrived := r.since(call.at, now)
		if arrived == now.since {
			call.at = time.Time{}
		}
		r.arrived(arrived, call.at)
		r.drained = n < call.room
		r.noteArrived()
	}
	return n, r.note(result.Event{Op: result.OpRead, Start: call.began, End: now.since, Calls: 1, Bytes: int64(n),
		Err: err})
}

// arrived notes when what was read arrived, and by how much that may be too late. The caller holds mu.
func (r *Recorder) arrived(at time.Duration, stamp time.Time) {
	before := time.Duration(0) // nothing of it had arrived by then
	if r.stamps != nil {
		if empty := r.stamps.emptySince(); !empty.IsZero() {
			before = empty.Sub(r.start)
		}
		if !r.readStamp.IsZero() && stamp.After(r.readStamp) {
			before = max(before, r.lastRead) // another segment's time: what was joined to that one came before
		}
	}
	r.lastRead, r.readStamp, r.readDoubt = at, stamp, max(0, at-before)
}

// receive reads what has arrived. at is when the kernel received its last packet; zero where it does not report that.
func (r *Recorder) receive(p []byte) (n int, at time.Time, err error) {
	if r.stamps == nil {
		n, err = r.Conn.Read(p)
		return n, at, err
	}
	return r.stamps.read(p)
}

// readUnread returns what was kept at the close, for the layers above to interpret.
func (r *Recorder) readUnread(p []byte) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	n := copy(p, r.unread)
	r.unread = r.unread[n:]
	return n
}

// Write writes to the connection. After a failure it returns the first one's error.
func (r *Recorder) Write(p []byte) (sent int, err error) {
	defer guard.Catch(&err)
	if flood := r.floods.Err(); flood != nil {
		return 0, flood
	}
	r.lookout.Look()
	w, err := r.beginWrite()
	if err != nil {
		return 0, writeError(err)
	}
	n, err := r.Conn.Write(p)
	err, hold := r.endWrite(w, n, err)
	if hold {
		r.waitReleased()
	}
	return n, writeError(err)
}

// writeCall is a write in progress.
type writeCall struct {
	began time.Duration
	alive bool // the connection had not ended when it began
}

// beginWrite notes a write that begins; the error is that by which the connection ended before.
func (r *Recorder) beginWrite() (writeCall, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.wire.Cause != nil {
		return writeCall{}, r.wire.Cause.Err
	}
	r.writing = time.Since(r.start)
	return writeCall{r.writing, r.endedAt == 0 && !r.closed}, nil // TLS sends close_notify after that
}

// endWrite notes how a write ended, and returns the error of the call, and whether to wait with it for the response.
func (r *Recorder) endWrite(w writeCall, n int, err error) (failed error, hold bool) {
	ended := time.Since(r.start)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.writing = 0
	r.quiet.Broadcast()
	r.wire.BytesSent += int64(n)
	r.written += int64(n)
	r.limitStamps()
	if r.firstSent == 0 {
		r.firstSent = w.began
	}
	if w.alive && err == nil {
		r.writes++
		r.sentDoubt = ended - w.began
		r.noteSent(w.began)
		if r.accepted = ended; r.stamps != nil && r.wire.BytesSent <= smallWrites {
			r.accepted = w.began // it was sent at once; after that this goroutine waited for a CPU
		}
		if r.lastRead > w.began || r.wire.Cause != nil {
			// it was answered meanwhile: this goroutine waited for a CPU before it read the clock
			r.accepted = w.began
		}
	}
	r.cut = r.cut || w.alive && err != nil
	err = r.note(result.Event{Op: result.OpWrite, Start: w.began, End: ended, Calls: 1, Bytes: int64(n), Err: err})
	return err, err != nil && r.holding && !r.closed
}

// smallWrites is how many bytes the kernel sends at once whatever the peer acknowledges: less than the initial
// congestion window of ten segments (RFC 6928).
const smallWrites = 10 << 10

// writeError makes an error fit to be returned by Write: io.EOF is only for reads.
func writeError(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

// note records an event and returns the error of the call: the cause, once there is one. The caller holds mu.
func (r *Recorder) note(e result.Event) error {
	if e.Err != nil {
		e.EOF = e.Err == io.EOF
		e.Errno, _ = classify.Errno(e.Err)
	}
	r.wire.Append(e)
	if e.Err == nil {
		return nil
	}
	if r.wire.Cause == nil && !classify.OurDoing(e.Err) && !r.closed {
		r.snapshot("failure")
		cause := e // a copy: the event itself is kept only where it is the cause
		r.wire.Cause = &cause
	}
	if r.wire.Cause != nil {
		return r.wire.Cause.Err
	}
	return e.Err
}

// snapshot reads TCP_INFO unless it was read before. The caller holds mu.
func (r *Recorder) snapshot(when string) {
	if r.wire.Info != nil || r.raw == nil || r.closed {
		return
	}
	info := readTCPInfo(r.raw)
	if info != nil && info.OutOfOrderQueued && r.stampBase >= 0 {
		// timestamps use the socket's memory, by which holes are known
		r.acks = r.stamps.readQueue(r.acks, math.MaxInt32)
		info = readTCPInfo(r.raw)
	}
	if info != nil {
		r.wire.Info, r.wire.InfoAt = info, when
	}
}
