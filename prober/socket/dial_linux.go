package socket

import (
	"context"
	"net"
	"net/netip"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"errno_exporter/prober/classify"
	"errno_exporter/prober/result"
)

// How a connection is made. net.Dialer closes a socket whose connect() failed, and what the socket knew is lost with
// it; it also starts a goroutine for the deadline, and sets options that no probe needs. So this package owns the file
// descriptor from socket(2) to close(2), and Go's poller waits for it.

// dialTries is how many times a connection is tried that connected to itself, or found no local port because another
// one did: both happen where a port of this host on which nothing listens is within the ephemeral range (RFC 9293
// section 3.5, simultaneous open).
const dialTries = 3

// dial makes a TCP connection. After a failure there is no connection, only what the socket knew.
func dial(ctx context.Context, to netip.AddrPort, o *Options) (*dialled, error) {
	for n := 1; ; n++ {
		d, err := dialOnce(ctx, to, o)
		if n == dialTries || err == nil && d.local != to || err != nil && d.errno != unix.EADDRNOTAVAIL {
			return d, err
		}
		if err == nil {
			_ = d.conn.Close() // nothing has been sent yet
		}
	}
}

func dialOnce(ctx context.Context, to netip.AddrPort, o *Options) (*dialled, error) {
	d := new(dialled)
	fd, err := newSocket(to.Addr(), o)
	if err != nil {
		return d, d.failed(o, to, err)
	}
	address, err := newSockaddr(to)
	if err == nil {
		d.calledAt = time.Now()
		err = beginConnect(fd, address)
	}
	if err != nil {
		d.readEvidence(fd)
		_ = unix.Close(fd) // it never was a connection
		return d, d.failed(o, to, os.NewSyscallError("connect", err))
	}
	d.stamped = stampArrivals(fd)
	c := &tcpConn{panicked: o.Panicked, file: os.NewFile(uintptr(fd), o.network), remote: to}
	c.raw, _ = c.file.SyscallConn() // fails only without a file
	if err := c.await(ctx, o, d); err != nil {
		err = d.failed(o, to, err)
		_ = c.raw.Control(func(fd uintptr) { d.readEvidence(int(fd)) }) // fails only on a closed one
		_ = c.file.Close()
		return d, err
	}
	d.conn, d.local = c, c.local
	if d.stamped {
		d.stamps = newStamps(c)
	}
	return d, nil
}

// newSocket makes a socket with its options. ICMP errors go to its error queue (ip(7) IP_RECVERR; for TCP since kernel
// commit 45af29ca761c, in SYN_SENT only).
func newSocket(to netip.Addr, o *Options) (int, error) {
	family := unix.AF_INET
	if to.Is6() {
		family = unix.AF_INET6
	}
	fd, err := unix.Socket(family, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, unix.IPPROTO_TCP)
	if err != nil {
		return -1, os.NewSyscallError("socket", err)
	}
	o.Own.noteFD(fd)
	RecvErr(fd, o.network, 1)
	o.apply(fd)
	_ = unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1) // fails on no TCP socket
	if o.Source.IsValid() {
		if err := bindTo(fd, to, o.Source); err != nil {
			_ = unix.Close(fd) // it was never used
			return -1, err
		}
	}
	return fd, nil
}

// bindTo sets the source address of a socket.
func bindTo(fd int, to, source netip.Addr) error {
	if source.Is4() != to.Is4() {
		return &net.AddrError{Err: "the source is not of the target's address family", Addr: source.String()}
	}
	if source.Is4() {
		return os.NewSyscallError("bind", unix.Bind(fd, &unix.SockaddrInet4{Addr: source.As4()}))
	}
	return os.NewSyscallError("bind", unix.Bind(fd, &unix.SockaddrInet6{Addr: source.As16()}))
}

// apply sets the options that an experiment changes; where the kernel refuses, the attempt changes nothing.
func (o *Options) apply(fd int) {
	if o.MaxSegment > 0 {
		_ = unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_MAXSEG, o.MaxSegment)
	}
	if o.TTL > 0 && o.network == "tcp6" {
		_ = unix.SetsockoptInt(fd, unix.IPPROTO_IPV6, unix.IPV6_UNICAST_HOPS, o.TTL)
	} else if o.TTL > 0 {
		_ = unix.SetsockoptInt(fd, unix.IPPROTO_IP, unix.IP_TTL, o.TTL)
	}
	if o.MinTTL > 0 {
		_ = setMinTTL(fd, o.network, o.MinTTL)
	}
}

// failed notes the errno of a failure, and returns the error that net.Dialer would return.
func (d *dialled) failed(o *Options, to netip.AddrPort, err error) error {
	d.errno, _ = classify.Errno(err)
	var source net.Addr
	if o.Source.IsValid() {
		source = net.TCPAddrFromAddrPort(netip.AddrPortFrom(o.Source, 0))
	}
	return &net.OpError{Op: "dial", Net: o.network, Source: source, Addr: net.TCPAddrFromAddrPort(to), Err: err}
}

// readEvidence reads what a socket knows after its connect failed.
func (d *dialled) readEvidence(fd int) {
	if d.icmp = ReadErrorQueue(fd); !d.calledTwice {
		d.info = tcpInfo(fd)
	}
	if d.errno == unix.ECONNRESET { // after the handshake: a capture knows the connection by its addresses
		d.local = ownAddress(fd)
	}
}

// await waits until the connection is established, or the context ends.
func (c *tcpConn) await(ctx context.Context, o *Options, d *dialled) error {
	var stop func() bool
	var failed error
	err := c.raw.Write(func(fd uintptr) bool {
		d.info = tcpInfo(int(fd))
		if connected(int(fd), d.info) {
			c.ready(int(fd), o, d)
			return true
		}
		failed = c.connectError(int(fd), d)                            // ICMP leaves the socket in SYN_SENT
		if failed == nil && d.info == nil && connected(int(fd), nil) { // meanwhile: no further event reports it
			c.ready(int(fd), o, d)
			return true
		}
		if failed == nil && stop == nil {
			stop = o.Panicked.AfterFunc(ctx, func() { _ = c.file.SetWriteDeadline(time.Unix(1, 0)) })
		}
		return failed != nil
	})
	if stop != nil {
		stop()
	}
	if err != nil {
		return err // usually the deadline's
	}
	return failed
}

// connected reports whether a socket is connected: by its state, or where the kernel does not report that (seccomp,
// gVisor) by whether it has a peer.
func connected(fd int, info *result.TCPInfo) bool {
	if info != nil {
		return info.State != "SYN_SENT" && info.State != "CLOSE"
	}
	_, err := syscall.Getpeername(fd) // unix.Getpeername also reads an option; ENOTCONN before, and after a failure
	return err == nil
}

// ready prepares a socket that is connected, and keeps what is known of the handshake. From here on ICMP must not be
// delivered as a hard error.
func (c *tcpConn) ready(fd int, o *Options, d *dialled) {
	RecvErr(fd, o.network, 0)
	if d.info != nil {
		if d.synRetransmits = d.info.TotalRetrans; d.synRetransmits == 0 {
			d.roundTrip = d.info.RTT
		}
	}
	c.local = ownAddress(fd)
	c.startKeepAliveLater()
}

// connectError is why a socket is not connected; nil if it may still become so. Where SO_ERROR is refused the same
// error is returned by a second connect(2).
func (c *tcpConn) connectError(fd int, d *dialled) error {
	errno, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_ERROR)
	if err == nil && errno == 0 {
		return nil
	}
	if err == nil {
		return os.NewSyscallError("connect", syscall.Errno(errno))
	}
	to, err := newSockaddr(c.remote)
	if err == nil {
		d.calledTwice, err = true, unix.Connect(fd, to) // which resets TCP_INFO's counters if it fails
	}
	switch err {
	case nil, unix.EISCONN, unix.EALREADY, unix.EINPROGRESS, unix.EINTR:
		return nil
	}
	return os.NewSyscallError("connect", err)
}
