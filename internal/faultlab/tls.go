package faultlab

import (
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"io"
	"net"
	"net/http"
	"time"
)

// serveCertificate serves HTTPS with a certificate.
func serveCertificate(h Host, by authority, change func(*x509.Certificate)) string {
	h.Helper()
	config := &tls.Config{Certificates: []tls.Certificate{issue(by, change)}, NextProtos: []string{"http/1.1"}}
	return "https://" + serveHTTP(h, listen(h, "tcp4", "127.0.0.1:0"), config, Healthy) + "/"
}

// ExpiredCertificate shows a certificate that ended an hour ago.
func ExpiredCertificate(h Host) string {
	h.Helper()
	return serveCertificate(h, lab(), func(c *x509.Certificate) { c.NotAfter = time.Now().Add(-time.Hour) })
}

// CertificateNotYetValid shows a certificate that begins in an hour.
func CertificateNotYetValid(h Host) string {
	h.Helper()
	return serveCertificate(h, lab(), func(c *x509.Certificate) { c.NotBefore = time.Now().Add(time.Hour) })
}

// CertificateWrongHost shows a certificate for other.example alone.
func CertificateWrongHost(h Host) string {
	h.Helper()
	return serveCertificate(h, lab(), func(c *x509.Certificate) {
		c.DNSNames, c.IPAddresses = []string{"other.example"},
			nil
	})
}

// CertificateCommonNameOnly shows a certificate that names its host in the common name, which counts no longer.
func CertificateCommonNameOnly(h Host) string {
	h.Helper()
	return serveCertificate(h, lab(), func(c *x509.Certificate) {
		c.Subject.CommonName, c.DNSNames, c.IPAddresses = "127.0.0.1", nil, nil
	})
}

// CertificateUnknownCA shows a certificate of an authority that nobody trusts.
func CertificateUnknownCA(h Host) string {
	h.Helper()
	return serveCertificate(h, unknown(), func(*x509.Certificate) {})
}

// CertificateSameNameOtherKey shows a certificate of an authority with the trusted one's name and another key.
func CertificateSameNameOtherKey(h Host) string {
	h.Helper()
	return serveCertificate(h, stranger(), func(*x509.Certificate) {})
}

// CertificateWrongUsage shows a certificate that is for clients only.
func CertificateWrongUsage(h Host) string {
	h.Helper()
	usage := []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
	return serveCertificate(h, lab(), func(c *x509.Certificate) { c.ExtKeyUsage = usage })
}

// secured is a configuration with the lab's certificate.
func secured(protocols ...string) *tls.Config {
	return &tls.Config{Certificates: []tls.Certificate{certificate()}, NextProtos: protocols}
}

// overTLS returns the URL of a TLS server with HTTP/1.1 for the connection.
func overTLS(h Host, change func(*tls.Config), handle func(*tls.Conn, *net.TCPConn)) string {
	h.Helper()
	config := secured("http/1.1")
	change(config)
	return "https://" + serveTLS(h, config, handle) + "/"
}

func unchanged(*tls.Config) {}

// SlowHandshake answers a ClientHello after a time.
func SlowHandshake(h Host, after time.Duration) string {
	h.Helper()
	return overTLS(h, func(c *tls.Config) {
		c.GetConfigForClient = func(*tls.ClientHelloInfo) (*tls.Config, error) { pause(after); return nil, nil }
	}, obliging)
}

const okClose = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"

// obliging answers one request with 200.
func obliging(conn *tls.Conn, _ *net.TCPConn) {
	if readRequest(conn) {
		_, _ = io.WriteString(conn, okClose)
		_ = conn.CloseWrite()
		waitGone(conn)
	}
}

// TLSVersionTooNew speaks TLS 1.3 alone: alert 70 for a client limited to less.
func TLSVersionTooNew(h Host) string {
	h.Helper()
	return overTLS(h, func(c *tls.Config) { c.MinVersion = tls.VersionTLS13 }, obliging)
}

// TLSVersionTooOld speaks TLS 1.1 at most.
func TLSVersionTooOld(h Host) string {
	h.Helper()
	return overTLS(h, func(c *tls.Config) { c.MinVersion, c.MaxVersion = tls.VersionTLS10, tls.VersionTLS11 }, obliging)
}

// TLSNoCommonCipher has one cipher suite, and a key that does not go with it: alert 40.
func TLSNoCommonCipher(h Host) string {
	h.Helper()
	return overTLS(h, func(c *tls.Config) {
		c.MaxVersion, c.CipherSuites = tls.VersionTLS12, []uint16{tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256}
	}, obliging)
}

// TLSNoCommonALPN offers only a protocol that no HTTP client wants: alert 120.
func TLSNoCommonALPN(h Host) string {
	h.Helper()
	return overTLS(h, func(c *tls.Config) { c.NextProtos = []string{"mqtt"} }, obliging)
}

// ClientCertificateRequired12 wants a client certificate, within the handshake of TLS 1.2.
func ClientCertificateRequired12(h Host) string {
	h.Helper()
	return overTLS(h, func(c *tls.Config) { wantCertificate(c, tls.VersionTLS12) }, obliging)
}

// ClientCertificateRequired13 wants a client certificate; with TLS 1.3 the client has finished its handshake when it is
// refused.
func ClientCertificateRequired13(h Host) string {
	h.Helper()
	return overTLS(h, func(c *tls.Config) { wantCertificate(c, tls.VersionTLS13) }, obliging)
}

func wantCertificate(c *tls.Config, version uint16) {
	c.MinVersion, c.MaxVersion = version, version
	c.ClientAuth, c.ClientCAs = tls.RequireAndVerifyClientCert, Roots()
}

// afterHello returns the URL of a server that reads the ClientHello, sends bytes, and then does what after says.
func afterHello(h Host, bytes string, after func(*net.TCPConn)) string {
	h.Helper()
	return "https://" + serveTCP(h, func(conn *net.TCPConn) {
		if readRecord(conn) {
			_, _ = io.WriteString(conn, bytes)
			after(conn)
		}
	}) + "/"
}

// readRecord reads one TLS record: type, version, length, content (RFC 8446 section 5.1).
func readRecord(conn net.Conn) bool {
	var head [5]byte
	if _, err := io.ReadFull(conn, head[:]); err != nil {
		return false
	}
	_, err := io.CopyN(io.Discard, conn, int64(head[3])<<8|int64(head[4]))
	return err == nil
}

// TLSAlert answers the ClientHello with a fatal alert in clear.
func TLSAlert(h Host, code uint8) string {
	h.Helper()
	return afterHello(h, "\x15\x03\x03\x00\x02\x02"+string([]byte{code}), hang)
}

// TLSCloseNotifyInHandshake answers the ClientHello with the warning close_notify and a FIN.
func TLSCloseNotifyInHandshake(h Host) string {
	h.Helper()
	return afterHello(h, "\x15\x03\x03\x00\x02\x01\x00", fin)
}

// TLSResetAfterHello reads the ClientHello and resets.
func TLSResetAfterHello(h Host) string { h.Helper(); return afterHello(h, "", reset) }

// TLSFinAfterHello reads the ClientHello and closes in order.
func TLSFinAfterHello(h Host) string { h.Helper(); return afterHello(h, "", fin) }

// TLSFinMidRecord announces a record of 100 bytes, sends 10 and closes.
func TLSFinMidRecord(h Host) string {
	h.Helper()
	return afterHello(h, "\x16\x03\x03\x00\x64"+"0123456789", fin)
}

// TLSSilent reads the ClientHello and never answers.
func TLSSilent(h Host) string { h.Helper(); return afterHello(h, "", hang) }

// HTTPOnTLSPort answers the ClientHello with an HTTP response in clear.
func HTTPOnTLSPort(h Host) string {
	h.Helper()
	return afterHello(h, "HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n", fin)
}

// SSHOnTLSPort sends an SSH banner.
func SSHOnTLSPort(h Host) string { h.Helper(); return afterHello(h, "SSH-2.0-OpenSSH_9.6\r\n", hang) }

// PlainHTTPOnTLSPort is Go's HTTPS server spoken to in clear: it answers HTTP 400.
func PlainHTTPOnTLSPort(h Host) string {
	h.Helper()
	config := secured()
	return "http://" + serveHTTP(h, listen(h, "tcp4", "127.0.0.1:0"), config, http.NotFoundHandler()) + "/"
}

// PlainHTTPOnTLSPortAlert is another TLS server spoken to in clear: it answers with an alert in clear and closes.
func PlainHTTPOnTLSPortAlert(h Host) string {
	h.Helper()
	return answer(h, "\x15\x03\x01\x00\x02\x02\x16", fin)
}

// PlainHTTPOnTLSPortClosed is another TLS server spoken to in clear: it closes.
func PlainHTTPOnTLSPortClosed(h Host) string { h.Helper(); return answer(h, "", fin) }

// answerTLS returns the URL of a server that reads a request over TLS, sends bytes over it, and then does what after
// says.
func answerTLS(h Host, bytes string, after func(*tls.Conn, *net.TCPConn)) string {
	h.Helper()
	return overTLS(h, unchanged, func(conn *tls.Conn, raw *net.TCPConn) {
		if !readRequest(conn) {
			return
		}
		_, _ = io.WriteString(conn, bytes)
		after(conn, raw)
	})
}

func rawReset(_ *tls.Conn, raw *net.TCPConn) { reset(raw) }
func rawFin(_ *tls.Conn, raw *net.TCPConn)   { fin(raw) }

// closeNotify sends close_notify, the TLS way to close, and keeps the connection until the client closes.
func closeNotify(conn *tls.Conn, _ *net.TCPConn) {
	_ = conn.CloseWrite()
	waitGone(conn)
}

// TLSResetAfterRequest reads the request and resets.
func TLSResetAfterRequest(h Host) string { h.Helper(); return answerTLS(h, "", rawReset) }

// TLSFinAfterRequest reads the request and sends a FIN without a close_notify.
func TLSFinAfterRequest(h Host) string { h.Helper(); return answerTLS(h, "", rawFin) }

// TLSCloseNotifyAfterRequest reads the request and sends a close_notify without a FIN.
func TLSCloseNotifyAfterRequest(h Host) string { h.Helper(); return answerTLS(h, "", closeNotify) }

// TLSResetMidBody resets within a body with a Content-Length.
func TLSResetMidBody(h Host) string { h.Helper(); return answerTLS(h, headCL+some, rawReset) }

// TLSFinMidBody sends a FIN within a body with a Content-Length, without a close_notify.
func TLSFinMidBody(h Host) string { h.Helper(); return answerTLS(h, headCL+some, rawFin) }

// TLSCloseNotifyMidBody sends a close_notify within a body with a Content-Length, without a FIN.
func TLSCloseNotifyMidBody(h Host) string { h.Helper(); return answerTLS(h, headCL+some, closeNotify) }

// TLSCloseNotifyMidHead sends a close_notify within the head, without a FIN.
func TLSCloseNotifyMidHead(h Host) string { h.Helper(); return answerTLS(h, headCL[:30], closeNotify) }

// TLSCutUntilEOFBody ends a body that only the end of the connection ends by a FIN without close_notify: it may have
// been cut.
func TLSCutUntilEOFBody(h Host) string { h.Helper(); return answerTLS(h, headClose+some, rawFin) }

// TLSBadMAC answers the request with a record of random bytes.
func TLSBadMAC(h Host) string {
	h.Helper()
	return answerTLS(h, "", func(_ *tls.Conn, raw *net.TCPConn) {
		record := append([]byte("\x17\x03\x03\x00\x40"), make([]byte, 64)...)
		_, _ = rand.Read(record[5:])
		_, _ = raw.Write(record)
		waitGone(raw)
	})
}

// TLSUnknownHandshakeMessage answers the ClientHello with a handshake message of an unknown type.
func TLSUnknownHandshakeMessage(h Host) string {
	h.Helper()
	return afterHello(h, "\x16\x03\x03\x00\x04\x63\x00\x00\x00", hang)
}

// serverHello is a ServerHello record of TLS 1.2's form with a version and a cipher suite (RFC 5246 section 7.4.1.3).
func serverHello(minor byte, suite string) string {
	body := "\x03" + string([]byte{minor}) + string(make([]byte, 32)) + "\x00" + suite + "\x00"
	handshake := "\x02\x00\x00" + string([]byte{byte(len(body))}) + body
	return "\x16\x03\x03\x00" + string([]byte{byte(len(handshake))}) + handshake
}

// TLSServerHelloOfTLS11 answers with a ServerHello of TLS 1.1, which was not offered.
func TLSServerHelloOfTLS11(h Host) string {
	h.Helper()
	return afterHello(h, serverHello(2, "\xc0\x2b"), hang)
}

// TLSServerHelloUnknownSuite answers with a ServerHello of TLS 1.2 and a cipher suite that was not offered.
func TLSServerHelloUnknownSuite(h Host) string {
	h.Helper()
	return afterHello(h, serverHello(3, "\x00\x01"), hang)
}
