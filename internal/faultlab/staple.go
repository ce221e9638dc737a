package faultlab

import (
	"crypto"
	"crypto/tls"
	"crypto/x509"
	"math/big"
	"net/http"
	"time"

	"golang.org/x/crypto/ocsp"
)

// Responder is who signs a stapled response.
type Responder int

// The responders. All but the first two send a certificate of theirs with the response.
const (
	IssuerSigns       Responder = iota // the lab's authority
	StrangerSigns                      // another key, by the authority's name
	DelegateSigns                      // one that the authority has certified for it
	WrongUsageSigns                    // one that it has certified for something else
	ExpiredSigns                       // one whose certificate has expired
	UnknownSigns                       // one that another authority has certified
	SameNameSigns                      // one that another authority of the same name has certified
	IssuerSignsWithIt                  // the authority, and its certificate is sent
)

// Staple is what a server's OCSP response is like.
type Staple struct {
	Status     int           // of package ocsp; 0: good
	ThisUpdate time.Duration // from now; 0: an hour ago
	NextUpdate time.Duration // from now; 0: in an hour
	Another    bool          // it is about another certificate
	By         Responder
	Text       string // is sent instead, if it is not empty
}

// StapledAt is when the staples of a lab say that their certificates were revoked.
func StapledAt() time.Time { return time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC) }

// der is the response about a certificate.
func (s *Staple) der(c *x509.Certificate) []byte {
	if s.Text != "" {
		return []byte(s.Text)
	}
	response := ocsp.Response{Status: s.Status, SerialNumber: c.SerialNumber,
		ThisUpdate: time.Now().Add(-time.Hour), NextUpdate: time.Now().Add(time.Hour)}
	if s.Status == ocsp.Revoked {
		response.RevokedAt, response.RevocationReason = StapledAt(), ocsp.KeyCompromise
	}
	if s.ThisUpdate != 0 {
		response.ThisUpdate = time.Now().Add(s.ThisUpdate)
	}
	if s.NextUpdate != 0 {
		response.NextUpdate = time.Now().Add(s.NextUpdate)
	}
	if s.Another {
		response.SerialNumber = new(big.Int).Add(c.SerialNumber, big.NewInt(1))
	}
	by, key := s.By.certified()
	response.Certificate = by
	if by == nil {
		by = lab().certificate
	}
	der, err := ocsp.CreateResponse(lab().certificate, by, response, key)
	if err != nil {
		panic(err) // our own template is wrong
	}
	return der
}

// certified is a responder's key, and the certificate that is sent with its responses.
func (r Responder) certified() (*x509.Certificate, crypto.Signer) {
	usage, by, change := x509.ExtKeyUsageOCSPSigning, lab(), func(*x509.Certificate) {}
	switch r {
	case IssuerSigns:
		return nil, lab().key
	case StrangerSigns:
		return nil, stranger().key
	case IssuerSignsWithIt:
		return lab().certificate, lab().key
	case WrongUsageSigns:
		usage = x509.ExtKeyUsageServerAuth
	case ExpiredSigns:
		change = func(c *x509.Certificate) { c.NotAfter = time.Now().Add(-time.Hour) }
	case UnknownSigns:
		by = unknown()
	case SameNameSigns:
		by = stranger()
	}
	c := issue(by, func(c *x509.Certificate) {
		c.ExtKeyUsage = []x509.ExtKeyUsage{usage}
		change(c)
	})
	return c.Leaf, c.PrivateKey.(crypto.Signer)
}

// Stapled serves a handler over HTTP/1.1 or else HTTP/3, with an OCSP response.
func Stapled(h Host, protocol string, s Staple, handler http.Handler) string {
	h.Helper()
	certificate := issue(lab(), func(*x509.Certificate) {})
	certificate.OCSPStaple = s.der(certificate.Leaf)
	if protocol == "h3" {
		config := &tls.Config{Certificates: []tls.Certificate{certificate}, NextProtos: []string{"h3"}}
		return serveHTTP3(h, config, handler)
	}
	return TLSCertified(h, certificate, handler)
}

// StapledRevoked sends an OCSP response of its authority by which its certificate is revoked.
func StapledRevoked(h Host) string {
	h.Helper()
	return Stapled(h, "http/1.1", Staple{Status: ocsp.Revoked}, Healthy)
}
