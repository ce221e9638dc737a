package prober

import (
	"io"
	"math"
	"net"
	"net/netip"
	"sync"
	"syscall"
	"time"

	"errno_exporter/guard"
	"errno_exporter/prober/classify"
	"errno_exporter/prober/flood"
	"errno_exporter/prober/result"
	"errno_exporter/prober/socket"
)

// How a connection's system calls are seen and kept.
//
//   - The recorder sits under TLS and net/http. It counts every read's and write's bytes and notes when each ended and
//     with which errno.
//   - Linux delivers a reset's errno exactly once, to whichever system call comes first; later reads return 0 and later
//     writes EPIPE. The recorder keeps the first error that was not our own doing, the cause, and replays it instead of
//     what follows.
//   - Bytes that arrived before a reset stay readable after it. So a failed write does not end the reading, and it
//     returns to net/http only once the answer has been taken or the connection closed: net/http gives up at the first
//     write error and would lose a 413 that lies in the receive buffer. What nobody has read when the connection is
//     closed is kept: it may be the alert or the GOAWAY that tells why.
//   - TCP_INFO is read at the cause, at our deadline, or at the start of the close, whichever comes first: it is gone
//     after.

// writeHold bounds how long a failed write waits for the answer that may already be here. What ends the wait is an
// event (the response or the close); the bound is for the case that neither comes.
const writeHold = 200 * time.Millisecond

// maxRest bounds what is kept of bytes that had arrived and were never read.
const maxRest = 64 << 10

// recorder is a connection that keeps what the socket saw.
type recorder struct {
	net.Conn
	raw    syscall.RawConn // nil when the connection has no descriptor
	start  time.Time       // the attempt's beginning: times are since then
	stamps *stamps         // reads with the kernel's times; nil where there are none
	floods *flood.Guard    // bounds what the peer sends for nothing
	reads  *flood.Budget

	framing *flood.Budget // of bytes around HTTP/1.1's bodies; nil for other versions

	mu        sync.Mutex // guards what follows
	base      moment     // when the exchange began
	wire      result.Wire
	lastRead  time.Duration // end of the last read that brought bytes
	written   int64         // bytes, of all exchanges
	acks      []acknowledgement
	stampBase int64         // bytes written before acknowledgements were asked for; -1 until then
	stampings int           // writes since then
	firstSent time.Duration // start of the first write; 0 before
	accepted  time.Duration // when the kernel took the last bytes written while the connection was alive; 0 before
	writing   time.Duration // start of the write under way; 0 when there is none
	cut       bool          // a write failed that began while the connection was alive
	quiet     sync.Cond     // signalled when no write is under way
	holding   bool          // failed writes wait for the answer
	endedAt   time.Duration // when our own deadline or cancel struck; 0 if it did not
	closed    bool
	rest      []byte        // had arrived when the connection was closed after a failed write
	released  chan struct{} // closed when failed writes need wait no longer
}

func newRecorder(conn net.Conn, start time.Time) *recorder {
	r := &recorder{Conn: conn, start: start, released: make(chan struct{}), stampBase: -1}
	r.base = r.now()
	r.wire.Local, r.wire.Remote = socket.AddrPort(conn.LocalAddr()), socket.AddrPort(conn.RemoteAddr())
	r.wire.Events = make([]result.Event, 0, 8)
	r.quiet.L = &r.mu
	r.floods = &flood.Guard{Stop: func() { _ = conn.SetDeadline(time.Unix(1, 0)) }} // fails only on a closed connection
	r.reads = r.floods.Layer("reads", flood.FreeUnits, flood.UnitPrice)
	if sc, ok := conn.(syscall.Conn); ok {
		r.raw, _ = sc.SyscallConn()
	}
	return r
}

func (r *recorder) Read(p []byte) (got int, err error) {
	defer guard.Catch(&err)
	if n := r.readRest(p); n > 0 {
		return n, nil
	}
	began := time.Since(r.start)
	n, at, err := r.receive(p)
	now := r.now()
	if flood := r.reads.Charge(1, int64(n)); flood != nil {
		return 0, flood
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.wire.BytesReceived += int64(n)
	if n > 0 {
		r.lastRead = r.since(at, now)
	}
	return n, r.note(result.Event{Op: result.OpRead, Start: began, End: now.since, Calls: 1, Bytes: int64(n), Err: err})
}

// receive reads what has come. at is when the kernel took in its last packet; zero where it does not tell.
func (r *recorder) receive(p []byte) (n int, at time.Time, err error) {
	if r.stamps == nil {
		n, err = r.Conn.Read(p)
		return n, at, err
	}
	return r.stamps.read(p)
}

// readRest hands out what was kept at the close, for the layers above to tell what they make of it.
func (r *recorder) readRest(p []byte) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	n := copy(p, r.rest)
	r.rest = r.rest[n:]
	return n
}

func (r *recorder) Write(p []byte) (sent int, err error) {
	defer guard.Catch(&err)
	if flood := r.floods.Err(); flood != nil {
		return 0, flood
	}
	began, alive, err := r.beginWrite()
	if err != nil {
		return 0, written(err)
	}
	n, err := r.Conn.Write(p)
	err, hold := r.endWrite(began, alive, n, err)
	if hold {
		r.waitReleased()
	}
	return n, written(err)
}

// beginWrite notes a write that begins, and whether the connection is alive; the error is that by which it ended
// before.
func (r *recorder) beginWrite() (began time.Duration, alive bool, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.wire.Cause != nil {
		return 0, false, r.wire.Cause.Err
	}
	r.writing = time.Since(r.start)
	return r.writing, r.endedAt == 0 && !r.closed, nil // TLS sends close_notify after that
}

// endWrite notes what became of a write, and returns the error to hand on and whether to wait with it for the answer.
func (r *recorder) endWrite(began time.Duration, alive bool, n int, err error) (handOn error, hold bool) {
	ended := time.Since(r.start)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.writing = 0
	r.quiet.Broadcast()
	r.wire.BytesSent += int64(n)
	r.written += int64(n)
	r.limitStamps()
	if r.firstSent == 0 {
		r.firstSent = began
	}
	if alive && err == nil {
		if r.accepted = ended; r.stamps != nil && r.wire.BytesSent <= smallWrites {
			r.accepted = began // it left at once; what came after was waiting for a CPU
		}
		if r.lastRead > began || r.wire.Cause != nil {
			// it was answered meanwhile: this goroutine had to wait for its turn to look at the clock
			r.accepted = began
		}
	}
	r.cut = r.cut || alive && err != nil
	err = r.note(result.Event{Op: result.OpWrite, Start: began, End: ended, Calls: 1, Bytes: int64(n), Err: err})
	return err, err != nil && r.holding && !r.closed
}

// smallWrites is how many bytes the kernel sends at once whatever the peer says: less than the initial congestion
// window of ten segments (RFC 6928).
const smallWrites = 10 << 10

// written makes an error fit to be returned by Write: io.EOF is only for reads.
func written(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

func (r *recorder) waitReleased() {
	timer := time.NewTimer(writeHold)
	defer timer.Stop()
	select {
	case <-r.released:
	case <-timer.C:
	}
}

// note records an event and returns the error to hand on: the cause, once there is one. The caller holds mu.
func (r *recorder) note(e result.Event) error {
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
		cause := e // of its own: an event is not kept but where it is the cause
		r.wire.Cause = &cause
	}
	if r.wire.Cause != nil {
		return r.wire.Cause.Err
	}
	return e.Err
}

// snapshot takes TCP_INFO unless it was taken before. The caller holds mu.
func (r *recorder) snapshot(when string) {
	if r.wire.Info != nil || r.raw == nil || r.closed {
		return
	}
	info := readTCPInfo(r.raw)
	if info != nil && info.OutOfOrderQueued && r.stampBase >= 0 {
		// stamps take of the socket's memory, by which holes are known
		r.acks = r.stamps.readQueue(r.acks, math.MaxInt32)
		info = readTCPInfo(r.raw)
	}
	if info != nil {
		r.wire.Info, r.wire.InfoAt = info, when
	}
}

// interrupt ends the connection's reads and writes because our deadline struck or we were cancelled.
func (r *recorder) interrupt() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed || r.endedAt != 0 {
		return
	}
	r.snapshot("deadline")
	r.endedAt = time.Since(r.start)
	_ = r.Conn.SetDeadline(time.Unix(1, 0)) // fails only on a closed connection, which needs no interrupting
}

// giveUp is interrupt for what has long arrived: the connection may be closed by now, and yet it is our time that is
// over.
func (r *recorder) giveUp() {
	r.interrupt()
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.endedAt == 0 {
		r.endedAt = time.Since(r.start)
	}
}

// hold makes failed writes wait for the answer: called when reading and writing go on side by side.
func (r *recorder) hold() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.holding = true
}

// answered lets failed writes return: the answer is in our hands.
func (r *recorder) answered() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.release()
}

func (r *recorder) release() {
	if r.holding {
		r.holding = false
		close(r.released)
	}
}

// renew makes the recorder ready for another exchange on the same connection.
func (r *recorder) renew() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.wire = result.Wire{Local: r.wire.Local, Remote: r.wire.Remote, Stood: r.wire.Stood,
		KernelTimes: r.wire.KernelTimes, Events: make([]result.Event, 0, 8)}
	r.lastRead, r.accepted, r.firstSent, r.cut, r.holding = 0, 0, 0, false, false
	r.base = r.now()
	r.released = make(chan struct{})
}

// Close takes the last look at the socket and closes it. It is safe to call it more than once.
func (r *recorder) Close() error {
	r.mu.Lock()
	if r.closed {
		r.mu.Unlock()
		return nil
	}
	r.snapshot("close")
	if cause := r.wire.Cause; cause != nil && cause.Op == result.OpWrite && r.raw != nil {
		r.rest = readArrived(r.raw, maxRest)
		r.wire.BytesReceived += int64(len(r.rest))
	}
	r.closed = true
	r.release()
	now := time.Since(r.start)
	r.wire.Append(result.Event{Op: result.OpClose, Start: now, End: now, Calls: 1})
	r.mu.Unlock()
	return r.Conn.Close()
}

// ended is when our own deadline or cancel struck; 0 if it did not.
func (r *recorder) ended() time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.endedAt
}

// seen returns what the socket saw so far, as a value that no longer changes.
func (r *recorder) seen() *result.Wire {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.wire.Clone()
}

// times returns the end of the last read that brought bytes, and when the last bytes written were accepted. A write
// that is under way while its answer has been read was accepted, and only waits to look at the clock.
func (r *recorder) times() (lastRead, accepted time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.writing != 0 {
		return r.lastRead, r.writing
	}
	return r.lastRead, r.accepted
}

// firstWrite is when the first bytes were sent.
func (r *recorder) firstWrite() time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.firstSent
}

// addresses are the connection's two ends.
func (r *recorder) addresses() (local, remote netip.AddrPort) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.wire.Local, r.wire.Remote
}

// keepReset keeps who sent the RST.
func (r *recorder) keepReset(reset *result.Reset) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.wire.Reset = reset
}

// look takes TCP_INFO at the end of an exchange, before the close changes it.
func (r *recorder) look() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.snapshot("close")
}

// settle waits for the writes under way to return, which they do because the connection is closed, and reports whether
// all that was written while it was alive was accepted.
func (r *recorder) settle() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	for r.writing != 0 {
		r.quiet.Wait()
	}
	return r.accepted != 0 && !r.cut
}

// The deadlines of the layers above end with ours: TLS would give its close_notify five seconds more.

// SetDeadline sets both deadlines unless our own has struck.
func (r *recorder) SetDeadline(t time.Time) error { return r.unlessEnded(r.Conn.SetDeadline, t) }

// SetReadDeadline sets the read deadline unless our own has struck.
func (r *recorder) SetReadDeadline(t time.Time) error {
	return r.unlessEnded(r.Conn.SetReadDeadline, t)
}

// SetWriteDeadline sets the write deadline unless our own has struck.
func (r *recorder) SetWriteDeadline(t time.Time) error {
	return r.unlessEnded(r.Conn.SetWriteDeadline, t)
}

func (r *recorder) unlessEnded(set func(time.Time) error, t time.Time) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.endedAt != 0 || r.floods.Err() != nil {
		return nil
	}
	return set(t)
}
