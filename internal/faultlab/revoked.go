package faultlab

import (
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"math/big"
	"net/http"
	"time"
)

// RevocationList is what a list of the lab's authority is like.
type RevocationList struct {
	Without    bool                          // the server's certificate is not in it
	NextUpdate time.Duration                 // from now; 0: an hour
	ThisUpdate time.Duration                 // from now; 0: an hour ago
	Stranger   bool                          // it is signed with another key
	Extensions func(string) []pkix.Extension // by the address of the list; nil: none
}

// DER is a list with a serial number, at an address.
func (l *RevocationList) DER(serial *big.Int, address string) []byte {
	if l.NextUpdate == 0 {
		l.NextUpdate = time.Hour
	}
	if l.ThisUpdate == 0 {
		l.ThisUpdate = -time.Hour
	}
	now := time.Now()
	list := &x509.RevocationList{Number: big.NewInt(1), ThisUpdate: now.Add(l.ThisUpdate),
		NextUpdate: now.Add(l.NextUpdate)}
	if l.NextUpdate < 0 {
		list.ThisUpdate = list.NextUpdate.Add(-time.Hour)
	}
	if !l.Without {
		list.RevokedCertificateEntries = []x509.RevocationListEntry{
			{SerialNumber: serial, RevocationTime: now.Add(-time.Hour), ReasonCode: 1}}
	}
	if l.Extensions != nil {
		list.ExtraExtensions = l.Extensions(address)
	}
	by := lab()
	if l.Stranger {
		by = stranger()
	}
	der, err := x509.CreateRevocationList(rand.Reader, list, by.certificate, by.key)
	if err != nil {
		panic(err) // our own template is wrong
	}
	return der
}

// ListedCertificate is a certificate of the lab's authority that names a list at an address.
func ListedCertificate(address ...string) tls.Certificate {
	return issue(lab(), func(c *x509.Certificate) { c.CRLDistributionPoints = address })
}

// Revocable serves HTTPS with a certificate whose list is what answer serves, by the certificate's serial number and
// the list's address.
func Revocable(h Host, answer func(serial *big.Int, address string) http.Handler) string {
	h.Helper()
	return TLSCertified(h, listed(h, answer), Healthy)
}

// listed is a certificate whose list is what answer serves.
func listed(h Host, answer func(serial *big.Int, address string) http.Handler) tls.Certificate {
	h.Helper()
	var list http.Handler
	known := make(chan struct{}) // is closed when list is
	address := Handler(h, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		<-known
		list.ServeHTTP(w, r)
	})) + "ca.crl"
	certificate := ListedCertificate(address)
	list = answer(certificate.Leaf.SerialNumber, address)
	close(known)
	return certificate
}

// Revoked serves HTTPS with a certificate whose list is at hand.
func Revoked(h Host, l RevocationList) string {
	h.Helper()
	return Revocable(h, func(serial *big.Int, address string) http.Handler {
		der := l.DER(serial, address)
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(der) })
	})
}

// RevokedPEM serves HTTPS with a certificate that is in its list, which is in PEM.
func RevokedPEM(h Host) string {
	h.Helper()
	return Revocable(h, func(serial *big.Int, address string) http.Handler {
		text := pem.EncodeToMemory(&pem.Block{Type: "X509 CRL", Bytes: new(RevocationList).DER(serial, address)})
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(text) })
	})
}

// RevokedWith serves a handler with a certificate that is in its list, over HTTP/1.1 or else HTTP/3.
func RevokedWith(h Host, protocol string, handler http.Handler) string {
	h.Helper()
	certificate := listed(h, func(serial *big.Int, address string) http.Handler {
		der := new(RevocationList).DER(serial, address)
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(der) })
	})
	if protocol == "h3" {
		config := &tls.Config{Certificates: []tls.Certificate{certificate}, NextProtos: []string{"h3"}}
		return serveHTTP3(h, config, handler)
	}
	return TLSCertified(h, certificate, handler)
}

// CertificateRevoked has a certificate that its authority has revoked.
func CertificateRevoked(h Host) string { h.Helper(); return Revoked(h, RevocationList{}) }

// IssuingDistributionPoint is the extension of a list that is about some certificates (RFC 5280 section 5.2.5): those
// of an address, and by tag 1 of users alone, by 2 of authorities alone, by 4 of other issuers.
func IssuingDistributionPoint(address string, tag int) []pkix.Extension {
	uri := asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: 6, Bytes: []byte(address)}
	var content []byte
	if address != "" {
		full := asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: 0, IsCompound: true, Bytes: marshal(uri)}
		content = marshal(asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: 0, IsCompound: true, Bytes: marshal(full)})
	}
	if tag != 0 {
		content = append(content, marshal(asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: tag, Bytes: []byte{0xff}})...)
	}
	return []pkix.Extension{{Id: asn1.ObjectIdentifier{2, 5, 29, 28}, Critical: true,
		Value: marshal(asn1.RawValue{Tag: asn1.TagSequence, IsCompound: true, Bytes: content})}}
}

func marshal(v asn1.RawValue) []byte {
	der, err := asn1.Marshal(v)
	if err != nil {
		panic(err) // our own value
	}
	return der
}
