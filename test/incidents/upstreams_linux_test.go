package incidents

import (
	"io"
	"net"
	"strings"

	"errno_exporter/internal/faultlab/netlab"
)

// upstreams are the servers behind gateways, at ports of S.
var upstreams = map[string]func(net.Conn){
	"8901": func(conn net.Conn) { _, _ = io.Copy(io.Discard, conn) }, // never answers
	"8902": func(conn net.Conn) { // ends in the middle of the body
		_, _ = conn.Read(make([]byte, 4096))
		_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n"+strings.Repeat("x", 2000))
	},
	"8903": func(conn net.Conn) { _, _ = conn.Read(make([]byte, 4096)) }, // closes without an answer
}

// startUpstreams has them listen until the test ends.
func (s *site) startUpstreams() {
	for port, serve := range upstreams {
		l := s.net.Listen(netlab.S, "tcp", "127.0.0.1:"+port)
		go func() {
			for {
				conn, err := l.Accept()
				if err != nil {
					return // the test has ended
				}
				go func() {
					defer conn.Close()
					serve(conn)
				}()
			}
		}()
	}
}
