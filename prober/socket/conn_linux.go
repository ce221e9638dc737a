package socket

import (
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
)

// tcpConn is a TCP connection with its own file descriptor. Its errors are those of package net.
type tcpConn struct {
	file          *os.File // non-blocking: Go's poller waits
	raw           syscall.RawConn
	local, remote netip.AddrPort
	closed        atomic.Bool
	panicked      guard.Report // is called with panics

	mu    sync.Mutex  // guards what follows, and the kernel's keepalive
	later *time.Timer // switches keepalive on; nil when that was decided
}

// SyscallConn gives access to the file descriptor.
func (c *tcpConn) SyscallConn() (syscall.RawConn, error) { return c.raw, nil }

func (c *tcpConn) Read(p []byte) (int, error) {
	n, err := c.file.Read(p)
	return n, c.wrapped("read", err)
}

func (c *tcpConn) Write(p []byte) (int, error) {
	w := writing{rest: p}
	err := c.raw.Write(w.push)
	if err == nil {
		err = w.err
	}
	return len(p) - len(w.rest), c.wrapped("write", err)
}

// writing is a write of which the kernel may take one part after the other.
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

func (c *tcpConn) Close() error {
	c.closed.Store(true)
	c.mu.Lock()
	c.cancelLater()
	c.mu.Unlock()
	return c.wrapped("close", c.file.Close())
}

func (c *tcpConn) LocalAddr() net.Addr { return net.TCPAddrFromAddrPort(c.local) }

func (c *tcpConn) RemoteAddr() net.Addr { return net.TCPAddrFromAddrPort(c.remote) }

func (c *tcpConn) SetDeadline(t time.Time) error { return c.wrapped("set", c.file.SetDeadline(t)) }

func (c *tcpConn) SetReadDeadline(t time.Time) error {
	return c.wrapped("set", c.file.SetReadDeadline(t))
}

func (c *tcpConn) SetWriteDeadline(t time.Time) error {
	return c.wrapped("set", c.file.SetWriteDeadline(t))
}

// wrapped makes an error of the file the one that package net would return.
func (c *tcpConn) wrapped(op string, err error) error {
	if err == nil || err == io.EOF {
		return err
	}
	if path, ok := err.(*os.PathError); ok {
		err = path.Err
	}
	if errno, ok := err.(syscall.Errno); ok {
		err = os.NewSyscallError(op, errno)
	} else if c.closed.Load() && !errors.Is(err, os.ErrDeadlineExceeded) {
		err = net.ErrClosed
	}
	return &net.OpError{Op: op, Net: "tcp", Source: c.LocalAddr(), Addr: c.RemoteAddr(), Err: err}
}

// SetKeepAlive switches the kernel's keepalive (tcp(7), SO_KEEPALIVE), as net.TCPConn does.
func (c *tcpConn) SetKeepAlive(on bool) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.cancelLater()
	if on {
		return c.raw.Control(startKeepAlive)
	}
	return c.raw.Control(stopKeepAlive)
}

// startKeepAliveLater switches keepalive on once the connection is established for half of the time after which the
// kernel would send its first probe: most probes of ours have ended by then, and need no system calls for it.
func (c *tcpConn) startKeepAliveLater() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.later = c.panicked.AfterTime(keepAlive.Idle/2, func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		if c.later != nil {
			_ = c.raw.Control(startKeepAlive) // fails only on a connection that has ended
		}
	})
}

// cancelLater cancels startKeepAliveLater. The caller holds mu.
func (c *tcpConn) cancelLater() {
	if c.later != nil {
		c.later.Stop()
		c.later = nil
	}
}

// startKeepAlive switches keepalive on. It is evidence only: absent where it is refused.
func startKeepAlive(fd uintptr) {
	_ = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_KEEPALIVE, 1)
	_ = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_KEEPIDLE, int(keepAlive.Idle/time.Second))
	_ = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_KEEPINTVL, int(keepAlive.Interval/time.Second))
	_ = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_KEEPCNT, keepAlive.Count)
}

// stopKeepAlive switches keepalive off.
func stopKeepAlive(fd uintptr) {
	_ = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_KEEPALIVE, 0)
}
