package faultlab

import (
	"crypto/tls"
	"crypto/x509"
	"net/http"
)

// TLSGroup serves HTTPS with one version of TLS and one group for the key exchange.
func TLSGroup(h Host, version uint16, group tls.CurveID) string {
	h.Helper()
	return overTLS(h, func(c *tls.Config) {
		c.MinVersion, c.MaxVersion, c.CurvePreferences = version, version, []tls.CurveID{group}
	}, obliging)
}

// TLSVersion serves HTTPS with one version of TLS alone.
func TLSVersion(h Host, version uint16) string {
	h.Helper()
	return overTLS(h, func(c *tls.Config) { c.MinVersion, c.MaxVersion = version, version }, obliging)
}

// TLSSuite serves HTTPS with TLS 1.2 and one cipher suite, with a key of RSA.
func TLSSuite(h Host, suite uint16) string {
	h.Helper()
	return overTLS(h, func(c *tls.Config) {
		c.MaxVersion, c.CipherSuites = tls.VersionTLS12, []uint16{suite}
		c.Certificates = []tls.Certificate{rsaCertificate()}
	}, obliging)
}

// HTTP3Group serves HTTP/3 with one group for the key exchange.
func HTTP3Group(h Host, group tls.CurveID) string {
	h.Helper()
	config := secured("h3")
	config.CurvePreferences = []tls.CurveID{group}
	return serveHTTP3(h, config, Healthy)
}

// SeesHello serves HTTPS if a function accepts the ClientHello, and else sends alert 80.
func SeesHello(h Host, see func(*tls.ClientHelloInfo) error) string {
	h.Helper()
	return overTLS(h, func(c *tls.Config) {
		c.GetConfigForClient = func(hello *tls.ClientHelloInfo) (*tls.Config, error) { return nil, see(hello) }
	}, obliging)
}

// TLSCertified serves HTTPS by a handler, with a certificate.
func TLSCertified(h Host, c tls.Certificate, handler http.Handler) string {
	h.Helper()
	config := &tls.Config{Certificates: []tls.Certificate{c}, NextProtos: []string{"http/1.1"}}
	return "https://" + serveHTTP(h, listen(h, "tcp4", "127.0.0.1:0"), config, handler) + "/"
}

// Certificates are those of the lab's authority and the ones that a server with it sends.
func Certificates(c tls.Certificate) (root *x509.Certificate, sent []*x509.Certificate) {
	for _, der := range c.Certificate {
		one, err := x509.ParseCertificate(der)
		if err != nil {
			panic(err) // our own
		}
		sent = append(sent, one)
	}
	return lab().certificate, sent
}
