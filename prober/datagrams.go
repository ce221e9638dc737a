package prober

import (
	"cmp"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"errno_exporter/guard"
	"errno_exporter/prober/classify"
	"errno_exporter/prober/flood"
	"errno_exporter/prober/result"
	"errno_exporter/prober/socket"
)

// datagrams is a connected UDP socket that keeps what it saw. It is quic-go's net.PacketConn.
type datagrams struct {
	*udpSocket
	start  time.Time // the attempt's beginning: times are since then
	in     *socket.Datagrams
	late   guard.Report // is called with panics of the trace after the close
	floods *flood.Guard
	units  *flood.Budget // datagrams, in both directions: most that we send are answers
	bytes  *flood.Budget
	head   atomic.Pointer[awaited] // the response's head, while it is under way

	mu         sync.Mutex   // guards what follows
	caught     guard.Report // is called with panics of the trace
	wire       result.Wire
	times      packetTimes
	firstSent  time.Duration // the first datagram was sent; 0 before
	firstRead  time.Duration // arrival of the first datagram; 0 before
	lastRead   time.Duration
	lastSent   time.Duration
	unanswered int // datagrams sent since the last one arrived
	closed     bool
}

// udpSocket hides from quic-go the methods of a *net.UDPConn that are not watched.
type udpSocket struct{ conn *net.UDPConn }

func (s *udpSocket) LocalAddr() net.Addr                { return s.conn.LocalAddr() }
func (s *udpSocket) SetDeadline(t time.Time) error      { return s.conn.SetDeadline(t) }
func (s *udpSocket) SetReadDeadline(t time.Time) error  { return s.conn.SetReadDeadline(t) }
func (s *udpSocket) SetWriteDeadline(t time.Time) error { return s.conn.SetWriteDeadline(t) }

// SetReadBuffer leaves the kernel's default: it is ample for one exchange.
func (s *udpSocket) SetReadBuffer(int) error { return nil }

// SetWriteBuffer leaves the kernel's default.
func (s *udpSocket) SetWriteBuffer(int) error { return nil }

// openUDP connects a UDP socket to an address. Nothing is sent yet: an error is this host's own.
func (a *attempt) openUDP(addr netip.AddrPort) (*datagrams, error) {
	network := "udp4"
	if addr.Addr().Is6() {
		network = "udp6"
	}
	dialer := net.Dialer{Control: socket.ReportICMP}
	if source := a.module.SourceIP; source.IsValid() {
		dialer.LocalAddr = &net.UDPAddr{IP: source.AsSlice()}
	}
	conn, err := dialer.DialContext(a.ctx, network, addr.String())
	if err != nil {
		return nil, err
	}
	d := &datagrams{udpSocket: &udpSocket{conn.(*net.UDPConn)}, start: a.start, floods: new(flood.Guard)}
	d.units = d.floods.Layer("datagrams", freeDatagrams, flood.UnitPrice)
	d.bytes = d.floods.Layer("bytes of QUIC", freeQUIC, framingPrice)
	d.wire.Local, d.wire.Remote = socket.AddrPort(conn.LocalAddr()), addr
	d.wire.Events = make([]result.Event, 0, 8)
	d.in, d.times.of = socket.NewDatagrams(d.conn, a.start), d
	d.caught, d.late = a.caught, a.prober.options.Panicked
	d.wire.KernelTimes = d.in.Stamped()
	return d, nil
}

// ReadFrom reads a datagram.
func (d *datagrams) ReadFrom(p []byte) (got int, from net.Addr, err error) {
	defer guard.Catch(&err)
	began := time.Since(d.start)
	n, arrival, err := d.in.Receive(p)
	if flood := cmp.Or(d.units.Charge(1, 0), d.bytes.Charge(int64(n), 0)); flood != nil {
		return 0, d.conn.RemoteAddr(), flood // quic-go ends with it
	}
	if short := d.head.Load().arrive(int64(n)); short != nil {
		return 0, d.conn.RemoteAddr(), short // as above
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if err == nil {
		d.wire.KernelTimes = d.wire.KernelTimes && arrival.Kernel
		d.received(p[:n], max(arrival.At, d.firstSent))
	}
	d.note(result.Event{Op: result.OpRead, Start: began, End: arrival.Read, Calls: 1, Bytes: int64(n), Err: err})
	return n, d.conn.RemoteAddr(), err
}

// received notes a datagram that arrived at a time. The caller holds mu.
func (d *datagrams) received(p []byte, at time.Duration) {
	d.wire.BytesReceived += int64(len(p))
	d.lastRead, d.unanswered = at, 0
	if d.firstRead == 0 {
		d.firstRead = at
		socket.IgnoreICMP(d.conn) // it may say what it likes of a path that works, but for a port that closes
	}
	d.times.arrived(p, at)
}

// WriteTo sends a datagram to the address that the socket is connected to.
func (d *datagrams) WriteTo(p []byte, _ net.Addr) (sent int, err error) {
	defer guard.Catch(&err)
	began := time.Since(d.start)
	d.sending(began)
	n, err := d.conn.Write(p)
	ended := time.Since(d.start)
	if flood := d.units.Charge(1, 0); flood != nil {
		return n, flood
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if err == nil {
		d.sent(int64(n), ended)
	}
	d.note(result.Event{Op: result.OpWrite, Start: began, End: ended, Calls: 1, Bytes: int64(n), Err: err})
	return n, err
}

// sending notes a datagram that is about to be written. It is sent at once; after that this goroutine may wait for a
// CPU, until the response is there.
func (d *datagrams) sending(at time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.firstSent == 0 {
		d.firstSent = at
	}
	if !d.times.secure && len(d.times.pauses) < maxWaiting && d.serverWaits() {
		d.times.pauses = append(d.times.pauses, pause{call{began: at}, max(0, at-max(d.lastRead, d.lastSent))})
	}
	d.lastSent = at
	d.unanswered++
	d.times.writes(at)
}

// sent notes the end of the call that wrote a datagram. The caller holds mu.
func (d *datagrams) sent(bytes int64, ended time.Duration) {
	d.wire.BytesSent += bytes
	d.times.wrote(ended)
	if n := len(d.times.pauses); n > 0 && d.times.pauses[n-1].began == d.lastSent {
		d.times.pauses[n-1].ended = ended
	}
}

// serverWaits reports whether the server may send no more before it receives something: three times as much as it has
// received, until it knows that this client has the address (RFC 9000 section 8.1). The caller holds mu.
func (d *datagrams) serverWaits() bool {
	return d.firstRead > 0 && 3*d.wire.BytesSent-d.wire.BytesReceived < minInitial
}

// minInitial is the size in bytes of the smallest datagram with an Initial packet (RFC 9000 section 14.1).
const minInitial = 1200

// note keeps an event, and the first failure that was not our doing with what ICMP said of it. The caller holds mu.
func (d *datagrams) note(e result.Event) {
	if e.Err != nil {
		if d.closed || classify.OurDoing(e.Err) {
			return
		}
		e.Errno, _ = classify.Errno(e.Err)
	}
	d.wire.Append(e)
	if e.Err != nil && d.wire.Cause == nil {
		d.wire.Cause = &e
		d.wire.ICMP = socket.ErrorQueue(d.conn)
	}
}

// Close closes the socket. It may be called more than once. A timer of quic-go's keeps a closed connection's transport,
// and with it this socket, in memory for three of its timeouts (Transport.ReplaceWithClosed): seconds, where answers
// come late. From here nothing leads to the attempt, and what it holds, any more.
func (d *datagrams) Close() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return nil
	}
	d.closed, d.caught = true, d.late
	now := time.Since(d.start)
	d.wire.Append(result.Event{Op: result.OpClose, Start: now, End: now, Calls: 1})
	return d.conn.Close()
}

// report returns what is called with panics of the trace.
func (d *datagrams) report() guard.Report {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.caught
}

// seen returns what the socket saw so far, as a value that no longer changes.
func (d *datagrams) seen() *result.Wire {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.wire.Clone()
}

// Times returns when the last datagram arrived, and when the last was sent.
func (d *datagrams) Times() (lastRead, lastSent time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.lastRead, d.lastSent
}

// Written returns how many bytes have been written.
func (d *datagrams) Written() int64 {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.wire.BytesSent
}

// answered returns when the server's first datagram arrived; 0 if none did.
func (d *datagrams) answered() time.Duration {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.firstRead
}

// The path is taken for dead when more datagrams are unanswered than acknowledgements of ours can be, and the last of
// them left longer after the last one arrived than an answer takes.
const (
	deadUnanswered = 4
	deadSilence    = 200 * time.Millisecond
)

// silent reports whether the server has stopped answering what must be answered: our data, sent again and again, or our
// pings.
func (d *datagrams) silent(rtt time.Duration) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.unanswered >= deadUnanswered && d.lastSent-d.lastRead > max(3*rtt, deadSilence)
}
