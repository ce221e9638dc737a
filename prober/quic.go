package prober

import (
	"cmp"
	"crypto/tls"
	"errors"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/http3"

	"errno_exporter/guard"
	"errno_exporter/prober/classify"
	"errno_exporter/prober/flood"
	"errno_exporter/prober/result"
	"errno_exporter/prober/socket"
)

// How a QUIC connection is made and seen.
//
//   - QUIC is quic-go's; the socket under it is ours. It is connected to the one address that was resolved, so that the
//     kernel hands us what ICMP says of it, and every datagram's time and every errno is kept.
//   - QUIC has one handshake for transport and TLS (RFC 9001 section 4). The phase connect ends with the first datagram
//     that the server sends, tls with the handshake.
//   - Datagrams are encrypted: what was acknowledged is told by whether anything arrived after what we sent.

// quicKeepAlive is how often a server that is silent is asked whether it is there, as keepAlive does over TCP.
const quicKeepAlive = time.Second

// quicWindow is how much of a body may have arrived before it is read: less than freeQUIC, so that a body which waits
// to be read is not taken for a flood. It lets 20 MB a second come over a round trip of 100 ms.
const quicWindow = 2 << 20

// quicConfig leaves every deadline to ours. Datagrams stay at the 1280 bytes that every path must carry: one exchange
// gains nothing from probing for more.
var quicConfig = &quic.Config{
	HandshakeIdleTimeout: time.Hour, MaxIdleTimeout: time.Hour, KeepAlivePeriod: quicKeepAlive,
	MaxIncomingStreams: -1, DisablePathMTUDiscovery: true,
	MaxStreamReceiveWindow: quicWindow, MaxConnectionReceiveWindow: quicWindow + quicWindow/2,
}

// datagrams is a connected UDP socket that keeps what it saw. It is quic-go's net.PacketConn.
type datagrams struct {
	*udpSocket
	start  time.Time // the attempt's beginning: times are since then
	floods *flood.Guard
	units  *flood.Budget // datagrams, in both directions: most that we send are answers
	bytes  *flood.Budget
	head   atomic.Pointer[awaited] // the response's head, while it is under way

	mu         sync.Mutex // guards what follows
	wire       result.Wire
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
	return d, nil
}

// ReadFrom reads a datagram.
func (d *datagrams) ReadFrom(p []byte) (got int, from net.Addr, err error) {
	defer guard.Catch(&err)
	began := time.Since(d.start)
	n, err := d.conn.Read(p)
	ended := time.Since(d.start)
	if flood := cmp.Or(d.units.Charge(1, 0), d.bytes.Charge(int64(n), 0)); flood != nil {
		return 0, d.conn.RemoteAddr(), flood // quic-go ends with it
	}
	if short := d.head.Load().arrive(int64(n)); short != nil {
		return 0, d.conn.RemoteAddr(), short // as above
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if err == nil {
		d.wire.BytesReceived += int64(n)
		d.lastRead, d.unanswered = ended, 0
		if d.firstRead == 0 {
			d.firstRead = ended
			socket.IgnoreICMP(d.conn) // it may say what it likes of a path that works, but for a port that closes
		}
	}
	d.note(result.Event{Op: result.OpRead, Start: began, End: ended, Calls: 1, Bytes: int64(n), Err: err})
	return n, d.conn.RemoteAddr(), err
}

// WriteTo sends a datagram to the address that the socket is connected to.
func (d *datagrams) WriteTo(p []byte, _ net.Addr) (sent int, err error) {
	defer guard.Catch(&err)
	began := time.Since(d.start)
	n, err := d.conn.Write(p)
	ended := time.Since(d.start)
	if flood := d.units.Charge(1, 0); flood != nil {
		return n, flood
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if err == nil {
		d.wire.BytesSent += int64(n)
		d.lastSent = ended
		d.unanswered++
	}
	d.note(result.Event{Op: result.OpWrite, Start: began, End: ended, Calls: 1, Bytes: int64(n), Err: err})
	return n, err
}

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

// Close closes the socket. It may be called more than once.
func (d *datagrams) Close() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return nil
	}
	d.closed = true
	now := time.Since(d.start)
	d.wire.Append(result.Event{Op: result.OpClose, Start: now, End: now, Calls: 1})
	return d.conn.Close()
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

// quicConnection is a hop's connection over QUIC.
type quicConnection struct {
	socket    *datagrams
	transport *quic.Transport
	conn      *quic.Conn // nil until the handshake is finished
	dead      bool       // the server had stopped answering when our deadline struck
}

// look takes the last look at a connection whose exchange failed, before the close adds to it.
func (c *quicConnection) look() {
	var rtt time.Duration
	if c.conn != nil {
		rtt = c.conn.ConnectionStats().SmoothedRTT
	}
	c.dead = c.socket.silent(rtt)
}

// close sends CONNECTION_CLOSE and closes the socket. It may be called more than once.
func (c *quicConnection) close() {
	if c.conn != nil {
		// the exchange is over or has failed
		_ = c.conn.CloseWithError(quic.ApplicationErrorCode(http3.ErrCodeNoError), "")
	}
	_ = c.transport.Close()
	_ = c.socket.Close()
}

// dialQUIC makes the QUIC connection to the address that was resolved: the phases connect and tls.
func (h *hop) dialQUIC(host string, port uint16) error {
	began := h.attempt.elapsed()
	h.Addr = netip.AddrPortFrom(h.Addr.Addr(), port)
	socket, err := h.attempt.openUDP(h.Addr)
	if err != nil {
		h.fail(result.Connect, began, classify.Failure(udpEvidence(h.Addr.Addr(), err, h.attempt.ending(err))))
		return err
	}
	h.quic = &quicConnection{socket: socket, transport: &quic.Transport{Conn: socket}}
	c := h.tlsConfig(host)
	asked := watchClientCertificate(c)
	h.requirePins(c, nil)
	conn, err := h.quic.transport.Dial(h.attempt.ctx, net.UDPAddrFromAddrPort(h.Addr), c, quicConfig)
	if err != nil {
		if bad, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
			h.TLS = tlsState(tls.ConnectionState{}, c, bad)
			h.TLS.ClientCertAsked = *asked
		}
		h.failQUIC(began, err)
		return err
	}
	h.quic.conn = conn
	h.TLS = tlsState(conn.ConnectionState().TLS, c, nil)
	h.TLS.ClientCertAsked = *asked
	answered, ended := socket.answered(), h.attempt.elapsed()
	h.done(result.Connect, began, answered)
	if f := h.checkRevoked(conn.ConnectionState().TLS.OCSPResponse); f != nil {
		h.close()
		h.failAt(result.TLS, answered, ended, *f)
		return f.Err
	}
	h.done(result.TLS, answered, ended)
	return nil
}
