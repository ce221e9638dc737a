package socket

import (
	"time"

	"golang.org/x/sys/unix"
)

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
