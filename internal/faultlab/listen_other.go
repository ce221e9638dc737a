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

// segmentLength is in bytes how long the segments are that a server of listenSegments gets on Linux.
const segmentLength = 1400

// listenSegments listens with the system's segment size here.
func listenSegments(h Host, address string) *net.TCPListener {
	h.Helper()
	return listen(h, "tcp", address)
}

// dataSegments is not known here.
func dataSegments(*net.TCPConn) int { return 1 }
