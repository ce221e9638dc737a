package faultlab

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"io"
	"net/http"
	"time"

	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/http3"
)

// HTTP3Handler serves HTTP/3 by a handler, without faults.
func HTTP3Handler(h Host, handler http.Handler) string {
	h.Helper()
	return serveHTTP3(h, secured("h3"), handler)
}

func serveHTTP3(h Host, config *tls.Config, handler http.Handler) string {
	h.Helper()
	socket := newUDPSocket(h)
	transport := &quic.Transport{Conn: socket}
	l, err := transport.ListenEarly(config, nil)
	if err != nil {
		h.Fatalf("faultlab: listen for QUIC: %v", err)
	}
	server := &http3.Server{Handler: handler}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = server.ServeListener(l) // ends with the host
	}()
	h.Cleanup(func() {
		_ = server.Close()
		_ = l.Close()
		_ = transport.Close()
		<-done
	})
	return socket.url()
}

// HTTP3ExpiredCertificate shows a certificate that ended an hour ago.
func HTTP3ExpiredCertificate(h Host) string {
	h.Helper()
	c := issue(lab(), func(c *x509.Certificate) { c.NotAfter = time.Now().Add(-time.Hour) })
	return serveHTTP3(h, &tls.Config{Certificates: []tls.Certificate{c}, NextProtos: []string{"h3"}}, Healthy)
}

// HTTP3WrongHost shows a certificate for other.example alone.
func HTTP3WrongHost(h Host) string {
	h.Helper()
	c := issue(lab(), func(c *x509.Certificate) { c.DNSNames, c.IPAddresses = []string{"other.example"}, nil })
	return serveHTTP3(h, &tls.Config{Certificates: []tls.Certificate{c}, NextProtos: []string{"h3"}}, Healthy)
}

// HTTP3UnknownCA shows a certificate of an authority that nobody trusts.
func HTTP3UnknownCA(h Host) string {
	h.Helper()
	c := issue(unknown(), func(*x509.Certificate) {})
	return serveHTTP3(h, &tls.Config{Certificates: []tls.Certificate{c}, NextProtos: []string{"h3"}}, Healthy)
}

// HTTP3NoCommonALPN speaks QUIC for another protocol than HTTP/3: alert 120.
func HTTP3NoCommonALPN(h Host) string { h.Helper(); return serveHTTP3(h, secured("doq"), Healthy) }

// HTTP3ClientCertificateRequired wants a client certificate; the client has finished its handshake when it is refused.
func HTTP3ClientCertificateRequired(h Host) string {
	h.Helper()
	config := secured("h3")
	wantCertificate(config, tls.VersionTLS13)
	return serveHTTP3(h, config, Healthy)
}

// HTTP/3 frames (RFC 9114 section 7.2) of a response with status 200, its fields from QPACK's static table (RFC 9204
// appendix A).
const (
	http3OK       = "\x01\x03\x00\x00\xd9"
	http3OKLength = "\x01\x06\x00\x00\xd9\x54\x01\x32" // content-length: 2
	http3Half     = "\x00\x01o"
	http3Body     = "\x00\x02ok"
)

// responding returns a server that answers with bytes on the request's stream, and then does what after says.
func responding(h Host, bytes string, after func(*quicStream)) string {
	h.Helper()
	return serveQUIC(h, nil, func(s *quicStream) {
		_, _ = io.WriteString(s, bytes)
		after(s)
	})
}

// HTTP3Silent accepts the request, whose packets it acknowledges, and never answers.
func HTTP3Silent(h Host) string { h.Helper(); return responding(h, "", (*quicStream).idle) }

// HTTP3StallsInBody sends half of the body and no more.
func HTTP3StallsInBody(h Host) string {
	h.Helper()
	return responding(h, http3OKLength+http3Half, (*quicStream).idle)
}

// HTTP3ShortBody ends the stream after half of the announced body.
func HTTP3ShortBody(h Host) string {
	h.Helper()
	return responding(h, http3OKLength+http3Half, (*quicStream).finish)
}

// HTTP3EndsWithoutResponse ends the stream without a response.
func HTTP3EndsWithoutResponse(h Host) string {
	h.Helper()
	return responding(h, "", (*quicStream).finish)
}

// HTTP3Minimal answers as the faults do, without a fault.
func HTTP3Minimal(h Host) string {
	h.Helper()
	return responding(h, http3OKLength+http3Body, (*quicStream).finish)
}

// HTTP3BadFrame answers with a body before any head, which HTTP/3 forbids.
func HTTP3BadFrame(h Host) string { h.Helper(); return responding(h, http3Body, (*quicStream).idle) }

// HTTP3BadHead answers with a head whose fields cannot be decoded.
func HTTP3BadHead(h Host) string {
	h.Helper()
	return responding(h, "\x01\x03\xff\xff\xff", (*quicStream).idle)
}

// HTTP3Status answers with this :status, of fewer than 127 bytes (RFC 9204 section 4.5.4: the name is in the static
// table, at 24).
func HTTP3Status(h Host, status string) string {
	h.Helper()
	return responding(h, http3Block("\x00\x00\x5f\x09"+string(rune(len(status)))+status), (*quicStream).finish)
}

// HTTP3NoSettings begins its control stream with a frame that is not SETTINGS (RFC 9114 section 6.2.1).
func HTTP3NoSettings(h Host) string {
	h.Helper()
	return serveQUIC(h, nil, func(s *quicStream) {
		if control, err := s.conn.OpenUniStream(); err == nil {
			_, _ = io.WriteString(control, "\x00\x07\x01\x00") // a control stream, GOAWAY
		}
		s.idle()
	})
}

// HTTP3HugeHead announces a head of 16 MB.
func HTTP3HugeHead(h Host) string {
	h.Helper()
	return responding(h, "\x01\x81\x00\x00\x00", (*quicStream).idle)
}

// HTTP3ResetsStream cancels the request with a code (RFC 9114 section 8.1).
func HTTP3ResetsStream(h Host, code uint64) string {
	h.Helper()
	return responding(h, "", func(s *quicStream) { s.CancelWrite(quic.StreamErrorCode(code)); s.idle() })
}

// HTTP3Closes closes the connection on the request, with a code of HTTP/3.
func HTTP3Closes(h Host, code uint64) string {
	h.Helper()
	return responding(h, "", func(s *quicStream) { _ = s.conn.CloseWithError(quic.ApplicationErrorCode(code), "") })
}

// HTTP3ClosesInBody closes the connection once the client has half of the body: it has acknowledged it.
func HTTP3ClosesInBody(h Host) string {
	h.Helper()
	return responding(h, http3OKLength+http3Half, func(s *quicStream) {
		pause(100 * time.Millisecond)
		_ = s.conn.CloseWithError(0x100, "")
	})
}

// HTTP3NeverReads acknowledges an upload as far as flow control lets it come, and reads nothing of it.
func HTTP3NeverReads(h Host) string { h.Helper(); return responding(h, "", (*quicStream).idle) }

// HTTP3PathDies loses every datagram of the server's from the request on.
func HTTP3PathDies(h Host) string {
	h.Helper()
	return serveQUIC(h, nil, func(s *quicStream) { s.socket.muted.Store(true); s.idle() })
}

// HTTP3ServerDies closes the server's socket at the request, without a word: ICMP port unreachable from then on.
func HTTP3ServerDies(h Host) string {
	h.Helper()
	return serveQUIC(h, nil, func(s *quicStream) { s.socket.muted.Store(true); _ = s.socket.Close() })
}

// HTTP3ServerRestarts forgets the connection at the request, and answers with a stateless reset (RFC 9000 section
// 10.3).
func HTTP3ServerRestarts(h Host) string {
	h.Helper()
	socket, ids, key := newUDPSocket(h), &connectionIDSource{}, new(quic.StatelessResetKey)
	serveTransport(h, &quic.Transport{Conn: socket, ConnectionIDGenerator: ids, StatelessResetKey: key}, nil,
		func(s *quicStream) {
			socket.muted.Store(true)
			for _, id := range ids.all() { // the client knows its own
				token := hmac.New(sha256.New, key[:]) // as quic-go derives it
				token.Write(id.Bytes())
				packet := append(bytes.Repeat([]byte{0x55}, 32), token.Sum(nil)[:16]...)
				_, _ = socket.PacketConn.WriteTo(packet, s.conn.RemoteAddr())
			}
			s.idle()
		})
	return socket.url()
}
