package bench

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"

	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/http3"
)

// acceptors is how many connections can be accepted at once. quic-go refuses those that wait behind 32 others, and a
// saturated server accepts late.
const acceptors = 512

// serveThird serves HTTP/3 until the process ends, and returns the URL.
func serveThird(c *tls.Config, handler http.Handler) (string, error) {
	conn, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	l, err := quic.Listen(conn, http3.ConfigureTLSConfig(c), nil)
	if err != nil {
		return "", err
	}
	server := &http3.Server{Handler: handler}
	for range acceptors {
		go func() {
			for {
				conn, err := l.Accept(context.Background())
				if err != nil {
					return
				}
				go func() { _ = server.ServeQUICConn(conn) }() // the client's end is the client's business
			}
		}()
	}
	return "https://" + conn.LocalAddr().String(), nil
}
