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
