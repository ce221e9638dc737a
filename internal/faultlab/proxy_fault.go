package faultlab

import (
	"crypto/tls"
	"crypto/x509"
	"io"
	"net"
	"strings"
)

// Faults of HTTP proxies. Each returns the proxy's URL. A proxy that refuses connections is ClosedPort.

// answerAsk returns the URL of a proxy that reads a request, CONNECT or other, sends bytes, and then does what after
// says.
func answerAsk(h Host, bytes string, after func(*net.TCPConn)) string {
	h.Helper()
	return strings.TrimSuffix(answer(h, bytes, after), "/")
}

// ConnectStatus answers CONNECT with a status and an empty body; 407 with Proxy-Authenticate.
func ConnectStatus(h Host, status int) string {
	h.Helper()
	return answerAsk(h, proxyAnswer(status), hang)
}

// ForwardStatus answers a request in absolute form as ConnectStatus answers CONNECT.
func ForwardStatus(h Host, status int) string { h.Helper(); return ConnectStatus(h, status) }

// ConnectReset reads CONNECT and resets.
func ConnectReset(h Host) string { h.Helper(); return answerAsk(h, "", reset) }

// ConnectFin reads CONNECT and sends a FIN.
func ConnectFin(h Host) string { h.Helper(); return answerAsk(h, "", fin) }

// ConnectSilent reads CONNECT and never answers.
func ConnectSilent(h Host) string { h.Helper(); return answerAsk(h, "", hang) }

// ConnectGarbage answers CONNECT with a line that is not HTTP.
func ConnectGarbage(h Host) string { h.Helper(); return answerAsk(h, "garbage\r\n\r\n", hang) }

// ConnectHugeHead answers CONNECT with 200 and a head of 2 MiB.
func ConnectHugeHead(h Host) string {
	h.Helper()
	filler := "X-Filler: " + strings.Repeat("x", 1000) + "\r\n"
	return answerAsk(h, "HTTP/1.1 200 OK\r\n"+strings.Repeat(filler, 2100)+"\r\n", hang)
}

// UntrustedHTTPSProxy is an https:// proxy with a certificate of an authority that nobody trusts.
func UntrustedHTTPSProxy(h Host) string {
	h.Helper()
	config := &tls.Config{Certificates: []tls.Certificate{issue(unknown(), func(*x509.Certificate) {})}}
	return "https://" + serveTLS(h, config, func(conn *tls.Conn, _ *net.TCPConn) {
		if readRequest(conn) {
			_, _ = io.WriteString(conn, proxyAnswer(502))
		}
	})
}
