package faultlab

import (
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"io"
	"net"
	"net/url"
	"strings"
)

// Hostile is a text that drives a terminal (ECMA-48, also by C1 of Unicode), turns the order of writing (UAX 9), and
// begins a line of its own.
const Hostile = "a\x1b[31m\x7f\u009b2J\u202eb\nOK: all is well"

// CertificateSays shows a certificate whose subject, issuer, DNS, e-mail and URI names are a text, by an authority of
// its own, and answers requests with bytes and a FIN. roots is that authority. The names are localhost, and the text's
// characters that a name can have, which are ASCII (RFC 5280 section 4.2.1.6).
func CertificateSays(h Host, text, bytes string) (address string, roots []byte) {
	h.Helper()
	by := newAuthority(text)
	name := strings.Map(func(r rune) rune {
		if r >= 0x80 {
			return -1
		}
		return r
	}, text)
	certificate := issue(by, func(c *x509.Certificate) {
		c.Subject.CommonName, c.DNSNames, c.IPAddresses = text, []string{"localhost", name}, nil
		c.EmailAddresses, c.Subject.Organization = []string{name}, []string{text}
		c.URIs = []*url.URL{{Scheme: "https", Host: "localhost", Path: "/" + name}}
		// pseudonym: no name in RFC 2253
		c.Subject.ExtraNames = []pkix.AttributeTypeAndValue{{Type: asn1.ObjectIdentifier{2, 5, 4, 65}, Value: text}}
	})
	address = overTLS(h, func(c *tls.Config) { c.Certificates = []tls.Certificate{certificate} },
		func(conn *tls.Conn, raw *net.TCPConn) {
			if readRequest(conn) {
				_, _ = io.WriteString(conn, bytes)
				rawFin(conn, raw)
			}
		})
	return address, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: by.certificate.Raw})
}
