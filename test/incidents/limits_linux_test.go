package incidents

import (
	"context"
	"io"
	"net"
	"time"

	"errno_exporter/internal/faultlab/netlab"
)

// Limits of connections are reached by clients of the test's own, on the server's node.

// queueFull are the labels of a server whose queue of new connections is full: the kernel drops the SYN, or our last
// word of the handshake where the queue filled in the meantime. The first few may have found a place in it.
const queueFull = "connect tcp.timed_out - self|processing http.response.timed_out - self|" +
	"processing tcp.aborted - self|request tcp.aborted - self"

// occupy opens a connection to a port and sends nothing on it until the test ends.
func (s *site) occupy(port string) {
	if conn := s.connect(port, patience); conn == nil {
		s.Errorf("port %s does not accept a connection", port)
	}
}

// hold sends a request to a port that answers slowly or never, and leaves the connection open until the test ends.
func (s *site) hold(port string) {
	conn := s.connect(port, patience)
	if conn == nil {
		s.Errorf("port %s does not accept a connection", port)
		return
	}
	if _, err := io.WriteString(conn, "GET / HTTP/1.1\r\nHost: lab.test\r\n\r\n"); err != nil {
		s.Errorf("write to port %s: %v", port, err)
	}
}

// fill opens connections to a port whose server accepts no more of them, until one finds no place in the queue.
func (s *site) fill(port string) {
	const most = 20
	for range most {
		if s.connect(port, dropped) == nil {
			return
		}
	}
	s.Errorf("port %s accepts %d connections", port, most)
}

// dropped is how long a SYN without an answer is waited for. Where one is answered later, the queue has a place left,
// and the first probe takes it.
const dropped = 500 * time.Millisecond

// connect opens a connection that ends with the test; nil if that takes too long.
func (s *site) connect(port string, within time.Duration) net.Conn {
	ctx, cancel := context.WithTimeout(context.Background(), within)
	defer cancel()
	conn, err := s.net.Dial(ctx, netlab.S, "tcp", net.JoinHostPort("127.0.0.1", port))
	if err != nil {
		return nil
	}
	s.Cleanup(func() { _ = conn.Close() })
	return conn
}
