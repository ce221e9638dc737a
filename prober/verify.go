package prober

import (
	"crypto/fips140"
	"crypto/tls"
	"crypto/x509"
	"runtime"
	"slices"
	"sync"
	"time"

	"errno_exporter/guard"
)

// How the same certificates are not verified again and again: the signatures of a chain take an eighth of an HTTPS probe, and prove the same each
// time.
//
//   - What is kept is that these certificates, byte by byte as the server sent them, lead to a root of this pool. A reload makes new pools, and
//     what was kept for the old ones counts no more.
//   - What may change counts each time: that each certificate of the chain is valid now, and that the server's is for this name. Where that is not so
//     the whole is verified anew, so that the error is that of the verification. That the server has the certificate's key is proven in each handshake, by crypto/tls.
//   - Only successes are kept. Nothing is kept where the system decides what is trusted, and may change its mind (macOS, Windows), nor under FIPS 140,
//     where crypto/tls has rules of its own for chains.

// maxVerified bounds the chains that are kept.
const maxVerified = 1024

// chains are what verification gives: from the server's certificate to a root.
type chains = [][]*x509.Certificate

// verified keeps what was verified. It may be used by many goroutines.
type verified struct {
	mu    sync.Mutex // guards what follows
	known map[verifiedKey]*verifiedChains
	order [maxVerified]verifiedKey // of the known, the oldest goes first
	next  int
}

type verifiedKey struct {
	leaf  string         // DER
	roots *x509.CertPool // nil for the system's
}

type verifiedChains struct {
	others []*x509.Certificate // that the server sent after its own
	chains chains
}

func newVerified() *verified { return &verified{known: map[verifiedKey]*verifiedChains{}} }

// watch makes a configuration verify with what was verified before. The chains are there after the handshake; nil where crypto/tls verifies by
// itself, or nobody does.
func (v *verified) watch(c *tls.Config) *chains {
	if c.InsecureSkipVerify || fips140.Enabled() || c.RootCAs == nil && runtime.GOOS != "linux" {
		return nil
	}
	found := new(chains)
	c.InsecureSkipVerify = true // it is done below, at the same moment of the handshake
	c.VerifyConnection = func(cs tls.ConnectionState) (err error) {
		defer guard.Catch(&err)
		*found, err = v.verify(cs.PeerCertificates, c.RootCAs, c.ServerName, time.Now())
		if err != nil {
			return &tls.CertificateVerificationError{UnverifiedCertificates: cs.PeerCertificates, Err: err}
		}
		return nil
	}
	return found
}

// verify verifies the certificates that a server sent, its own first, as crypto/tls does. The roots are the system's if they are nil.
func (v *verified) verify(sent []*x509.Certificate, roots *x509.CertPool, name string, now time.Time) (chains, error) {
	if found := v.find(sent, roots); found != nil && validAt(found, now) && sent[0].VerifyHostname(name) == nil {
		return found, nil
	}
	intermediates := x509.NewCertPool()
	for _, c := range sent[1:] {
		intermediates.AddCert(c)
	}
	found, err := sent[0].Verify(x509.VerifyOptions{Roots: roots, Intermediates: intermediates, DNSName: name, CurrentTime: now})
	if err != nil {
		return nil, err
	}
	v.keep(sent, roots, found)
	return found, nil
}

func (v *verified) find(sent []*x509.Certificate, roots *x509.CertPool) chains {
	v.mu.Lock()
	defer v.mu.Unlock()
	kept := v.known[verifiedKey{string(sent[0].Raw), roots}]
	if kept == nil || !slices.EqualFunc(kept.others, sent[1:], (*x509.Certificate).Equal) {
		return nil
	}
	return kept.chains
}

func (v *verified) keep(sent []*x509.Certificate, roots *x509.CertPool, found chains) {
	v.mu.Lock()
	defer v.mu.Unlock()
	key := verifiedKey{string(sent[0].Raw), roots}
	if v.known[key] == nil {
		delete(v.known, v.order[v.next])
		v.order[v.next] = key
		v.next = (v.next + 1) % maxVerified
	}
	v.known[key] = &verifiedChains{others: sent[1:], chains: found}
}

// validAt reports whether every certificate of every chain is valid at a time (RFC 5280 section 4.1.2.5).
func validAt(all chains, now time.Time) bool {
	for _, chain := range all {
		for _, c := range chain {
			if now.Before(c.NotBefore) || now.After(c.NotAfter) {
				return false
			}
		}
	}
	return true
}
