//go:build !linux

package faultlab

import "net"

// closedPort returns the address of a port that was free a moment ago.
func closedPort(h Host) string {
	h.Helper()
	l := listen(h, "tcp4", "127.0.0.1:0")
	defer l.Close()
	return l.Addr().String()
}

// listenBacklog is a listener that accepts nothing; its queue has the system's length here.
func listenBacklog(h Host, _ int) string {
	h.Helper()
	l := listen(h, "tcp4", "127.0.0.1:0")
	h.Cleanup(func() { _ = l.Close() })
	return l.Addr().String()
}

// smallWindow is a listener with the system's window here.
func smallWindow(h Host) *net.TCPListener {
	h.Helper()
	return listen(h, "tcp4", "127.0.0.1:0")
}
