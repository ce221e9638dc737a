package faultlab

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"strings"
	"sync"
	"time"
)

// authority is a certificate authority of the lab.
type authority struct {
	certificate *x509.Certificate
	key         crypto.Signer
}

// lab is the authority that the lab's servers are certified by, made once in a process.
var lab = sync.OnceValue(func() authority { return newAuthority("faultlab CA") })

// stranger is an authority with the lab's name and another key.
var stranger = sync.OnceValue(func() authority { return newAuthority("faultlab CA") })

// unknown is an authority that nobody trusts.
var unknown = sync.OnceValue(func() authority { return newAuthority("unknown CA") })

func newAuthority(name string) authority {
	template := &x509.Certificate{
		SerialNumber: serial(), Subject: pkix.Name{CommonName: name},
		NotBefore: time.Now().Add(-24 * time.Hour), NotAfter: time.Now().Add(365 * 24 * time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
	}
	key := newKey()
	return authority{sign(template, template, key.Public(), key), key}
}

// Roots is a pool with the lab's authority.
func Roots() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(lab().certificate)
	return pool
}

// RootsPEM is the lab's authority in PEM, for a ca_file.
func RootsPEM() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: lab().certificate.Raw})
}

// Module is the text of a module, for a configuration, that trusts the certificates of an authority in PEM and prefers
// IPv4. More keys of http may be given, a line each.
func Module(name string, timeout time.Duration, roots []byte, keys ...string) string {
	var text strings.Builder
	fmt.Fprintf(&text, "  %s:\n    prober: http\n    timeout: %s\n    http:\n      preferred_ip_protocol: ip4\n", name,
		timeout)
	for _, key := range keys {
		fmt.Fprintf(&text, "      %s\n", key)
	}
	text.WriteString("      tls_config:\n        ca: |\n")
	for line := range strings.Lines(string(roots)) {
		fmt.Fprintf(&text, "          %s", line)
	}
	return text.String()
}

// ClientCertificate is accepted by the servers that want one.
func ClientCertificate() tls.Certificate {
	return issue(lab(), func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth} })
}

// certificate is a good one for localhost, the loopback addresses, lab.test and *.lab.test.
var certificate = sync.OnceValue(func() tls.Certificate { return issue(lab(), func(*x509.Certificate) {}) })

// issue makes a server's certificate; change makes it a bad one.
func issue(by authority, change func(*x509.Certificate)) tls.Certificate {
	return certify(by, newKey(), change)
}

// rsaCertificate is a good one whose key is of RSA, as RSA key exchange needs it (RFC 5246 section 7.4.2).
var rsaCertificate = sync.OnceValue(func() tls.Certificate {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err) // no randomness, no lab
	}
	return certify(lab(), key, func(c *x509.Certificate) { c.KeyUsage |= x509.KeyUsageKeyEncipherment })
})

// certify makes a server's certificate for a key.
func certify(by authority, key crypto.Signer, change func(*x509.Certificate)) tls.Certificate {
	template := &x509.Certificate{
		SerialNumber: serial(), Subject: pkix.Name{CommonName: "lab.test"},
		NotBefore: time.Now().Add(-24 * time.Hour), NotAfter: time.Now().Add(30 * 24 * time.Hour),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		DNSNames:    []string{"localhost", "lab.test", "*.lab.test"},
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback},
	}
	change(template)
	leaf := sign(template, by.certificate, key.Public(), by.key)
	return tls.Certificate{Certificate: [][]byte{leaf.Raw}, PrivateKey: key, Leaf: leaf}
}

func newKey() *ecdsa.PrivateKey {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err) // no randomness, no lab
	}
	return key
}

func sign(template, parent *x509.Certificate, public crypto.PublicKey, key crypto.Signer) *x509.Certificate {
	der, err := x509.CreateCertificate(rand.Reader, template, parent, public, key)
	if err != nil {
		panic(err) // our own template is wrong
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		panic(err)
	}
	return c
}

func serial() *big.Int {
	n, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 64))
	if err != nil {
		panic(err)
	}
	return n
}

// PEM is a certificate and its key as files hold them.
func PEM(c tls.Certificate) (certificate, key []byte) {
	der, err := x509.MarshalPKCS8PrivateKey(c.PrivateKey)
	if err != nil {
		panic(err) // our own key
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Certificate[0]}),
		pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
}

// ChainCertificate is a good one by an authority between, which is sent with it, as most of the Web's are. It is valid
// until a time, the authority for a day longer.
func ChainCertificate(until time.Time) tls.Certificate {
	template := &x509.Certificate{
		SerialNumber: serial(), Subject: pkix.Name{CommonName: "faultlab intermediate"},
		NotBefore: time.Now().Add(-24 * time.Hour), NotAfter: until.Add(24 * time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	key := newKey()
	between := authority{sign(template, lab().certificate, key.Public(), lab().key), key}
	c := issue(between, func(c *x509.Certificate) { c.NotAfter = until })
	c.Certificate = append(c.Certificate, between.certificate.Raw)
	return c
}

// ServerCertificate is the good one of the lab's servers.
func ServerCertificate() tls.Certificate { return certificate() }
