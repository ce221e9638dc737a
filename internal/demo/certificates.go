package demo

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"strings"
	"time"

	"errno_exporter/guard"
)

// authority is the demo's own certificate authority. Its modules trust it.
type authority struct {
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
	leaves      map[bool]tls.Certificate // by whether they have expired
	panicked    guard.Report             // is called with the panics of its servers
}

const day = 24 * time.Hour

func newAuthority() (*authority, error) {
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "errno_exporter demo CA"},
		NotBefore: time.Now().Add(-10 * day), NotAfter: time.Now().Add(365 * day),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	a := &authority{leaves: map[bool]tls.Certificate{}}
	var err error
	if a.key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
		return nil, err
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, a.key.Public(), a.key)
	if err != nil {
		return nil, err
	}
	if a.certificate, err = x509.ParseCertificate(der); err != nil {
		return nil, err
	}
	for expired, until := range map[bool]time.Time{false: time.Now().Add(30 * day), true: time.Now().Add(-day)} {
		if a.leaves[expired], err = a.issue(until); err != nil {
			return nil, err
		}
	}
	return a, nil
}

// issue makes a certificate for localhost and 127.0.0.1 that is valid until a time.
func (a *authority) issue(until time.Time) (tls.Certificate, error) {
	template := &x509.Certificate{
		SerialNumber: big.NewInt(until.Unix()), Subject: pkix.Name{CommonName: "localhost"},
		NotBefore: a.certificate.NotBefore, NotAfter: until,
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		DNSNames: []string{"localhost"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.certificate, a.key.Public(), a.key)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: a.key}, err
}

func (a *authority) valid() *tls.Config {
	return &tls.Config{Certificates: []tls.Certificate{a.leaves[false]}}
}
func (a *authority) expired() *tls.Config {
	return &tls.Config{Certificates: []tls.Certificate{a.leaves[true]}}
}

// module writes a module that trusts the authority. More keys of http may be given, a line each.
func (a *authority) module(to io.Writer, name string, keys ...string) {
	fmt.Fprintf(to, "  %s:\n    prober: http\n    timeout: 2s\n    http:\n      preferred_ip_protocol: ip4\n      "+
		"trace: true\n", name)
	for _, key := range keys {
		fmt.Fprintf(to, "      %s\n", key)
	}
	fmt.Fprint(to, "      tls_config:\n        ca: |\n")
	for line := range strings.Lines(string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE",
		Bytes: a.certificate.Raw}))) {
		fmt.Fprintf(to, "          %s", line)
	}
}
