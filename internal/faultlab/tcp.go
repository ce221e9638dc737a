package faultlab

import (
	"net"
	"sync"
	"time"
)

// ClosedPort has a port on which nothing listens: a SYN is answered with RST. The port stays bound to us, so that
// nobody else takes it.
func ClosedPort(h Host) string {
	h.Helper()
	return "http://" + closedPort(h) + "/"
}

// NeverAccepts has a listener whose accept queue is full: further SYNs are dropped.
func NeverAccepts(h Host) string {
	h.Helper()
	l := listenBacklog(h, 0)
	var fill []net.Conn
	h.Cleanup(func() {
		for _, conn := range fill {
			_ = conn.Close()
		}
	})
	// A backlog of 0 holds one connection (listen(2), net/ipv4/tcp_ipv4.c): this one.
	conn, err := net.DialTimeout("tcp4", l, 5*time.Second)
	if err != nil {
		h.Fatalf("faultlab: fill the accept queue: %v", err)
	}
	fill = append(fill, conn)
	return "http://" + l + "/"
}

// ResetOnAccept resets each connection as soon as it is accepted.
func ResetOnAccept(h Host) string {
	h.Helper()
	return "http://" + serveTCP(h, reset) + "/"
}

// CloseOnAccept sends a FIN as soon as a connection is accepted, and reads nothing.
func CloseOnAccept(h Host) string {
	h.Helper()
	return "http://" + serveTCP(h, func(conn *net.TCPConn) {
		_ = conn.CloseWrite()
		waitGone(conn)
	}) + "/"
}

// Silent accepts, reads whatever comes, and never answers.
func Silent(h Host) string {
	h.Helper()
	return "http://" + serveTCP(h, func(conn *net.TCPConn) { waitGone(conn) }) + "/"
}

// NeverReads accepts with a small receive buffer and reads nothing: an upload ends with a closed window.
func NeverReads(h Host) string {
	h.Helper()
	stop := make(chan struct{})
	url := "http://" + serveOn(h, smallWindow(h), func(*net.TCPConn) { <-stop }) + "/"
	// before the server waits for its handlers: cleanups run last in, first out
	h.Cleanup(sync.OnceFunc(func() { close(stop) }))
	return url
}
