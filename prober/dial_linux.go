package prober

import (
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"errno_exporter/guard"
	"errno_exporter/prober/classify"
	"errno_exporter/prober/result"
	"errno_exporter/prober/socket"
)

// How a connection is made. net.Dialer closes a socket whose connect() failed, and what the socket knew is gone with
// it; and it keeps a goroutine for the deadline, and sets options that no probe needs. So the descriptor is ours from
// socket(2) to close(2), and Go's poller waits for it.

// selfConnects is how often a connection is made anew that came to be with itself, or found no port of its own while it
// did: both happen where a port of this host that nobody listens on is within the ephemeral range (RFC 9293 section
// 3.5, simultaneous open).
const selfConnects = 3

// dial makes a TCP connection. After a failure there is no connection, and the rest is what the socket knew.
func dial(ctx context.Context, to netip.AddrPort, w *wanted) (*dialled, error) {
	for n := 1; ; n++ {
		d, err := dialOnce(ctx, to, w)
		if n == selfConnects || err == nil && d.local != to || err != nil && d.errno != unix.EADDRNOTAVAIL {
			return d, err
		}
		if err == nil {
			_ = d.conn.Close() // nobody has spoken yet
		}
	}
}

func dialOnce(ctx context.Context, to netip.AddrPort, w *wanted) (*dialled, error) {
	d := new(dialled)
	fd, err := newSocket(to.Addr(), w)
	if err != nil {
		return d, d.failed(w, to, err)
	}
	address, err := newSockaddr(to)
	if err == nil {
		d.calledAt = time.Now()
		err = beginConnect(fd, address)
	}
	if err != nil {
		d.look(fd)
		_ = unix.Close(fd) // it never was a connection
		return d, d.failed(w, to, os.NewSyscallError("connect", err))
	}
	d.stamped = stampArrivals(fd)
	s := &descriptor{caught: w.caught, file: os.NewFile(uintptr(fd), w.network), remote: to}
	s.raw, _ = s.file.SyscallConn() // fails only without a file
	if err := s.await(ctx, w, d); err != nil {
		_ = s.raw.Control(func(fd uintptr) { d.look(int(fd)) }) // fails only on a closed one
		_ = s.file.Close()
		return d, d.failed(w, to, err)
	}
	d.conn, d.local = s, s.local
	if d.stamped {
		d.stamps = newStamps(s)
	}
	return d, nil
}

// newSocket is a socket with what is wanted of it. ICMP errors go to its error queue (ip(7) IP_RECVERR; for TCP since
// kernel commit 45af29ca761c, in SYN_SENT only).
func newSocket(to netip.Addr, w *wanted) (int, error) {
	family := unix.AF_INET
	if to.Is6() {
		family = unix.AF_INET6
	}
	fd, err := unix.Socket(family, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, unix.IPPROTO_TCP)
	if err != nil {
		return -1, os.NewSyscallError("socket", err)
	}
	socket.RecvErr(fd, w.network, 1)
	w.shape(fd)
	_ = unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1) // fails on no TCP socket
	if w.source.IsValid() {
		if err := bindTo(fd, to, w.source); err != nil {
			_ = unix.Close(fd) // it was never used
			return -1, err
		}
	}
	return fd, nil
}

// bindTo makes the source address of a socket.
func bindTo(fd int, to, source netip.Addr) error {
	if source.Is4() != to.Is4() {
		return &net.AddrError{Err: "the source is not of the target's address family", Addr: source.String()}
	}
	if source.Is4() {
		return os.NewSyscallError("bind", unix.Bind(fd, &unix.SockaddrInet4{Addr: source.As4()}))
	}
	return os.NewSyscallError("bind", unix.Bind(fd, &unix.SockaddrInet6{Addr: source.As16()}))
}

// shape sets what an experiment wants of the socket; where the kernel refuses, the attempt changes nothing.
func (w *wanted) shape(fd int) {
	if w.segment > 0 {
		_ = unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_MAXSEG, w.segment)
	}
	if w.ttl > 0 && w.network == "tcp6" {
		_ = unix.SetsockoptInt(fd, unix.IPPROTO_IPV6, unix.IPV6_UNICAST_HOPS, w.ttl)
	} else if w.ttl > 0 {
		_ = unix.SetsockoptInt(fd, unix.IPPROTO_IP, unix.IP_TTL, w.ttl)
	}
}

// failed is a failure in the words of net.Dialer.
func (d *dialled) failed(w *wanted, to netip.AddrPort, err error) error {
	d.errno, _ = classify.Errno(err)
	var source net.Addr
	if w.source.IsValid() {
		source = net.TCPAddrFromAddrPort(netip.AddrPortFrom(w.source, 0))
	}
	return &net.OpError{Op: "dial", Net: w.network, Source: source, Addr: net.TCPAddrFromAddrPort(to), Err: err}
}

// look keeps what a socket knows whose connect failed.
func (d *dialled) look(fd int) {
	if d.icmp = socket.ReadErrorQueue(fd); !d.asked {
		d.info = tcpInfo(fd)
	}
}

// await waits until the connection is made, or the context ends.
func (s *descriptor) await(ctx context.Context, w *wanted, d *dialled) error {
	var stop func() bool
	var failed error
	err := s.raw.Write(func(fd uintptr) bool {
		d.info = tcpInfo(int(fd))
		if connected(int(fd), d.info) {
			s.stand(int(fd), w, d)
			return true
		}
		failed = s.failure(int(fd), d)                                 // ICMP leaves the socket in SYN_SENT
		if failed == nil && d.info == nil && connected(int(fd), nil) { // meanwhile: no event will say so
			s.stand(int(fd), w, d)
			return true
		}
		if failed == nil && stop == nil {
			stop = w.caught.AfterFunc(ctx, func() { _ = s.file.SetWriteDeadline(time.Unix(1, 0)) })
		}
		return failed != nil
	})
	if stop != nil {
		stop()
	}
	if err != nil {
		return err // our deadline's, as a rule
	}
	return failed
}

// connected reports whether a socket has its connection: by its state, or where the kernel does not tell that (seccomp,
// gVisor) by whether it has a peer.
func connected(fd int, info *result.TCPInfo) bool {
	if info != nil {
		return info.State != "SYN_SENT" && info.State != "CLOSE"
	}
	_, err := syscall.Getpeername(fd) // unix's asks for an option, too; ENOTCONN before, and after a failure
	return err == nil
}

// stand readies a socket that is connected, and takes what is known of the handshake. ICMP must not be delivered as a
// hard error from here on.
func (s *descriptor) stand(fd int, w *wanted, d *dialled) {
	socket.RecvErr(fd, w.network, 0)
	if d.info != nil {
		if d.synRetransmits = d.info.TotalRetrans; d.synRetransmits == 0 {
			d.roundTrip = d.info.RTT
		}
	}
	s.local = ownAddress(fd)
	s.askLater()
}

// failure is why a socket has no connection; nil if it may still get one. Where SO_ERROR is refused the same error
// comes from connect(2), called again.
func (s *descriptor) failure(fd int, d *dialled) error {
	errno, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_ERROR)
	if err == nil && errno == 0 {
		return nil
	}
	if err == nil {
		return os.NewSyscallError("connect", syscall.Errno(errno))
	}
	to, err := newSockaddr(s.remote)
	if err == nil {
		d.asked, err = true, unix.Connect(fd, to) // which forgets what was counted if it fails
	}
	switch err {
	case nil, unix.EISCONN, unix.EALREADY, unix.EINPROGRESS, unix.EINTR:
		return nil
	}
	return os.NewSyscallError("connect", err)
}

// descriptor is a TCP connection. Its errors are those of net's.
type descriptor struct {
	file          *os.File // not blocking: Go's poller waits
	raw           syscall.RawConn
	local, remote netip.AddrPort
	closed        atomic.Bool
	caught        guard.Report // is called with panics

	asking sync.Mutex  // guards what follows, and the kernel's keepalive
	later  *time.Timer // switches keepalive on; nil when that was decided
}

func (s *descriptor) SyscallConn() (syscall.RawConn, error) { return s.raw, nil }

func (s *descriptor) Read(p []byte) (int, error) {
	n, err := s.file.Read(p)
	return n, s.wrapped("read", err)
}

func (s *descriptor) Write(p []byte) (int, error) {
	w := writing{rest: p}
	err := s.raw.Write(w.push)
	if err == nil {
		err = w.err
	}
	return len(p) - len(w.rest), s.wrapped("write", err)
}

// writing is a write that goes on.
type writing struct {
	rest []byte
	err  error
}

// push writes what the kernel takes; it is false while there is more to write.
func (w *writing) push(fd uintptr) bool {
	for len(w.rest) > 0 && w.err == nil {
		n, err := writeNow(fd, w.rest)
		if err == unix.EAGAIN {
			return false
		}
		w.rest, w.err = w.rest[n:], err
	}
	return true
}

func (s *descriptor) Close() error {
	s.closed.Store(true)
	s.asking.Lock()
	s.decided()
	s.asking.Unlock()
	return s.wrapped("close", s.file.Close())
}

func (s *descriptor) LocalAddr() net.Addr           { return net.TCPAddrFromAddrPort(s.local) }
func (s *descriptor) RemoteAddr() net.Addr          { return net.TCPAddrFromAddrPort(s.remote) }
func (s *descriptor) SetDeadline(t time.Time) error { return s.wrapped("set", s.file.SetDeadline(t)) }
func (s *descriptor) SetReadDeadline(t time.Time) error {
	return s.wrapped("set", s.file.SetReadDeadline(t))
}
func (s *descriptor) SetWriteDeadline(t time.Time) error {
	return s.wrapped("set", s.file.SetWriteDeadline(t))
}

// SetKeepAlive switches the kernel's keepalive (tcp(7), SO_KEEPALIVE).
func (s *descriptor) SetKeepAlive(on bool) error {
	s.asking.Lock()
	defer s.asking.Unlock()
	s.decided()
	return s.raw.Control(func(fd uintptr) { ask(int(fd), on) })
}

// askLater switches keepalive on once the connection has stood for half of the time after which the kernel would ask
// for the first time: most probes have ended by then.
func (s *descriptor) askLater() {
	s.asking.Lock()
	defer s.asking.Unlock()
	s.later = s.caught.AfterTime(keepAlive.Idle/2, func() {
		s.asking.Lock()
		defer s.asking.Unlock()
		if s.later != nil {
			_ = s.raw.Control(func(fd uintptr) { ask(int(fd), true) }) // fails only on a connection that has ended
		}
	})
}

// ask makes the kernel ask after the peer, or not. It is evidence only: absent where it is refused.
func ask(fd int, on bool) {
	if !on {
		_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_KEEPALIVE, 0)
		return
	}
	_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_KEEPALIVE, 1)
	_ = unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_KEEPIDLE, int(keepAlive.Idle/time.Second))
	_ = unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_KEEPINTVL, int(keepAlive.Interval/time.Second))
	_ = unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_KEEPCNT, keepAlive.Count)
}

// decided takes back what was to be done later. The caller holds asking.
func (s *descriptor) decided() {
	if s.later != nil {
		s.later.Stop()
		s.later = nil
	}
}

// wrapped is an error of the file in the words of net's.
func (s *descriptor) wrapped(op string, err error) error {
	if err == nil || err == io.EOF {
		return err
	}
	if path, ok := err.(*os.PathError); ok {
		err = path.Err
	}
	if errno, ok := err.(syscall.Errno); ok {
		err = os.NewSyscallError(op, errno)
	} else if s.closed.Load() && !errors.Is(err, os.ErrDeadlineExceeded) {
		err = net.ErrClosed
	}
	return &net.OpError{Op: op, Net: "tcp", Source: s.LocalAddr(), Addr: s.RemoteAddr(), Err: err}
}
